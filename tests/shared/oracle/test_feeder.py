"""The feeder's rounds with an operator that refuses whatever it likes, and an L1 that is away or slow."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests
from aiohttp import web
from tests.support.ports import find_free_ports
from tests.support.waiting import wait_until

from setoff.deploy.devnet.process import Process
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import MarketName, MarketNames
from setoff.shared.l1.connection import L1
from setoff.shared.oracle.chain_view import ChainView
from setoff.shared.oracle.feeder import Feeder
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


@asynccontextmanager
async def refusing(reason: str) -> AsyncIterator[str]:
    """An operator that refuses every record for the same reason; its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"reason": reason, "detail": "so"}, status=STATUSES.get(reason, REFUSED))

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
