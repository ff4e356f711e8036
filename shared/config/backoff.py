"""When to start again what has ended by itself: soon, and later and later if it keeps ending."""

from __future__ import annotations

import time
from typing import Final

FIRST, LAST = 0.5, 30.0
"""Seconds before it is started again; doubled each time."""

STEADY: Final = 60.0
"""Seconds of life after which something counts as healthy again."""


class Backoff:
    """Of one process. Times are monotonic."""

    def __init__(self) -> None:
        self.restarts = -1
        """Times that it was started, after the first one."""
        self.was_steady = False
        """Whether it had lived for long when it ended last."""
        self._pause = FIRST
        self._started_at = time.monotonic()
        self._due_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to start it."""
        return time.monotonic() >= self._due_at

    def has_started(self) -> None:
        """It runs."""
        self._started_at = time.monotonic()
        self.restarts += 1

    def has_ended(self) -> float:
        """It does not run any more, or could not be started. Returns the seconds until it is to be started again."""
        self.was_steady = time.monotonic() - self._started_at > STEADY
        self._pause = FIRST if self.was_steady else min(2 * self._pause, LAST)
        self._due_at = time.monotonic() + self._pause
        return self._pause
