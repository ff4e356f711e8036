"""Streams: nothing twice, nothing left out, books that add up, and nobody who does not read holds others up."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.support.processes.running_operator import Running, open_market, operator
from tests.support.waiting import until

from setoff.operator.api.streams import session
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.sdk import Refusal, SetoffClient, Unavailable


class Listener:
    """A client of `/v1/stream`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, **message: Any) -> Any:
        """The answer, of what comes until then."""
        await self.socket.send_json(message)
        return await self.next("subscribed", "unsubscribed", "refused")

    async def next(self, *channels: str) -> Any:
        """The next message of these channels."""
        while True:
            message = await self.socket.receive_json(timeout=10)
            if message["channel"] in channels:
                return message


@asynccontextmanager
async def listen(running: Running) -> AsyncIterator[Listener]:
    async with running.http.ws_connect(running.url + "/v1/stream") as socket:
        yield Listener(socket)


async def trade(running: Running, *prices: int) -> None:
    for price in prices:
        for account, side in ((1, SELL), (2, BUY)):
            status, answer = await running.submit(running.traffic.order(account, side, price, 2))
            assert status == 200, answer


def add_up(book: dict[str, dict[int, str]], update: Any) -> None:
    """Take an update over, and check that all is there."""
    for side in ("bids", "asks"):
        for level in update[side]:
            book[side].pop(level["price"], None)
            if level["size"] != "0":
                book[side][level["price"]] = level["size"]
    best = [(price, book["bids"][price]) for price in sorted(book["bids"], reverse=True)[:10]]
    best += [(price, book["asks"][price]) for price in sorted(book["asks"])[:10]]
    assert zlib.crc32("|".join(f"{price}:{size}" for price, size in best).encode()) == update["checksum"]


async def test_a_book_is_whole_first_and_then_what_changes(exchange: Running) -> None:
    traffic = exchange.traffic
    await exchange.submit(traffic.order(1, BUY, 95, 7))
    async with listen(exchange) as listener:
        answer = await listener.ask(op="subscribe", channel="book", market="M1-PERP", id=5)
        assert (answer["channel"], answer["data"]["id"]) == ("subscribed", 5)
        book: dict[str, dict[int, str]] = {"bids": {}, "asks": {}}
        first = (await listener.next("book"))["data"]
        assert first["kind"] == "snapshot" and [level["price"] for level in first["bids"]] == [95]
        add_up(book, first)
        for number in range(30):
            await exchange.submit(traffic.order(1 + number % 3, number % 2, 90 + number % 20, 1 + number % 4))
        await exchange.submit(traffic.cancel_all(1))
        sequence = first["sequence"]
        _, shown = await exchange.get("/v1/book/1?depth=100")
        final = {side: {level["price"]: level["size"] for level in shown[side]} for side in ("bids", "asks")}
        while book != final:
            update = (await listener.next("book"))["data"]
            sequence += 1
            assert (update["kind"], update["sequence"]) == ("delta", sequence)
            add_up(book, update)
        best = await listener.ask(op="subscribe", channel="best", market=1)
        assert best["channel"] == "subscribed"
        await exchange.submit(traffic.order(3, BUY, min(final["asks"], default=109) - 1, 1))
        while (await listener.next("best"))["data"]["bid"]["price"] != min(final["asks"], default=109) - 1:
            pass


async def test_trades_go_on_behind_a_cursor_without_a_gap(exchange: Running) -> None:
    await trade(exchange, 99, 100, 101)
    async with listen(exchange) as listener:
        await listener.ask(op="subscribe", channel="trades", market=1, after=0)
        seen = [await listener.next("trades") for _ in range(3)]
        cursor = seen[0]["cursor"]
    await trade(exchange, 98, 97)
    async with listen(exchange) as listener:
        asking = asyncio.create_task(trade(exchange, 96, 95, 94))  # while the others are on their way
        await listener.ask(op="subscribe", channel="trades", market=1, after=cursor)
        again = [await listener.next("trades") for _ in range(7)]
        await asking
        assert [message["cursor"] for message in again] == list(range(cursor + 1, cursor + 8))
        assert [message["data"]["price"] for message in again] == [100, 101, 98, 97, 96, 95, 94]
        assert again[0]["data"] == seen[1]["data"]
        candle = await listener.ask(op="subscribe", channel="candles", market=1, interval="1m")
        assert candle["data"]["topic"] == {"market": 1, "interval": "1m"}
        await trade(exchange, 93)
        assert (await listener.next("candles"))["data"]["candle"]["close"] == 93


