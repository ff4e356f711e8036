"""Large answers, sent piece by piece from wherever they are kept, to a few at a time, each of whom has to take his
piece in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NamedTuple

from aiohttp import web

from setoff.shared.errors import InputError, StateError

CHUNK: Final = 1 << 18
"""Bytes that are read from the store, and sent, at a time."""

AT_ONCE: Final = 2
"""Parcels that a counter sends at the same time; who comes then is told to come again."""

PATIENCE: Final = 10.0
"""Seconds in which a chunk has to be taken."""

LONGEST: Final = 300.0
"""Seconds after which a transfer is broken off."""

Sending = Callable[[], Coroutine[Any, Any, web.StreamResponse]]
Spend = Callable[[web.Request, Sending], Awaitable[web.StreamResponse]]


class Parcel(NamedTuple):
    """What is sent, and how it is called."""

    name: str
    measure: Callable[[], int]
    """Its bytes, 0 if it is not here. Called beside the event loop."""
    read: Callable[[int, int], bytes]
    """So many bytes from there on, fewer where it has gone meanwhile. Called beside the event loop."""


LASTING: Final = "public, max-age=3600, immutable"
"""What caches may do with a parcel whose path has its hash."""


async def do_at_once(_: web.Request, work: Sending) -> web.StreamResponse:
    """Whoever it is for."""
    return await work()


class Counter:
    """Where parcels of one kind are handed out."""

    def __init__(self, what: str, spend: Spend = do_at_once, caching: str = LASTING) -> None:
        """`what`: they are called, several of them. `spend`: does the work of a request within what its client may
        spend; may raise StateError("overloaded"). `caching`: what caches may do with them."""
        self._what = what
        self._spend = spend
        self._caching = caching
        self._serving = 0

    async def give(self, request: web.Request, parcel: Parcel) -> web.StreamResponse:
        """Send it. Raises InputError("not_found") if it is not here, StateError("overloaded") while others are sent."""
        if self._serving >= AT_ONCE:
            raise StateError("overloaded", f"other {self._what} are being sent; try again")
        self._serving += 1
        try:
            async with asyncio.timeout(LONGEST):
                return await self._spend(request, lambda: self._send(request, parcel))
        except TimeoutError:
            raise ConnectionResetError(f"{parcel.name} was taken too slowly") from None
        finally:
            self._serving -= 1

    async def _send(self, request: web.Request, parcel: Parcel) -> web.StreamResponse:
        size = await asyncio.to_thread(parcel.measure)
        if not size:
            raise InputError("not_found", f"{parcel.name} is not here")
        answer = web.StreamResponse(headers={"Cache-Control": self._caching})
        answer.content_type, answer.content_length = "application/octet-stream", size
        await answer.prepare(request)
        for at in range(0, size, CHUNK):
            length = min(CHUNK, size - at)
            chunk = await asyncio.to_thread(parcel.read, at, length)
            if len(chunk) < length:
                raise ConnectionResetError(f"{parcel.name} is gone while it was sent")
            async with asyncio.timeout(PATIENCE):
                await answer.write(chunk)
        await answer.write_eof()
        return answer
