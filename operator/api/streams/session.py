"""One client of `/v1/stream`: what it subscribes to, from where on, and how its connection ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import WSMsgType, web

from setoff.operator.api.clients import get_client
from setoff.operator.api.fanout import is_packed
from setoff.operator.api.lookup import find_account, find_market
from setoff.operator.api.reader import Reader
from setoff.operator.api.routes import Handlers
from setoff.operator.api.sockets import check_socket
from setoff.operator.api.stream import HEARTBEAT_SECONDS, TRY_AGAIN_LATER
from setoff.operator.api.streams.news import News
from setoff.operator.api.streams.rounds import Rounds
from setoff.operator.api.streams.topics import Client, Topic, Topics, make_message
from setoff.operator.api.views.history_views import show_past_fill, show_trade
from setoff.operator.api.views.record_views import MS, show_fill, show_traded
from setoff.operator.api.views.scales import Scales
from setoff.operator.history.candles import INTERVALS
from setoff.operator.history.ledger import BOOK
from setoff.operator.history.queries import History, Span
from setoff.operator.history.rows import Candle
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.wire.api.channels import TOPICS
from setoff.shared.wire.api.parameters import ACCOUNT, LARGE, MARKET, Parameter
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.refusals import show_error

BEAT_SECONDS: Final = 5.0
"""Between two heartbeats."""
MAX_TOPICS: Final = 100
"""Of one connection."""
MAX_MESSAGE: Final = 4096
"""Bytes of a client's message."""
MAX_MISSED: Final = 10_000
"""Fills that a subscription may go back."""
_PAGE: Final = 1000

_FORMS: Final = {
    "market": Parameter("market", MARKET, ""),
    "account": Parameter("account", ACCOUNT, ""),
    "after": Parameter("after", LARGE, ""),
}