async def test_what_is_not_in_memory_any_more_comes_from_the_history(
    historic: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trade(historic, 99, 100, 101, 102)
    last = (await historic.get("/v1/fills"))[1]["fills"][-1]["fill"]

    async def is_kept() -> bool:
        return len((await historic.get("/v1/history/trades/1"))[1].get("trades", [])) == 4

    await until(is_kept)
    while len(historic.sequencer.exchange.fills) > 1:
        historic.sequencer.exchange.fills.popleft()
    monkeypatch.setattr(session, "_PAGE", 2)
    async with listen(historic) as listener:
        for channel, name in (("trades", "market"), ("account_fills", "account")):
            await listener.ask(op="subscribe", channel=channel, after=0, **{name: 1})
            assert [(await listener.next(channel))["cursor"] for _ in range(4)] == list(range(last - 3, last + 1))
        await trade(historic, 103)
        assert (await listener.next("trades"))["cursor"] == last + 1


async def test_an_account_hears_of_its_records_fills_and_money(exchange: Running) -> None:
    async with listen(exchange) as listener:
        for channel in ("account", "account_fills", "account_records"):
            await listener.ask(op="subscribe", channel=channel, account=2)
        await exchange.submit(exchange.traffic.order(1, SELL, 101, 5))
        _, taken = await exchange.submit(exchange.traffic.order(2, BUY, 101, 5))
        del taken["receipts"]
        told = [await listener.next("account_fills", "account_records") for _ in range(2)]
        assert {message["channel"] for message in told} == {"account_fills", "account_records"}
        assert taken in [message["data"] for message in told] and taken["fills"][0] in [each["data"] for each in told]
        while not (state := (await listener.next("account"))["data"])["positions"]:
            pass
        assert state["positions"][0]["size"] == "5"
        await listener.ask(op="unsubscribe", channel="account", account="2")
        assert (await listener.next("heartbeat"))["topic"] == {}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"op": "subscribe"}, "missing_field"),
        ({"op": "dance", "channel": "book"}, "missing_field"),
        ({"op": "subscribe", "channel": "heartbeat"}, "missing_field"),
        ({"op": "subscribe", "channel": "book"}, "missing_field"),
        ({"op": "subscribe", "channel": "book", "market": "ETH-PERP"}, "not_found"),
        ({"op": "subscribe", "channel": "book", "market": 1, "after": 3}, "missing_field"),
        ({"op": "subscribe", "channel": "account", "account": 99}, "not_found"),
        ({"op": "subscribe", "channel": "candles", "market": 1, "interval": "2m"}, "missing_field"),
        ({"op": "subscribe", "channel": "trades", "market": 1, "after": "x"}, "missing_field"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused_and_the_connection_goes_on(
    exchange: Running, message: dict[str, Any], reason: str
) -> None:
    async with listen(exchange) as listener:
        answer = await listener.ask(**message, id="mine")
        assert (answer["channel"], answer["data"]["reason"], answer["data"]["id"]) == ("refused", reason, "mine")
        assert (await listener.ask(op="subscribe", channel="trades", market=1))["channel"] == "subscribed"
        assert (await listener.ask(op="subscribe", channel="trades", market=1))["channel"] == "refused"


async def test_who_does_not_read_is_cut_off_and_nobody_else(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.operator.api.streams.topics.BACKLOG", -1)
    async with listen(exchange) as slow:
        await slow.socket.send_json({"op": "subscribe", "channel": "trades", "market": 1})
        message = await slow.socket.receive(timeout=10)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await slow.socket.receive(timeout=10)
        assert slow.socket.close_code == 1013
    monkeypatch.setattr("setoff.operator.api.streams.topics.BACKLOG", 1 << 20)
    async with listen(exchange) as other:
        assert (await other.ask(op="subscribe", channel="trades", market=1))["channel"] == "subscribed"


async def test_a_process_of_the_api_streams_the_same(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, api_processes=1) as running:
        await open_market(running)
        await trade(running, 99)
        async with listen(running) as listener:
            await listener.ask(op="subscribe", channel="account", account=1)
            await listener.ask(op="subscribe", channel="trades", market=1, after=0)
            selling = asyncio.create_task(trade(running, 100, 101, 102))
            cursors, size = [], ""
            while len(cursors) < 4 or size != "-8":
                message = await listener.next("trades", "account")
                if message["channel"] == "trades":
                    cursors.append(message["cursor"])
                else:
                    size = message["data"]["positions"][0]["size"]
            await selling
            assert cursors == [1, 2, 3, 4]


async def test_the_client_goes_on_by_itself_where_it_was(exchange: Running) -> None:
    async with exchange.trader(2) as client:
        trades = client.subscribe("trades", market="M1-PERP")
        fills = client.subscribe("account_fills")
        waiting = [asyncio.create_task(anext(stream)) for stream in (trades, fills)]  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        await trade(exchange, 99)
        seen = [[message["cursor"]] for message in await asyncio.gather(*waiting)]
        exchange.sequencer._announcer.restart()  # every connection ends
        await trade(exchange, 100, 101)
        for cursors, stream in zip(seen, (trades, fills), strict=True):
            cursors += [(await anext(stream))["cursor"] for _ in range(2)]
            assert cursors == list(range(cursors[0], cursors[0] + 3))
        with pytest.raises(Refusal, match="there is no market ETH-PERP"):
            await anext(client.subscribe("book", market="ETH-PERP"))
        with pytest.raises(Refusal, match="there is no channel secrets"):
            await anext(client.stream(["secrets"]))
    async with SetoffClient("http://127.0.0.1:9") as nobody:
        with pytest.raises(Unavailable):
            await anext(nobody.subscribe("trades", market=1, patience=0.0))
        with pytest.raises(Unavailable):
            await anext(nobody.stream())
