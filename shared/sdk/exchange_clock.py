"""The exchange's time, as it tells it, for orders that are to be void soon: asked for once a minute."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from setoff.shared.errors import DataError
from setoff.shared.monotonic import LONG_AGO

SKEW: Final = 300.0
"""Seconds that an exchange's clock may be from this machine's: L1's blocks come a little late, and count later."""
DEVELOPMENT: Final = 31337
"""The number of development chains, whose clock anybody sets."""
FRESH: Final = 60.0
"""Seconds for which what was told is counted on by this machine's clock."""


def check_clock(told: int, chain_id: int, skew: float) -> None:
    """Hold an exchange's time (unix seconds) against this machine's: by a clock that is ahead what was meant to be void
    soon would be good for long. Raises DataError."""
    off = told - time.time()
    if chain_id != DEVELOPMENT and abs(off) > skew:
        text = f"the exchange's clock is {off:.0f} s from this machine's: orders would not end when they should"
        raise DataError("data_mismatch", f"{text}. Set this machine's clock, or allow for more (clock_skew)")


class ExchangeClock:
    """One for a client and its twins."""

    def __init__(self) -> None:
        self._asked_at = LONG_AGO
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
