"""L1's time between its blocks, by which reports are dated.

The latest block's time is some seconds old, and on a development chain may be hours ahead of the wall's clock. So what
counts is how far blocks are ahead of the wall's clock when they are seen: the freshest of the last ones says it best.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final

KEPT: Final = 60.0
"""Seconds for which what was seen counts."""


class ChainClock:
    """Until a block was seen it is the wall's clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # monotonic time, seconds ahead of the wall

    def see(self, timestamp: int) -> None:
        """The latest block has this time (unix seconds)."""
        now = time.monotonic()
        while self._seen and self._seen[0][0] < now - KEPT:
            self._seen.popleft()
        self._seen.append((now, timestamp - time.time()))

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time() + max((ahead for _, ahead in self._seen), default=0.0))
