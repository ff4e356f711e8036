"""A gateway outlives what its exchange does: restarts, times away, another one in its place; and it keeps receipts."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import eth_account
import pytest
from hyperliquid.utils.signing import get_timestamp_ms, sign_l1_action
from tests.support.ports import find_free_ports
from tests.support.processes.running_operator import DEPLOYMENT, HORIZON, OPERATOR_KEY, Running, open_market, operator
from tests.support.processes.running_operator import store as new_store
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, agent_key, trader_key
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.shared.codec.signatures import address_of
from setoff.shared.gateway import service
from setoff.shared.gateway.service import serve
from setoff.shared.gateway.settings import GatewaySettings
from setoff.shared.sdk import OperatorBond, ReceiptStore

AGENT = agent_key(1, 1)
OWNER = "0x" + address_of(trader_key(1)).hex()
ORDER = {"a": 0, "b": True, "p": "0.00099", "s": "5", "r": False, "t": {"limit": {"tif": "Gtc"}}}


async def name_agent(running: Running) -> None:
    async with running.trader(1) as owner:
        await owner.set_agent(1, address_of(AGENT), running.l1.time + 86_400)


class Bot:
    """A bot of the gateway's at `url`."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self.http = url, http

    async def act(self, action: Any) -> tuple[int, Any]:
        nonce = get_timestamp_ms()
        signature = sign_l1_action(eth_account.Account.from_key(AGENT), action, None, nonce, None, True)
        return await self._post("exchange", {"action": action, "nonce": nonce, "signature": signature})

    async def ask(self, kind: str, **more: Any) -> tuple[int, Any]:
        return await self._post("info", {"type": kind, **more})

    async def order(self) -> int:
        """The number of an order that rests."""
        status, told = await self.act({"type": "order", "orders": [ORDER], "grouping": "na"})
        assert status == 200 and told["status"] == "ok", told
        return int(told["response"]["data"]["statuses"][0]["resting"]["oid"])

    async def cancel(self, oid: int) -> Any:
        _, told = await self.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})
        return told["response"]["data"]["statuses"][0]

    async def figures(self) -> dict[str, float]:
        async with self.http.get(f"{self.url}/metrics") as response:
            page = await response.text()
        return {name: float(value) for name, value in re.findall(r"^(setoff_\S+) (\S+)$", page, re.MULTILINE)}

    async def _post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}/{path}", json=body) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.status == 200 else text


@asynccontextmanager
async def gateway(exchange: str, folder: Path, **more: Any) -> AsyncIterator[Bot]:
    settings = GatewaySettings(
        key=AGENT.hex(), account=OWNER, listen="127.0.0.1:0", exchange=exchange, state_dir=folder / "state", **more
    )
    async with serve(settings) as (_, url), aiohttp.ClientSession() as http:
        yield Bot(url, http)


async def test_it_goes_on_by_itself_whatever_becomes_of_its_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.5)
    listen = f"127.0.0.1:{find_free_ports(1)[0]}"
    with new_store(tmp_path / "one") as first, new_store(tmp_path / "other") as second:
        async with operator(first.url, listen=listen) as running:
            await open_market(running)
            await name_agent(running)
            opened = gateway(running.url, tmp_path)
            bot = await opened.__aenter__()
            oid = await bot.order()
            assert (await bot.ask("clearinghouseState", user=OWNER))[0] == 200
            assert (await bot.ask("nothing of the kind"))[0] == 422
            refused = {"type": "order", "orders": [ORDER | {"s": "0"}], "grouping": "na"}
            await bot.act(refused)
            figures = await bot.figures()
            assert figures["setoff_gateway_exchange_up"] == 1
            assert figures['setoff_gateway_requests_total{kind="info",outcome="ok"}'] == 1
            assert figures['setoff_gateway_requests_total{kind="info",outcome="misshapen"}'] == 1
            assert figures['setoff_gateway_request_seconds_count{kind="action"}'] == 2
            assert sum(count for name, count in figures.items() if "_refused_total" in name) == 1
        try:
            for status, told in (await bot.ask("clearinghouseState", user=OWNER), await bot.ask("meta")):
                assert status == 503 and "does not answer" in told
            await until(lambda: is_up(bot, 0))
            assert (await bot.figures())['setoff_gateway_requests_total{kind="info",outcome="unavailable"}'] == 2
            assert (await bot.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]}))[0] == 503
            async with operator(first.url, listen=listen, traffic=running.traffic, l1=running.l1):
                assert await bot.cancel(oid) == "success"  # the same exchange, after its restart
                await until(lambda: is_up(bot, 1))
                await bot.cancel(await bot.order())
            async with operator(second.url, listen=listen) as other:  # another one: nobody knows the agent there
                await open_market(other)
                await until(lambda: says_another(bot))
                assert "goes on by itself" in (await bot.ask("meta"))[1]
                await name_agent(other)
                await until(lambda: answers(bot))
                assert await bot.cancel(await bot.order()) == "success"
        finally:
            await opened.__aexit__(None, None, None)


