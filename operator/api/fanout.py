"""The same for many: what a round has to tell is made into bytes once, and written to so many listeners at a time.

Whoever unpacks what is packed (`permessage-deflate`) gets a tenth of the bytes. A round is packed once for all, too:
its packer begins with nothing, so that whoever has this round can unpack it, whatever he has heard before.

Rounds take a part of the time, the system's writing included: many listeners make them rarer, and nothing else slower.
Between two handfuls of listeners all others have their turn.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from aiohttp import web

from setoff.operator.api.line import PACKED, TEXT, make_frame

LONGEST: Final = 1.0
"""Seconds between two rounds at most."""
HANDFUL: Final = 32
"""Listeners that are written to in a row."""
_LEVEL: Final = 3
_WINDOW: Final = 15
"""Bits of the packer's memory: what every client has that does not say otherwise."""
_FLUSHED: Final = len(b"\x00\x00\xff\xff")
"""The end of what was flushed, which `permessage-deflate` leaves out."""


class Segment:
    """The messages of a round, in their order, as frames; made when somebody wants them."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        """Each is JSON."""
        self._messages = messages
        self._plain = b""
        self._packed = b""

    def get(self, is_packed: bool) -> bytes:
        """The frames, the same bytes for everybody."""
        if is_packed:
            self._packed = self._packed or b"".join(_pack(self._messages))
            return self._packed
        self._plain = self._plain or b"".join([make_frame(TEXT, message) for message in self._messages])
        return self._plain


def _pack(messages: Iterable[bytes]) -> Iterable[bytes]:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -_WINDOW)
    for message in messages:
        packed = packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield make_frame(PACKED, packed[:-_FLUSHED])


def is_packed(request: web.Request, socket: web.WebSocketResponse) -> bool:
    """Whether a client, whose WebSocket is prepared, takes packed frames as they are made here: it has agreed to them,
    keeps what it has unpacked, and enough of it."""
    asked = request.headers.get("Sec-WebSocket-Extensions", "")
    return int(socket.compress) == _WINDOW and "server_no_context_takeover" not in asked


class Pacer:
    """When rounds may be. `go_round` is one: it yields where others may have a turn."""

    def __init__(self, go_round: Callable[[], Iterable[None]], share: Callable[[], float]) -> None:
        """`share`: part of the time that rounds may take."""
        self._go_round = go_round
        self._share = share
        self._next = 0.0  # when the next round may be, monotonic seconds
        self._is_due = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to tell."""
        self._is_due = True
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def finish(self) -> None:
        """Tell what there is now, all of it."""
        for _ in self._go_round():
            pass

    async def _run(self) -> None:
        while self._is_due:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            self._is_due = False
            start = time.monotonic()
            for _ in self._go_round():
                await asyncio.sleep(0)  # the loop writes
            end = time.monotonic()
            self._next = end + min((end - start) / self._share(), LONGEST)
        self._task = None
