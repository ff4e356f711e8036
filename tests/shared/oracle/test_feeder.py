"""The feeder's rounds with an operator that refuses whatever it likes, and an L1 that is away or slow."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from aiohttp import web
from tests.support.ports import find_free_ports
from tests.support.waiting import until, wait_until

from setoff.deploy.devnet.process import Process
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import MarketName, MarketNames
from setoff.shared.errors import InputError
from setoff.shared.l1.connection import L1
from setoff.shared.oracle.chain_view import ChainView
from setoff.shared.oracle.feeder import OTHER, Feeder, get_reason, tell
from setoff.shared.oracle.service import open_feeder
from setoff.shared.oracle.settings import OracleSettings
from setoff.shared.oracle.sources import Sources
from setoff.shared.oracle.ways import Ways
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.forced_inclusion import Forced
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.wire.refusals import REFUSED, STATUSES

KEY = b"\7" * 32
ADDRESS = "0x" + "ab" * 20
DEPLOYMENT = Deployment(
    31337, *([ADDRESS] * 7), names=MarketNames(markets=(MarketName(1, "BTC-PERP", "BTC", "0.0001"),))
)


def make_settings(folder: Path, **more: object) -> OracleSettings:
    (folder / "price").write_text("78000")
    DEPLOYMENT.save(folder / "deployment.json")
    chosen = {
        "feeds": f"BTC-PERP=file:{folder}/price",
        "min_sources": 1,
        "operator_patience": 0.2,
        "key": KEY.hex(),
        "deployment": folder / "deployment.json",
        "rpc_url": f"http://127.0.0.1:{find_free_ports(1)[0]}",  # nobody is there
    }
    return OracleSettings(**(chosen | more))


class Known(ChainView):
    """A view that has read a listing and this key as signers 3 and 5, and now cannot read any more."""

    def __init__(self, settings: OracleSettings) -> None:
        super().__init__(L1(settings.rpc_url, patience=0.1), DEPLOYMENT, address_of(KEY))
        self._signers = {3: address_of(KEY), 4: b"\1" * 20, 5: address_of(KEY)}
        self._units = {1: (100, 0)}


class Slow(Ways):
    """L1 takes what comes, and takes its time."""

    forced: list[bytes]

    async def force(self, record: bytes) -> Forced:
        self.forced.append(record)
        await asyncio.sleep(0.5)
        return Forced(7, 0)


def refusing(reason: str) -> AbstractAsyncContextManager[str]:
    """An operator that refuses every record for the same reason; its address."""
    status = STATUSES.get(reason, REFUSED)
    return answering(lambda: web.json_response({"reason": reason, "detail": "so"}, status=status))


@asynccontextmanager
async def answering(make: Callable[[], web.Response]) -> AsyncIterator[str]:
    """An operator that answers every record so; its address."""

    async def answer(request: web.Request) -> web.Response:
        return make()

    app = web.Application()
    app.router.add_post("/v1/records", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("reason", ["unknown_signer", "stale_report", "overloaded"])
async def test_an_operator_that_refuses_is_passed_whatever_it_says(tmp_path: Path, reason: str) -> None:
    async with refusing(reason) as url:
        settings = make_settings(tmp_path, exchange=url)
        async with Sources(settings.sources, 1.0) as sources, SetoffClient(url) as client:
            ways = Slow(client, L1(settings.rpc_url, KEY), DEPLOYMENT, KeySigner(KEY))
            ways.forced = []
            feeder = Feeder(settings, Known(settings), sources, ways, address_of(KEY))
            await feeder.step()
            assert feeder.status.refusals == {reason: 1} and not ways.forced
            await asyncio.sleep(0.25)
            await feeder.step()
            await feeder.step()  # an L1 that is slow holds up no round
            assert f"the operator: {reason}: so" in feeder.status.find_problems()
            await asyncio.sleep(1.1)
            reports = [records.decode_report(record) for record in ways.forced]
            assert [(each.signer, each.market, each.price) for each in reports] == [(3, 1, 78_000), (5, 1, 78_000)]
            assert feeder.status.reports == {"L1": 2}


class Answering(Slow):
    """An operator whose answer to one market's reports makes the client fail in a way that nobody foresaw."""

    taken: list[int]
    is_broken = False

    def sign(self, signer: int, time: int, market: int, price: int) -> bytes:
        if self.is_broken:
            raise RuntimeError("no more")
        return super().sign(signer, time, market, price)

    async def submit(self, record: bytes) -> None:
        market = records.decode_report(record).market
        if market == 1:
            raise KeyError("outcome")
        self.taken.append(market)


def make_feeder(settings: OracleSettings, sources: Sources, ways: Slow, *markets: int) -> Feeder:
    """One that has read L1, with these markets' units."""
    view = Known(settings)
    view._units = dict.fromkeys(markets, (100, 0))
    ways.forced = []
    return Feeder(settings, view, sources, ways, address_of(KEY))