async def is_up(bot: Bot, wanted: int) -> bool:
    return (await bot.figures())["setoff_gateway_exchange_up"] == wanted


async def says_another(bot: Bot) -> bool:
    status, told = await bot.ask("clearinghouseState", user=OWNER)
    if status != 503:
        await bot.act({"type": "order", "orders": [ORDER], "grouping": "na"})  # which the exchange has no signer for
    return status == 503 and "another exchange answers" in told and "is no agent of account" in told


async def answers(bot: Bot) -> bool:
    return (await bot.ask("meta"))[0] == 200


async def test_receipts_are_kept_and_one_that_is_no_good_makes_no_order_look_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    DEPLOYMENT.save(tmp_path / "deployment.json")
    bond = OperatorBond(address_of(OPERATOR_KEY), 10 * HORIZON, START_TIME)
    monkeypatch.setattr(service, "open_receipts", lambda told, of: ReceiptStore.open(told.receipts, of, bond))
    more = {
        "deployment": tmp_path / "deployment.json",
        "receipts": tmp_path / "receipts",
        "rpc_url": "http://127.0.0.1:9",
    }
    with new_store(tmp_path / "one") as server:
        async with operator(server.url) as running:
            await open_market(running)
            await name_agent(running)
            async with gateway(running.url, tmp_path, **more) as bot:
                assert await bot.cancel(await bot.order()) == "success"
                assert len(ReceiptStore.open(tmp_path / "receipts", DEPLOYMENT, bond)) == 2
        signer = ReceiptSigner(trader_key(2), DEPLOYMENT.domain, HORIZON)
        async with (
            operator(server.url, traffic=running.traffic, l1=running.l1, signer=signer) as again,
            gateway(again.url, tmp_path, **more) as bot,
        ):
            assert await bot.cancel(await bot.order()) == "success"
    assert caplog.text.count("its receipt is no good") == 2


async def test_what_is_nested_too_deep_or_too_long_is_refused_in_words(tmp_path: Path) -> None:
    with new_store(tmp_path / "one") as server:
        async with operator(server.url) as running:
            await open_market(running)
            await name_agent(running)
            async with gateway(running.url, tmp_path) as bot, aiohttp.ClientSession() as http:
                deep = "[" * 200_000 + "]" * 200_000
                for body, status, said in (
                    (deep, 422, "nested more than 64 deep"),
                    ('{"type": "meta", "dex": NaN}', 422, "NaN is no number"),
                    ('"' + "x" * (1 << 21) + '"', 413, "at most 1048576 bytes"),
                ):
                    async with http.post(f"{bot.url}/info", data=body) as answer:
                        assert answer.status == status and said in await answer.text()
                async with http.ws_connect(bot.url.replace("http", "ws") + "/ws") as socket:
                    await socket.send_str('{"method": ' + deep + "}")
                    assert (await socket.receive_json())["channel"] == "error"
                    await socket.send_str('{"method": "ping"}')
                    assert (await asyncio.wait_for(socket.receive_json(), 5))["channel"] == "pong"
