"""What a WebSocket is told, written in as few pieces as can be.

The frames of a server are the same bytes for everybody (nothing is masked, nothing compressed), so they are made here,
once, and go to the transport as they are; aiohttp writes its pings and its farewell between them.
"""

from __future__ import annotations

import asyncio
import json
import time
from struct import Struct
from typing import Any, Final

TEXT: Final = 0x81
BINARY: Final = 0x82
PACKED: Final = 0xC1
"""First bytes of whole frames."""
FULL: Final = 1 << 18
"""Bytes that a client may leave unread before it is read no further."""
DRAIN_SECONDS: Final = 20.0
"""For which it may go on so before it is cut off."""
_PAUSE: Final = 0.01
_SHORT: Final = Struct(">BB")
_MIDDLE: Final = Struct(">BBH")
_LONG: Final = Struct(">BBQ")


def make_frame(kind: int, payload: bytes) -> bytes:
    """A whole frame, TEXT, BINARY or PACKED (text), of a server."""
    length = len(payload)
    if length < 126:
        return _SHORT.pack(kind, length) + payload
    if length < 1 << 16:
        return _MIDDLE.pack(kind, 126, length) + payload
    return _LONG.pack(kind, 127, length) + payload


class Line:
    """The way back to one client. What is sent in one pass of the event loop is written once; after the end nothing."""

    def __init__(self, transport: asyncio.WriteTransport | None) -> None:
        self._transport = transport
        self._frames: list[bytes] = []

    @property
    def is_full(self) -> bool:
        """Whether the client has left too much unread."""
        return self._transport is not None and self._transport.get_write_buffer_size() > FULL

    def send(self, payload: bytes) -> None:
        """A binary frame."""
        self._send(make_frame(BINARY, payload))

    def send_json(self, message: dict[str, Any]) -> None:
        """A text frame."""
        self._send(make_frame(TEXT, json.dumps(message).encode()))

    def send_frames(self, frames: bytes) -> None:
        """Whole frames, made already."""
        self._send(frames)

    async def drain(self) -> None:
        """Until the client has read most of it; cuts it off if it does not."""
        until = time.monotonic() + DRAIN_SECONDS
        while self.is_full and self._transport is not None and not self._transport.is_closing():
            if time.monotonic() > until:
                self._transport.abort()
            await asyncio.sleep(_PAUSE)

    def close(self) -> None:
        """Write what is left, and no more after it."""
        self._flush()
        self._transport = None

    def _send(self, frame: bytes) -> None:
        if self._transport is None:
            return
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(frame)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if frames and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))
