"""The feeder's ccxt sources as they are, by ccxt as it is, at servers that speak Kraken's and Binance's REST: prices,
and everything that these answer instead of one."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import pytest
from aiohttp import web
from tests.support.exchange_rest import BINANCE, HTML, KRAKEN, Rest, exchange_rest
from tests.support.waiting import until

from setoff.shared.oracle import sources as sources_module
from setoff.shared.oracle.aggregate import Observation, aggregate
from setoff.shared.oracle.ccxt_source import CcxtSource
from setoff.shared.oracle.feeds import parse_source
from setoff.shared.oracle.sources import Sources

pytest.importorskip("ccxt")

SILENT = 5.0
"""Seconds."""
NAMES = {"ccxt:kraken:BTC/USD": KRAKEN, "ccxt:binanceus:BTC/USDT": BINANCE}
MIDDLE = Fraction(78_000)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_module, "FIRST_PAUSE", 0.05)


@asynccontextmanager
async def asking(name: str, timeout: float = 3.0) -> AsyncIterator[tuple[Rest, Sources]]:
    """The exchange of a source, and the source, which asks there."""
    async with (
        exchange_rest(NAMES[name]) as rest,
        Sources({"M": [parse_source(name)]}, timeout) as sources,
    ):
        turn(sources, rest)
        yield rest, sources


def turn(sources: Sources, *rests: Rest) -> None:
    """Have all sources of the market ask there; no pause of theirs is waited for but the shortest."""
    for asked, rest in zip(sources._sources["M"], rests, strict=True):
        assert isinstance(asked.source, CcxtSource)
        rest.turn(asked.source._exchange)
        asked.source._exchange.enableRateLimit = False


async def ask(sources: Sources) -> Observation:
    (told,) = await sources.ask("M")
    return told


async def ask_again(sources: Sources) -> Observation:
    """After it was left alone."""

    async def answer() -> Observation | None:
        told = await ask(sources)
        return None if told.problem.endswith("in a while") else told

    told = await until(answer)
    assert isinstance(told, Observation)
    return told


@pytest.mark.parametrize("name", NAMES)
async def test_a_price_and_its_time(name: str) -> None:
    async with asking(name) as (rest, sources):
        told = await ask(sources)
        assert (told.price, told.problem) == (MIDDLE, "")
        if "binance" in name:
            assert told.time == 1_700_000_000.5
        before = len(rest.asked)
        assert (await ask(sources)).price == MIDDLE
        assert len(rest.asked) == before + 1, "markets are loaded once"


def json_of(status: int, body: Any, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _kraken(ask: str, bid: str, pair: str = "XXBTZUSD") -> str:
    pairs = {name: ["1", "1"] for name in "vplh"}
    return json.dumps({"error": [], "result": {pair: {"a": [ask], "b": [bid], "c": [bid], "o": "1", **pairs}}})


def _binance(symbol: str, price: str) -> str:
    prices = dict.fromkeys(("bidPrice", "askPrice", "lastPrice"), price)
    return json.dumps({"symbol": symbol, **prices, "closeTime": 1_700_000_000_500})


KRAKENS = {
    "rate limit": json_of(200, {"error": ["EGeneral:Too many requests"]}),
    "rate limit of the interface": json_of(200, {"error": ["EAPI:Rate limit exceeded"]}),
    "busy": json_of(200, {"error": ["EService:Busy"]}),
    "maintenance": json_of(200, {"error": ["EService:Unavailable"]}),
    "a page of maintenance": web.Response(status=503, text=HTML, content_type="text/html"),
    "a page with a good status": web.Response(status=200, text=HTML, content_type="text/html"),
    "a gateway's error": web.Response(status=502, text="Bad Gateway"),
    "nothing": web.Response(status=200, text=""),
    "JSON that breaks off": '{"error":[],"result":{"XXBTZUSD":{"a":["78000.50000","1","1.0',
    "no member": '{"error":[],"result":{}}',
    "another pair": _kraken("3000", "2999", pair="XETHZUSD"),
    "no prices": '{"error":[],"result":{"XXBTZUSD":{"a":[],"b":[],"c":[],"v":[],"p":[],"l":[],"h":[],"o":null}}}',
    "words": _kraken("x", "y"),
    "a book upside down": _kraken("7800.0", "77999.5"),
    "a list": "[]",
    "a number": "7",
}  # fmt: skip
BINANCES = {
    "rate limit": json_of(429, {"code": -1003, "msg": "Too much request weight used"}, **{"Retry-After": "60"}),
    "banned": json_of(418, {"code": -1003, "msg": "Way too many requests; IP banned"}, **{"Retry-After": "120"}),
    "maintenance": json_of(503, {"code": -1008, "msg": "Server is currently overloaded"}),
    "a page of maintenance": web.Response(status=503, text=HTML, content_type="text/html"),
    "not for you": json_of(451, {"code": 0, "msg": "Service unavailable from a restricted location"}),
    "JSON that breaks off": '{"symbol":"BTCUSDT","bidPrice":"77999.50","askPri',
    "another symbol": _binance("ETHUSDT", "3000"),
    "no prices": _binance("BTCUSDT", "0.00"),
    "a list": "[]",
}
CASES = [("ccxt:kraken:BTC/USD", name) for name in KRAKENS] + [("ccxt:binanceus:BTC/USDT", name) for name in BINANCES]


@pytest.mark.parametrize(("name", "mood"), CASES, ids=[f"{name.split(':')[1]}: {mood}" for name, mood in CASES])
@pytest.mark.parametrize("is_first", [True, False], ids=["when its markets are asked for", "later"])
async def test_what_is_no_price_is_a_problem_in_a_line_and_soon_over(name: str, mood: str, is_first: bool) -> None:
    answer = (KRAKENS if "kraken" in name else BINANCES)[mood]
    async with asking(name) as (rest, sources):
        if not is_first:
            assert (await ask(sources)).price == MIDDLE
        rest.moods = [_copy(answer) for _ in range(4)]
        told = await ask(sources)
        assert told.price is None and 0 < len(told.problem) < 200 and "\n" not in told.problem, told
        rest.moods = []
        assert (await ask_again(sources)).price == MIDDLE


def _copy(answer: web.Response | str) -> web.Response | str:
    """A response is sent once."""
    if isinstance(answer, str):
        return answer
    headers = {name: value for name, value in answer.headers.items() if name == "Retry-After"}
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers=headers,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_first", [True, False], ids=["when its markets are asked for", "later"])
async def test_silence_is_given_up_and_does_not_stay(name: str, is_first: bool) -> None:
    async with asking(name, 0.5) as (rest, sources):
        if not is_first:
            assert (await ask(sources)).price == MIDDLE
        rest.moods = [SILENT]
        told = await ask(sources)  # ccxt has as long, so either may say it
        assert told.problem == "no answer within 0.5 s" or told.problem.startswith("RequestTimeout"), told
        rest.moods = []
        assert (await ask_again(sources)).price == MIDDLE


async def test_one_of_three_that_is_wrong_moves_nothing() -> None:
    names = ["ccxt:kraken:BTC/USD", "ccxt:binanceus:BTC/USDT", "ccxt:kraken:BTC/USD"]
    async with (
        exchange_rest(KRAKEN) as first,
        exchange_rest(BINANCE) as second,
        exchange_rest(KRAKEN) as third,
        Sources({"M": [parse_source(name) for name in names]}, 3.0) as sources,
    ):
        turn(sources, first, second, third)
        third.answers["/0/public/Ticker"]["result"]["XXBTZUSD"] |= {"a": ["7800.1"] * 3, "b": ["7799.9"] * 3}
        told = await sources.ask("M")
        verdict = aggregate(told, 1_700_000_001, max_age=1e9, max_distance=100, least=2)
    assert verdict.price == MIDDLE and [each.observation.price for each in verdict.rejected] == [7800]
