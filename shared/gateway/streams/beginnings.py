"""Subscriptions that have not begun yet. A bot subscribes and sends an order at once, over another connection: what it
asks for waits until what was there before is known, so that the order is told as news."""

from __future__ import annotations

import asyncio
import time
from typing import Final

HOLD: Final = 2.0
"""Seconds for which others wait at most; an exchange that is away answers nothing then anyway."""


class Beginnings:
    """Those of all sockets."""

    def __init__(self) -> None:
        self._pending: dict[asyncio.Event, float] = {}

    def add(self) -> asyncio.Event:
        """One that begins: set the event once it has, or will not."""
        begun = asyncio.Event()
        self._pending[begun] = time.monotonic() + HOLD
        return begun

    async def wait(self) -> None:
        """Until those that are pending now have begun, or their time is over."""
        for begun, until in tuple(self._pending.items()):
            left = until - time.monotonic()
            if left > 0 and not begun.is_set():
                try:
                    async with asyncio.timeout(left):
                        await begun.wait()
                except TimeoutError:
                    pass
            self._pending.pop(begun, None)
