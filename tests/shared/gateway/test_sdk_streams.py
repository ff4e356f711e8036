"""hyperliquid-python-sdk, unmodified: what happens, pushed over its WebSocket."""

import asyncio
import json
from collections import defaultdict
from typing import Any

import pytest
from tests.support.gateways.gateway_town import MAKER, PRICE, GatewayTown, bot_socket
from tests.support.gateways.sdk_bot import GTC, SdkBot
from tests.support.waiting import wait_until

from setoff.shared.codec.records import SELL


class Heard:
    """All messages of a bot's subscriptions, by channel."""

    def __init__(self, bot: SdkBot, *subscriptions: dict[str, Any]) -> None:
        self.by_channel: dict[str, list[Any]] = defaultdict(list)
        for subscription in subscriptions:
            bot.info.subscribe(subscription, self._hear)

    def _hear(self, message: Any) -> None:
        self.by_channel[message["channel"]].append(message["data"])

    def wait(self, channel: str, holds: Any) -> Any:
        """The first message there of which that is true."""

        def find() -> Any:
            return next((data for data in list(self.by_channel[channel]) if holds(data)), None)

        return wait_until(find, 15, what=lambda: f"{channel}: {self.by_channel[channel]}")


def test_a_trade_is_told_in_every_way(bot: SdkBot) -> None:
    user = bot.user
    heard = Heard(
        bot,
        *({"type": kind, "coin": "BTC"} for kind in ("l2Book", "bbo", "trades", "activeAssetCtx")),
        {"type": "candle", "coin": "BTC", "interval": "1m"},
        {"type": "allMids"},
        *({"type": kind, "user": user} for kind in ("userFills", "userEvents", "orderUpdates", "userFundings")),
        {"type": "webData2", "user": user},
        {"type": "userNonFundingLedgerUpdates", "user": user},
        {"type": "activeAssetData", "user": user, "coin": "BTC"},
    )
    for channel in ("userFills", "userFundings", "userNonFundingLedgerUpdates", "l2Book", "webData2", "allMids"):
        heard.wait(channel, lambda data: True)
    assert heard.by_channel["userFills"][0]["isSnapshot"]
    bot.town.run(MAKER, lambda client: client.place(1, SELL, PRICE + 7, 100))
    best = heard.wait("bbo", lambda data: data["bbo"][1] is not None)
    assert best["bbo"][1] == {"px": str(PRICE + 7), "sz": "0.01", "n": 1}
    heard.wait("l2Book", lambda data: {"px": str(PRICE + 7), "sz": "0.01", "n": 1} in data["levels"][1])
    oid = bot.place("BTC", True, 0.004, PRICE + 7, GTC)["filled"]["oid"]
    (trade,) = heard.wait("trades", lambda data: data[0]["px"] == str(PRICE + 7))
    assert (trade["sz"], trade["side"]) == ("0.004", "B")
    fills = heard.wait("userFills", lambda data: not data.get("isSnapshot") and data["fills"][0]["oid"] == oid)
    assert heard.wait("user", lambda data: data["fills"] == fills["fills"])
    assert fills["fills"][0]["tid"] == trade["tid"]
    (update,) = heard.wait("orderUpdates", lambda data: data[0]["order"]["oid"] == oid)
    assert (update["status"], update["order"]["origSz"], update["order"]["sz"]) == ("filled", "0.004", "0")
    heard.wait("candle", lambda data: data["c"] == str(PRICE + 7) and data["n"] >= 1)
    heard.wait("webData2", lambda data: data["clearinghouseState"]["assetPositions"])
    resting = bot.place("BTC", True, 0.01, PRICE - 500, GTC)["resting"]["oid"]
    heard.wait("orderUpdates", lambda data: any(u["order"]["oid"] == resting and u["status"] == "open" for u in data))
    heard.wait("allMids", lambda data: data["mids"]["BTC"] == f"{(2 * PRICE - 493) / 2}")
    heard.wait("activeAssetCtx", lambda data: data["ctx"]["midPx"] == f"{(2 * PRICE - 493) / 2}")
    bot.exchange.cancel("BTC", resting)
    heard.wait(
        "orderUpdates", lambda data: any(u["order"]["oid"] == resting and u["status"] == "canceled" for u in data)
    )
    assert heard.by_channel["activeAssetData"][0]["leverage"] == {"type": "cross", "value": 20}
    bot.town.run(MAKER, lambda client: client.cancel_all())


async def test_requests_are_answered_over_the_socket_and_what_cannot_be_is_said(town: GatewayTown) -> None:
    async with bot_socket(town) as socket:

        async def ask(message: Any) -> Any:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
            return await socket.receive_json(timeout=10)

        assert await ask({"method": "ping"}) == {"channel": "pong"}
        asked = {"method": "post", "id": 7, "request": {"type": "info", "payload": {"type": "meta"}}}
        told = (await ask(asked))["data"]
        assert told["id"] == 7 and told["response"]["payload"]["data"]["universe"][0]["name"] == "BTC"
        for wrong in ("not json", {"method": "sing"}, {"method": "subscribe"}):
            assert (await ask(wrong))["channel"] == "error"
        assert (await ask({"method": "subscribe", "subscription": {}}))["channel"] == "error"
        assert (await ask({"method": "subscribe", "subscription": {"type": "nothing"}}))["channel"] == "error"
        mids = {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}}
        assert (await ask(mids))["channel"] == "subscriptionResponse"
        assert "Already subscribed" in (await ask(mids))["data"]
        assert (await ask(mids | {"method": "unsubscribe"}))["data"]["method"] == "unsubscribe"
        wrong = {"method": "post", "id": 8, "request": {"type": "action", "payload": {"action": {"type": "order"}}}}
        assert (await ask(wrong))["data"]["response"]["type"] == "error"
        unknown = {"method": "subscribe", "subscription": {"type": "l2Book", "coin": "NOPE"}}
        assert (await ask(unknown))["channel"] == "subscriptionResponse"
        assert "Unknown coin NOPE" in (await socket.receive_json(timeout=10))["data"]


async def test_a_page_in_a_browser_is_not_served(town: GatewayTown) -> None:
    import aiohttp

    async with aiohttp.ClientSession(headers={"Origin": "https://example.com"}) as http:
        async with http.post(f"{town.url}/info", json={"type": "meta"}) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(town.socket_url)
    async with aiohttp.ClientSession() as http:
        for body in (b"not json", b"[]", b'{"type": "nothing"}', b'{"type": "clearinghouseState", "user": "me"}'):
            async with http.post(f"{town.url}/info", data=body) as answer:
                assert answer.status == 422
    await asyncio.sleep(0)
