"""The line between the sequencer's process and one of the API's: lists of messages, as bytes, both ways.

Both ends are this program in one version, over a pair of sockets that nobody else has; so the bytes are Python's own
(`marshal`): tuples of numbers, bytes and text. What is sent in one pass of the event loop goes as one piece.
"""

from __future__ import annotations

import asyncio
import marshal
from collections.abc import Callable
from socket import socket as Socket
from struct import Struct
from typing import Any, Final, cast

Message = tuple[Any, ...]
FULL: Final = 1 << 21
"""Bytes that wait for the other end, from which on what can wait does."""
_LENGTH: Final = Struct(">Q")


class Channel(asyncio.Protocol):
    """One end. `take` gets each message in its order; `lost` is called once, when the other end is gone."""

    def __init__(self, take: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._take = take
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._pending: list[Message] = []

    @classmethod
    async def open(cls, socket: Socket, take: Callable[[Message], None], lost: Callable[[], None]) -> Channel:
        """The end that is this socket."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_connection(lambda: cls(take, lost), sock=socket)
        return channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        received = self._received
        received += data
        at = 0
        while len(received) - at >= _LENGTH.size:
            end = at + _LENGTH.size + _LENGTH.unpack_from(received, at)[0]
            if len(received) < end:
                break
            with memoryview(received) as view, view[at + _LENGTH.size : end] as body:
                messages = marshal.loads(body)
            at = end
            for message in messages:
                self._take(message)
        if at:
            del received[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self._lost()

    def send(self, *message: Any) -> None:
        """Send a message, its kind first; nothing happens once the other end is gone."""
        if self._transport is not None:
            if not self._pending:
                asyncio.get_running_loop().call_soon(self._flush)
            self._pending.append(message)

    @property
    def is_full(self) -> bool:
        """Whether the other end has left much unread."""
        return self._transport is not None and self._transport.get_write_buffer_size() > FULL

    def close(self) -> None:
        """End it, after all that was sent."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if pending and self._transport is not None:
            body = marshal.dumps(pending)
            self._transport.write(_LENGTH.pack(len(body)) + body)
