"""An exchange in front of a real one, whose stream is busy: all else is passed on, but what is pushed is made up here,
so many updates a second of a book and its trades, with true checksums."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

from aiohttp import ClientSession, WSMsgType, web

from setoff.shared.wire.book_checksums import compute_checksum

MIDDLE: Final = 78_000
DEPTH: Final = 30
"""Levels of a side."""
TICK: Final = 0.01
"""Seconds between two bursts."""
MARKET: Final = {"market": 1}
_PASSED: Final = ("accept", "content-type")


class BusyStream:
    """Pushes `rate` updates a second, half of them trades and half changes of the book."""

    def __init__(self, upstream: str, rate: int) -> None:
        self._upstream = upstream
        self._rate = rate
        self._random = Random(1)
        self._bids = {MIDDLE - 1 - at: 1000 + at for at in range(DEPTH)}
        self._asks = {MIDDLE + 1 + at: 1000 + at for at in range(DEPTH)}
        self._sequence = itertools.count(1)
        self._fills = itertools.count(1_000_000)
        self.pushed = 0

    async def pass_on(self, request: web.Request) -> web.Response:
        """What the real exchange answers."""
        session: ClientSession = request.app[SESSION]
        headers = {name: value for name, value in request.headers.items() if name.lower() in _PASSED}
        body = await request.read()
        url = self._upstream + request.path_qs
        async with session.request(request.method, url, data=body or None, headers=headers) as answer:
            kept = {"Content-Security-Policy": answer.headers.get("Content-Security-Policy", "default-src 'self'")}
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type, headers=kept
            )

    async def push(self, request: web.Request) -> web.WebSocketResponse:
        """The stream: a snapshot to whoever subscribes to the book, then updates for ever."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        pushing: asyncio.Task[None] | None = None
        async for message in socket:
            asked = json.loads(message.data) if message.type == WSMsgType.TEXT else {}
            if asked.get("op") == "subscribe" and asked.get("channel") == "book":
                await self._send(socket, "book", self._tell_book("snapshot", self._bids, self._asks))
                pushing = pushing or asyncio.create_task(self._push(socket))
        if pushing:
            pushing.cancel()
        return socket

    async def _push(self, socket: web.WebSocketResponse) -> None:
        begin, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begin) * self._rate)
            for _ in range(sent, due):
                await self._push_one(socket)
            sent = due
            await asyncio.sleep(TICK)

    async def _push_one(self, socket: web.WebSocketResponse) -> None:
        self.pushed += 1
        if self.pushed % 2:
            await self._send(socket, "trades", self._make_trade())
            return
        side = self._random.choice((self._bids, self._asks))
        price = self._random.choice(list(side))
        side[price] = self._random.randrange(1, 5000)
        changed = {price: side[price]}
        bids, asks = (changed, {}) if side is self._bids else ({}, changed)
        await self._send(socket, "book", self._tell_book("delta", bids, asks))

    def _make_trade(self) -> dict[str, Any]:
        price, size = MIDDLE + self._random.randrange(-3, 4), self._random.randrange(1, 900)
        return {
            "fill": next(self._fills), "batch": 1, "time": int(time.time()), "time_ms": int(time.time() * 1000),
            "kind": "trade", "market": 1, "symbol": "BTC-PERP", "side": self._random.choice(("buy", "sell")),
            "price": price, "size": str(size), "value": str(size * price), "decimal": {},
        }  # fmt: skip

    def _tell_book(self, kind: str, bids: dict[int, int], asks: dict[int, int]) -> dict[str, Any]:
        best = sorted(self._bids.items(), reverse=True), sorted(self._asks.items())
        return {
            "market": 1, "symbol": "BTC-PERP", "kind": kind, "sequence": next(self._sequence),
            "checksum": compute_checksum(*best), "time": int(time.time()), "time_ms": int(time.time() * 1000),
            "bids": [_show(level) for level in bids.items()], "asks": [_show(level) for level in asks.items()],
        }  # fmt: skip

    async def _send(self, socket: web.WebSocketResponse, channel: str, data: dict[str, Any]) -> None:
        await socket.send_json({"channel": channel, "topic": MARKET, "cursor": None, "data": data})


SESSION: Final = web.AppKey("session", ClientSession)


def _show(level: tuple[int, int]) -> dict[str, Any]:
    price, size = level
    return {"price": price, "size": str(size), "decimal": {}}


@asynccontextmanager
async def open_busy_stream(upstream: str, rate: int) -> AsyncIterator[str]:
    """Its address."""
    stream = BusyStream(upstream, rate)
    app = web.Application()
    app.add_routes([web.get("/v1/stream", stream.push), web.route("*", "/{path:.*}", stream.pass_on)])
    async with ClientSession() as session:
        app[SESSION] = session
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()
