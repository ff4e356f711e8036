"""Work in pieces on an event loop, for no more than a part of the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Final, TypeVar

T = TypeVar("T")

SHARE: Final = 0.1
"""Of the time."""


async def do_in_pieces(work: Generator[None, None, T], share: float = SHARE) -> T:
    """What `work` returns. After each of its pieces all else has its turn, and so much time passes that the work has
    had no more than its share."""
    while True:
        start = time.thread_time()
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            spent = time.thread_time() - start
        await asyncio.sleep(spent * (1 / share - 1))
