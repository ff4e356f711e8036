"""What happens, pushed as it happens."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from setoff.operator.api.fanout import is_packed
from setoff.operator.api.feed import Feed
from setoff.operator.api.routes import Handlers
from setoff.operator.api.sockets import check_socket
from setoff.shared.errors import InputError
from setoff.shared.wire.api.channels import CHANNELS

HEARTBEAT_SECONDS: Final = 20.0
"""Between pings."""
TRY_AGAIN_LATER: Final = 1013
"""The code with which a socket is closed."""


class StreamHandlers:
    """Lets WebSockets listen to a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def handlers(self) -> Handlers:
        """By operation."""
        return {"listen": self.listen}

    async def listen(self, request: web.Request, channels: str | None) -> web.WebSocketResponse:
        """Push what happens on the channels asked for; a listener that falls behind is closed."""
        asked = frozenset(channels.split(",")) if channels is not None else CHANNELS.keys()
        if not asked <= CHANNELS.keys():
            raise InputError("missing_field", f"channels are some of {', '.join(sorted(CHANNELS))}")
        check_socket(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=1024)
        await socket.prepare(request)
        with self._feed.subscribe(frozenset(asked), request.transport, is_packed(request, socket)) as subscription:
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
