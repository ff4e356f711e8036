"""From the moment at which a bot has subscribed to news nothing is left out: not what it does at once over another
connection, not what happens until the exchange pushes, nor what happens while a stream is begun again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.support.waiting import until

from setoff.shared.gateway.door import Door
from setoff.shared.gateway.exchange_client import ExchangeClient
from setoff.shared.gateway.house import House
from setoff.shared.gateway.parties import Parties
from setoff.shared.gateway.server import Server
from setoff.shared.gateway.signature import Bot
from setoff.shared.sdk import Refusal, SubmitResult, Unavailable

OWNER = b"\5" * 20
NAME = "0x" + OWNER.hex()
MARKET = {"market": 1, "symbol": "BTC-PERP", "base": "BTC", "quote": "USDC", "tick_size": "0.5", "lot_size": "0.001",
          "unit": 500, "initial_margin": 100_000}  # fmt: skip
ORDER = {"a": 0, "b": True, "p": "100", "s": "1", "r": False, "t": {"limit": {"tif": "Gtc"}}}
SLOW = 0.3
"""Seconds that the exchange takes for a page of its history: what was there when it was asked is what it answers."""


class Exchange(ExchangeClient):
    """One with a history of orders, each of which is a record; it pushes nothing by itself."""

    def __init__(self) -> None:
        super().__init__("")
        self.orders: list[dict[str, Any]] = []
        self.looks = 0
        self.failing: list[Exception] = []
        """What the next looks at the history raise."""
        self.begins: list[Callable[[], None]] = []
        """What to call for each channel that is subscribed to."""
        self.broken = asyncio.Event()

    def at(self, sub: int) -> Any:
        return self

    async def info(self) -> Any:
        return {"collateral": {"decimals": 6}, "markets": [MARKET]}

    async def account(self, name: Any = None) -> Any:
        return {"orders": []}

    async def status(self) -> Any:
        return {"records": len(self.orders)}

    async def record(self, sequence: int) -> Any:
        if sequence >= len(self.orders):
            raise Refusal("not_found")
        return {}

    async def history(self, what: str, name: Any, **query: Any) -> Any:
        self.looks += 1
        if self.failing:
            raise self.failing.pop(0)
        await asyncio.sleep(SLOW)
        rows = [order for order in self.orders if int(order["order"]) > int(query.get("after", -1))]
        if query.get("status") == "open":
            rows = [order for order in rows if order["status"] == "open"]
        if "before" in query:
            rows = [order for order in rows if int(order["order"]) < int(query["before"])]
        return {what: rows if "after" in query else rows[::-1], "next": None}

    async def place(self, *arguments: Any, **options: Any) -> Any:
        self.add(int(options["client"]))
        return SubmitResult(sequence=0, batch=0, input_index=0, order_slot=0, resting=1000, fills=())

    def add(self, client: int, status: str = "open") -> None:
        """One more order."""
        self.orders.append(
            {"order": len(self.orders), "client": str(client), "status": status, "reason": "", "filled": "0",
             "size": "1000", "market": 1, "side": "buy", "price": 200, "flags": "gtc", "trigger_price": None,
             "reduce_only": False, "time_ms": 1000, "closed_time": None, "order_slot": len(self.orders)}
        )  # fmt: skip

    def break_off(self) -> None:
        """End what is subscribed to; it may be subscribed to again."""
        self.broken.set()
        self.broken = asyncio.Event()

    async def subscribe(self, channel: str, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        self.begins.append(options.get("on_begin", lambda: None))
        await self.broken.wait()
        raise Unavailable("not_ready", "it has ended")
        yield


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Exchange, str]]:
    """A gateway for such an exchange, and its URL."""
    exchange = Exchange()
    house = House(exchange, Parties(OWNER, 0, (OWNER,)), NAME, Bot(None), None)
    await house.universe.load()
    async with Door(lambda: nullcontext(house)) as door:
        runner = web.AppRunner(Server(door).make_app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield exchange, f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@asynccontextmanager
async def told(url: str, kind: str = "orderUpdates") -> AsyncIterator[tuple[list[Any], asyncio.Event]]:
    """What a bot is told that subscribes and does not wait; and when its subscription was answered."""
    heard: list[Any] = []
    answered = asyncio.Event()

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            body = message.json()
            if body["channel"] == "subscriptionResponse":
                answered.set()
            else:
                heard.extend(body["data"])

    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws") as socket:
        await socket.send_json({"method": "subscribe", "subscription": {"type": kind, "user": NAME}})
        task = asyncio.create_task(listen(socket))
        try:
            yield heard, answered
        finally:
            task.cancel()


def clients(heard: list[Any]) -> list[int]:
    return [update["order"]["oid"] for update in heard]


async def order(url: str) -> int:
    """Send an order over HTTP; its number."""
    action = {"type": "order", "orders": [ORDER], "grouping": "na"}
    body = {"action": action, "nonce": time.time_ns() // 1_000_000, "signature": {}}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/exchange", json=body) as answer:
        (status,) = (await answer.json())["response"]["data"]["statuses"]
    return int(status["resting"]["oid"])


async def test_an_order_that_is_sent_at_once_is_told() -> None:
    async with serving() as (exchange, url), told(url) as (heard, _):
        await until(lambda: exchange.looks)
        sent = await order(url)
        for begin in await until(lambda: exchange.begins):
            begin()
        await until(lambda: clients(heard) == [sent])


async def test_a_subscription_is_answered_once_all_that_follows_will_be_told() -> None:
    async with serving() as (exchange, url), told(url) as (heard, answered):
        exchange.add(1)
        await until(lambda: exchange.looks)
        assert not answered.is_set()
        await asyncio.wait_for(answered.wait(), 10)
        exchange.add(2)  # before the exchange pushes anything
        for begin in await until(lambda: exchange.begins):
            begin()
        await until(lambda: clients(heard))
        assert [order["client"] for order in exchange.orders] == ["1", "2"] and len(heard) == 1


async def test_a_stream_that_is_begun_again_goes_on_where_it_was() -> None:
    async with serving() as (exchange, url), told(url) as (heard, answered):
        await asyncio.wait_for(answered.wait(), 10)
        await until(lambda: len(exchange.begins) == 3)
        exchange.add(1)
        exchange.break_off()
        await until(lambda: len(exchange.begins) > 3)
        exchange.begins[-1]()
        await until(lambda: len(heard) == 1)


async def test_what_a_failed_look_has_read_is_told_by_the_next() -> None:
    async with serving() as (exchange, url), told(url) as (heard, answered):
        await asyncio.wait_for(answered.wait(), 10)
        exchange.add(1)
        for begin in await until(lambda: len(exchange.begins) == 3 and exchange.begins):
            begin()
        await until(lambda: len(heard) == 1)
        looks = exchange.looks
        exchange.add(2)
        exchange.orders[0]["status"] = "canceled"
        exchange.begins[0]()
        await until(lambda: exchange.looks > looks)
        exchange.failing = [Unavailable("not_ready")]
        await until(lambda: len(heard) == 3)


@pytest.mark.parametrize("kind", ["orderUpdates", "userEvents"])
async def test_requests_wait_no_longer_than_a_moment_for_a_subscription(kind: str) -> None:
    async with serving() as (exchange, url):
        exchange.failing = [Unavailable("not_ready")] * 100
        async with told(url, kind):
            await until(lambda: exchange.looks)
            begun = time.monotonic()
            await order(url)
            assert time.monotonic() - begun < 10  # it has two seconds
