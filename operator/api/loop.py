"""The event loop of the operator's processes: libuv's, which does the same work for less."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import uvloop

T = TypeVar("T")

COLLECTED: Final = (10_000, 20, 100)
"""New objects from which on cycles among them are looked for, and how often among older ones. With Python's own figures
a process that has many objects, and makes many that live for milliseconds, is at it for a sixth of its time."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    gc.set_threshold(*COLLECTED)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