@pytest.mark.parametrize("body", ["{}", "[]", "null", "?", '{"outcome": {}}'])
async def test_an_operator_that_answers_nonsense_is_passed_as_one_that_is_away(tmp_path: Path, body: str) -> None:
    async with answering(lambda: web.Response(text=body, content_type="application/json")) as url:
        settings = make_settings(tmp_path, exchange=url)
        async with Sources(settings.sources, 1.0) as sources, SetoffClient(url) as client:
            ways = Slow(client, L1(settings.rpc_url, KEY), DEPLOYMENT, KeySigner(KEY))
            feeder = make_feeder(settings, sources, ways, 1)
            await feeder.step()
            assert feeder.status.operator_problem and not ways.forced
            await asyncio.sleep(0.25)
            await feeder.step()
            await until(lambda: bool(ways.forced), "no report goes through L1")


async def test_what_goes_wrong_with_one_market_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(MarketName(number, f"M{number}-PERP", f"M{number}", "0.0001") for number in (1, 2))
    monkeypatch.setattr(sys.modules[__name__], "DEPLOYMENT", replace(DEPLOYMENT, names=MarketNames(markets=names)))
    settings = make_settings(tmp_path, poll=0.05, feeds=f"M1-PERP=file:{tmp_path}/price,M2-PERP=file:{tmp_path}/price")
    async with Sources(settings.sources, 1.0) as sources, SetoffClient("http://127.0.0.1:1") as client:
        ways = Answering(client, L1(settings.rpc_url, KEY), DEPLOYMENT, KeySigner(KEY))
        ways.taken = []
        feeder = make_feeder(settings, sources, ways, 1, 2)
        await feeder.step()
        assert ways.taken == [2, 2] and feeder.status.reports == {"operator": 2}
        assert feeder.status.refusals == {"other": 1} and feeder.status.operator_problem == "KeyError: 'outcome'"
        assert not any(problem.startswith("M2-PERP") for problem in feeder.status.find_problems())

        ways.is_broken = True
        (tmp_path / "price").write_text("79000")
        stop = asyncio.Event()
        running = asyncio.create_task(feeder.run(stop))
        await until(lambda: feeder.status.markets["M2-PERP"].problem == "RuntimeError: no more", "nothing is told")
        assert not running.done()
        ways.is_broken = False
        await until(lambda: ways.taken == [2] * 4, "it does not go on")
        stop.set()
        await running


def test_a_reason_that_the_operator_invents_is_counted_with_all_others() -> None:
    """Else it makes as many counts, and metrics, as it likes."""
    assert get_reason(InputError("x" * 9, "so")) == OTHER == get_reason(ValueError("?"))
    assert get_reason(InputError("overloaded")) == "overloaded"
    assert len(tell(ValueError("y" * 10_000))) == 200


async def test_a_key_that_is_no_signer_s_is_told_at_once_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings(tmp_path, l1_poll=0.0)
    view = Known(settings)
    view._signers = {4: b"\1" * 20}
    monkeypatch.setattr(view, "look", lambda: None)
    async with Sources(settings.sources, settings.source_timeout) as sources:
        ways = Slow(SetoffClient(settings.exchange), L1(settings.rpc_url, KEY), DEPLOYMENT, KeySigner(KEY))
        feeder = Feeder(settings, view, sources, ways, address_of(KEY))
        await feeder._look()
        await feeder._look()
    assert caplog.text.count("an oracle signer: use a signer's key") == 1


async def test_without_l1_it_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.shared.oracle.service.L1_PATIENCE", 0.1)
    async with open_feeder(make_settings(tmp_path, l1_poll=0.01)) as feeder:
        await feeder.step()
        (problem,) = feeder.status.find_problems()
        assert problem.startswith("L1: rpc_unreachable")
        market = feeder.status.markets["BTC-PERP"]
        assert (market.price, market.used, market.problem) == ("78000", 1, "")
        (tmp_path / "price").write_text("?")
        await feeder.step()
        assert "BTC-PERP: 0 of its sources can be used, 1 are needed" in feeder.status.find_problems()
        assert feeder.status.reports == {} and feeder.status.rounds == 2


def test_it_ends_at_once_though_l1_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        settings = make_settings(tmp_path)
        environment = {
            "SETOFF_RPC_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "SETOFF_DEPLOYMENT": str(settings.deployment),
            "SETOFF_ORACLE_KEY": KEY.hex(),
            "SETOFF_ORACLE_FEEDS": settings.feeds,
            "SETOFF_ORACLE_MIN_SOURCES": "1",
            "SETOFF_ORACLE_LISTEN": "127.0.0.1:0",
        }
        process = Process("oracle", ["oracle", "run"], environment, tmp_path / "log")
        process.start()
        try:
            pages = process.wait_for("oracle: ").split(",")[0]
            wait_until(lambda: requests.get(f"{pages}/ready", timeout=10).status_code == 503, 20)
            process.ask_to_end()
            wait_until(lambda: not process.is_running, 8, what="it waits for L1")
        finally:
            process.kill()
