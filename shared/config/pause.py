"""How long something that failed is left alone: the longer, the more often it failed."""

from __future__ import annotations

import time


class Pause:
    """Of one thing. Doubles with every failure."""

    def __init__(self, first: float, longest: float) -> None:
        """Seconds."""
        self._next, self._longest = first, longest
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it is time to try again."""
        return time.monotonic() >= self._until

    def begin(self, longest: float | None = None) -> None:
        """It failed; `longest` where this failure may soon be gone."""
        self._until = time.monotonic() + self._next
        self._next = min(2 * self._next, self._longest if longest is None else longest)
