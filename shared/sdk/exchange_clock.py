"""The exchange's time, as it tells it, for orders that are to be void soon: asked for once a minute."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

FRESH: Final = 60.0
"""Seconds for which what was told is counted on by this machine's clock."""


class ExchangeClock:
    """One for a client and its twins."""

    def __init__(self) -> None:
        self._asked_at = 0.0
        self._told: int | None = None

    async def now(self, ask: Callable[[], Awaitable[int]]) -> int:
        """Unix seconds; `ask`: what asks the exchange."""
        if self._told is None or time.monotonic() > self._asked_at + FRESH:
            self._told = await ask()
            self._asked_at = time.monotonic()
        return self._told + int(time.monotonic() - self._asked_at)

    def forget(self) -> None:
        """Ask again: the chain's clock has leapt, as those of development chains do."""
        self._told = None
