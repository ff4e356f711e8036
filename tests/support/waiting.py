"""Waiting, on the wall's clock, for what other processes, threads and tasks bring about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

SECONDS = 60.0
PAUSE = 0.05


def wait_until(
    holds: Callable[[], object],
    seconds: float = SECONDS,
    *,
    what: object = "that did not come true",
    meanwhile: Callable[[], object] = lambda: None,
    pause: float = PAUSE,
) -> Any:
    """Ask until the answer is a true one; returns it.

    `meanwhile` is done after every other answer. If that takes too long, `what` is raised, or what it says if called.
    """
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        meanwhile()
        time.sleep(pause)
    return answer


async def until(
    holds: Callable[[], object] | Callable[[], Awaitable[object]],
    what: object = "that did not come true",
    seconds: float = SECONDS,
    *,
    pause: float = 0.02,
) -> Any:
    """The same among tasks: the question may be one to await."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < deadline, what() if callable(what) else what
        await asyncio.sleep(pause)
