"""Sources of every kind: what they give, how they fail, and that a failing one is left alone."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import pytest
from aiohttp import web

from setoff.shared.errors import ConfigError
from setoff.shared.oracle.aggregate import Observation
from setoff.shared.oracle.ccxt_source import CcxtSource, read_ticker
from setoff.shared.oracle.feeds import parse_source
from setoff.shared.oracle.file_source import ReplaySource
from setoff.shared.oracle.http_source import find_member
from setoff.shared.oracle.sources import Sources

ANSWER = {
    "result": {"a/b": {"c": [{"price": "78000.10"}, 5]}},
    "n": 0.1,
    "~": 7,
    "s": 1_700_000_000.5,
    "ms": "1700000000500",
}


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            await asyncio.sleep(5)
        if request.path == "/broken":
            raise web.HTTPInternalServerError
        if request.path == "/large":
            return web.Response(body=b" " * (2 << 20))
        return web.Response(text=json.dumps(ANSWER))

    app = web.Application()
    app.router.add_get("/{path}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def ask(*names: str, timeout: float = 2.0) -> list[Observation]:
    async with Sources({"M": [parse_source(name) for name in names]}, timeout) as sources:
        return await sources.ask("M")


async def test_a_number_anywhere_in_an_answer(server: str) -> None:
    told = await ask(f"{server}/x#/result/a~1b/c/0/price", f"{server}/x#/n", f"{server}/x#/~0")
    assert [each.price for each in told] == [Fraction("78000.1"), Fraction(1, 10), 7]
    assert all(abs(each.time - time.time()) < 5 for each in told)


@pytest.mark.parametrize("name", ["s", "ms"])
async def test_an_answer_may_have_its_time(server: str, name: str) -> None:
    (told,) = await ask(f"{server}/x#/n@/{name}")
    assert (told.price, told.time) == (Fraction(1, 10), 1_700_000_000.5)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("x#/result/none", "nothing at /result/none: no 'none'"),
        ("x#/result/a~1b/c/2", "no '2'"),
        ("x#/result", "is no number"),
        ("x#/n@/none", "nothing at /none"),
        ("broken#/n", "500"),
        ("large#/n", "more than 1048576 bytes"),
        ("slow#/n", "no answer within 0.3 s"),
    ],
)
async def test_an_answer_without_a_price_is_a_problem_in_words(server: str, path: str, problem: str) -> None:
    (told,) = await ask(f"{server}/{path}", timeout=0.3)
    assert told.price is None and problem in told.problem


def test_a_pointer_is_one_of_rfc_6901() -> None:
    assert find_member(ANSWER, "") == ANSWER
    assert find_member({"": {"": 1}}, "//") == 1
    with pytest.raises(ValueError, match="nothing at"):
        find_member([1], "/-1")


async def test_a_source_that_failed_is_left_alone_and_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "price"
    async with Sources({"M": [parse_source(f"file:{path}")]}, 1.0) as sources:
        assert "FileNotFoundError" in (await sources.ask("M"))[0].problem
        path.write_text("12.5\n")
        (rests,) = await sources.ask("M")
        assert rests.price is None and rests.problem.endswith("asked again in a while")
        assert sources.failures() == [("M", f"file:{path}", 1)]
        await asyncio.sleep(1.05)
        assert (await sources.ask("M"))[0].price == Fraction("12.5")
        path.write_text("13")
        assert (await sources.ask("M"))[0].price == 13


async def test_a_replay_goes_round_by_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "course.csv"
    path.write_text("0,100\n10,101.5\n15,99\n20,100\n")
    source = ReplaySource(str(path))
    assert (await source.ask()).price in (100, Fraction("101.5"), 99)
    assert [source.find(1_000_000 + second) for second in (0, 9.9, 10, 14, 15, 19, 20)] == [
        100, 100, Fraction("101.5"), Fraction("101.5"), 99, 99, 100
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "0,1\n0,2\n", "1,2\n0,3\n", "0;1\n", "x,1\n", "0,-1\n"])
async def test_a_course_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "course.csv"
    path.write_text(text)
    (told,) = await ask(f"replay:{path}")
    assert told.price is None and "course.csv" in told.problem


@pytest.mark.parametrize(
    ("ticker", "price", "at"),
    [
        ({"bid": 100.0, "ask": 100.5, "last": 90, "timestamp": 1_700_000_000_500}, "100.25", 1_700_000_000.5),
        ({"bid": None, "ask": 100.5, "last": 0.1, "timestamp": None}, "0.1", None),
    ],
)
def test_a_ticker_of_an_exchange(ticker: dict[str, object], price: str, at: float | None) -> None:
    assert read_ticker(ticker) == (Fraction(price), at)


def test_a_ticker_without_a_price_is_none() -> None:
    with pytest.raises(ValueError, match="is no number"):
        read_ticker({"bid": 1.0, "ask": None, "last": None})


async def test_exchanges_are_ccxts() -> None:
    pytest.importorskip("ccxt")
    with pytest.raises(ConfigError, match="ccxt knows no exchange 'nowhere'"):
        CcxtSource("nowhere:BTC/USD", 1.0)
    with pytest.raises(ConfigError):  # in the package, but no exchange
        CcxtSource("exchanges:BTC/USD", 1.0)
    await CcxtSource("kraken:BTC/USD", 1.0).close()


PRODUCT = {
    "id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD", "quote_increment": "0.01",
    "base_increment": "0.00000001", "min_market_funds": "1", "status": "online", "cancel_only": False,
    "post_only": False, "limit_only": False, "trading_disabled": False, "margin_enabled": False, "auction_mode": False,
}  # fmt: skip
TICKER = {
    "trade_id": 1, "price": "77990", "size": "1", "time": "2020-01-28T02:13:33.012Z", "bid": "77999.5",
    "ask": "78000.5", "volume": "1",
}  # fmt: skip
"""Answers of an exchange, in the form that it documents."""


async def test_ccxt_asks_an_exchange_over_http() -> None:
    """With an exchange's answers from here instead of from where ccxt would ask: everything else is ccxt's own."""
    pytest.importorskip("ccxt")

    async def answer(request: web.Request) -> web.Response:
        answers = {"/products": [PRODUCT], "/products/BTC-USD/ticker": TICKER, "/currencies": []}
        return web.json_response(answers[request.path])

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    source = CcxtSource("coinbaseexchange:BTC/USD", 5.0)
    source._exchange.urls["api"] = {"public": f"http://127.0.0.1:{runner.addresses[0][1]}"}
    try:
        quote = await source.ask()
    finally:
        await source.close()
        await runner.cleanup()
    assert quote == (Fraction(78_000), 1_580_177_613.012)
