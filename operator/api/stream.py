"""What happens, pushed as it happens."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from setoff.operator.api.feed import CHANNELS, Feed
from setoff.shared.errors import InputError

HEARTBEAT_SECONDS: Final = 20.0
"""Between pings."""
TRY_AGAIN_LATER: Final = 1013
"""The code with which a socket is closed."""


class StreamHandlers:
    """Lets WebSockets listen to a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.get("/ws", self.listen)]

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Push what happens on the channels asked for; a listener that falls behind is closed."""
        names = request.query.get("channels")
        channels = frozenset(names.split(",")) if names is not None else CHANNELS
        if not channels <= CHANNELS:
            raise InputError("missing_field", f"channels are some of {', '.join(sorted(CHANNELS))}")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=1024, compress=False)
        await socket.prepare(request)
        with self._feed.subscribe(channels, request.transport) as subscription:
            waits = [asyncio.create_task(_drain(socket)), asyncio.create_task(subscription.ended.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        if not socket.closed:
            await socket.close(code=TRY_AGAIN_LATER, message=b"too slow, or the operator is stopping")
        return socket


async def _drain(socket: web.WebSocketResponse) -> None:
    """Read what a listener sends, which is nothing but its leave."""
    async for message in socket:
        if message.type in (WSMsgType.ERROR, WSMsgType.CLOSE):
            return