class SessionHandlers:
    """Lets WebSockets subscribe to what happens at one exchange."""

    def __init__(
        self, reader: Reader, scales: Scales, topics: Topics, news: News, rounds: Rounds, history: History
    ) -> None:
        self._reader = reader
        self._scales = scales
        self._topics = topics
        self._news = news
        self._rounds = rounds
        self._history = history

    def handlers(self) -> Handlers:
        """By operation."""
        return {"stream": self.serve}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, until its end."""
        check_socket(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)
        client = Client(request.transport, is_packed(request, socket))
        waits = [
            asyncio.create_task(self._listen(socket, client, get_client(request))),
            asyncio.create_task(self._beat(client)),
            asyncio.create_task(client.ended.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._topics.remove(client, client.topics)
            for wait in waits:
                wait.cancel()
        if not socket.closed:
            await socket.close(
                code=TRY_AGAIN_LATER, message=b"too slow, or begin anew: subscribe again after the cursor"
            )
        return socket

    async def _listen(self, socket: web.WebSocketResponse, client: Client, address: str) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            wanted: dict[str, Any] = {}
            try:
                self._reader.budget.check(address)
                wanted = parse_json(message.data.encode())
                await self._reader.budget.spend(address, self._obey(client, wanted))
            except SetoffError as error:
                refusal = show_error(error) | {"id": wanted.get("id")}
                client.send(make_message("refused", Topic(""), None, refusal))

    async def _beat(self, client: Client) -> None:
        while True:
            data = {"time_ms": time.time_ns() // 10**6, "l1_time_ms": self._reader.l1_time * MS}
            client.send(make_message("heartbeat", Topic(""), None, data))
            await asyncio.sleep(BEAT_SECONDS)

    async def _obey(self, client: Client, wanted: dict[str, Any]) -> None:
        """Do what a message asks for. Raises InputError and StateError."""
        asked = wanted.get("op")
        if asked not in ("subscribe", "unsubscribe"):
            raise InputError("missing_field", "'op' is subscribe or unsubscribe")
        topic = await self._find_topic(wanted)
        data = {"channel": topic.channel, "topic": topic.to_json(), "id": wanted.get("id")}
        if asked == "unsubscribe":
            self._topics.remove(client, [topic])
            client.send(make_message("unsubscribed", topic, None, data))
            return
        if topic in client.topics:
            raise InputError("missing_field", "that is subscribed to already: unsubscribe first to begin anew")
        if len(client.topics) >= MAX_TOPICS:
            raise InputError("missing_field", f"a connection has {MAX_TOPICS} subscriptions at most: open another one")
        after = _read(wanted, "after")
        if after is not None and not TOPICS[topic.channel].has_cursor:
            raise InputError("missing_field", f"{topic.channel} begins with all that there is: it has no 'after'")
        if after is None and TOPICS[topic.channel].has_cursor:
            after = (await self._reader.read()).cursor.fills
        self._topics.add(client, topic)
        try:
            first, reached = await self._begin(topic, after)
        except BaseException:
            self._topics.remove(client, [topic])
            raise
        for message in (make_message("subscribed", topic, after, data), *first):
            client.send(message)
        self._topics.release(client, topic, reached)

    async def _begin(self, topic: Topic, after: int | None) -> tuple[list[bytes], int]:
        """What a subscription begins with, and the cursor up to which that goes."""
        if topic.channel == "book":
            return [await self._rounds.show_book(topic.market)], 0
        if topic.channel == "best":
            return [await self._rounds.show_best(topic.market)], 0
        if topic.channel == "account":
            return [await self._rounds.show_account(topic.account)], 0
        if topic.channel == "candles":
            await self._begin_candle(topic)
        if after is None:
            return [], -1
        return await self._find_missed(topic, after)

    async def _begin_candle(self, topic: Topic) -> None:
        """Trades from before are in it, too."""
        seconds = INTERVALS[topic.interval]
        try:
            rows = await asyncio.to_thread(self._history.candles, topic.market, seconds, 0, 2**53, 1)
        except SetoffError:
            return
        for row in rows:
            shape = row["open"], row["high"], row["low"], row["close"], row["volume"], int(row["value"])
            self._news.begin_candle(topic, row["start"], Candle(*shape, row["trades"]))

    async def _find_missed(self, topic: Topic, after: int) -> tuple[list[bytes], int]:
        """All behind a cursor: of the fills in memory, and before them of the history."""
        exchange = await self._reader.read()
        kept = [numbered for numbered in exchange.fills if numbered.number > after]
        frames: list[bytes] = []
        reached, oldest = after, kept[0].number if kept else exchange.cursor.fills + 1
        if oldest > after + 1:
            frames, reached = await self._read_history(topic, after, oldest)
        for numbered in kept:
            trade = numbered.fill
            if topic.channel == "trades" and trade.market == topic.market and trade.kind in BOOK:
                frames.append(make_message("trades", topic, numbered.number, show_traded(self._scales, numbered)))
            elif topic.channel == "account_fills" and topic.account in (trade.taker, trade.maker):
                frames.append(make_message(topic.channel, topic, numbered.number, show_fill(self._scales, numbered)))
            reached = numbered.number
        return frames, reached

    async def _read_history(self, topic: Topic, after: int, end: int) -> tuple[list[bytes], int]:
        """Fills behind a cursor and before number `end`. Raises InputError where they are too many."""
        read: Callable[[int, Span], list[dict[str, Any]]] = self._history.fills
        subject, show = topic.account, show_past_fill
        if topic.channel == "trades":
            read, subject, show = self._history.trades, topic.market, show_trade
        frames: list[bytes] = []
        while len(frames) <= MAX_MISSED:
            rows = await asyncio.to_thread(read, subject, Span(None, after, _PAGE))
            for row in rows:
                if row["fill"] < end:
                    frames.append(make_message(topic.channel, topic, row["fill"], show(self._scales, row)))
            if len(rows) < _PAGE or rows[-1]["fill"] >= end:
                return frames, end - 1
            after = rows[-1]["fill"]
        raise InputError("not_found", f"more than {MAX_MISSED} were missed: read them under /v1/history/ first")

    async def _find_topic(self, wanted: dict[str, Any]) -> Topic:
        name = wanted.get("channel")
        known = TOPICS.get(name) if isinstance(name, str) else None
        names = [topic.name for topic in TOPICS.values() if topic.names]
        if known is None or not known.names:
            raise InputError("missing_field", f"'channel' is one of {', '.join(names)}")
        market = account = 0
        exchange = await self._reader.read()
        if "market" in known.names:
            market = find_market(self._scales, exchange, str(_need(wanted, "market")))
        if "account" in known.names:
            account = find_account(exchange, str(_need(wanted, "account")))
        interval = wanted.get("interval", "1m") if "interval" in known.names else ""
        if interval and interval not in INTERVALS:
            raise InputError("missing_field", f"'interval' is one of {', '.join(INTERVALS)}")
        return Topic(known.name, market, account, interval)


def _need(wanted: dict[str, Any], name: str) -> int | str:
    value: int | str | None = _read(wanted, name)
    if value is None:
        raise InputError("missing_field", f"'{name}' is {_FORMS[name].form.about}")
    return value


def _read(wanted: dict[str, Any], name: str) -> Any:
    value = wanted.get(name)
    return None if value is None else _FORMS[name].read(str(value))
