"""What reading may cost: a part of the processor's time, and of that a part a client. Who has used it up waits.

Time is counted as it was spent, so that cheap reads are hardly bounded and dear ones are, however they are asked for.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

from setoff.shared.errors import StateError

T = TypeVar("T")

SHARE: Final = 0.2
"""Part of the time for all reads."""
BURST: Final = 1.0
"""Seconds of work that may be saved up."""
CLIENT: Final = 2
"""One client gets this part of both."""
MAX_CLIENTS: Final = 10_000
"""Clients that are remembered; the oldest are forgotten."""


class _Account:
    """Seconds of work that may be done now: they come with time, and go with work."""

    __slots__ = ("_at", "_burst", "_left", "_share")

    def __init__(self, share: float, burst: float) -> None:
        self._share = share
        self._burst = burst
        self._left = burst
        self._at = time.monotonic()

    def find_wait(self) -> float:
        """Seconds until something may be done."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + self._share * (now - self._at))
        self._at = now
        return 0.0 if self._left > 0 else -self._left / self._share

    def charge(self, seconds: float) -> None:
        """That was done."""
        self._left -= seconds


class _Measured(Generic[T]):
    """Adds the processor's time of a coroutine's own steps to `spent`."""

    def __init__(self, work: Coroutine[Any, Any, T], spent: list[float]) -> None:
        self._work = work
        self._spent = spent

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        step: Callable[[], Any] = partial(next, steps)
        while True:
            start = time.thread_time()
            try:
                waits_for = step()
            except StopIteration as end:
                return cast(T, end.value)
            finally:
                self._spent[0] += time.thread_time() - start
            try:
                step = partial(steps.send, (yield waits_for))
            except BaseException as error:
                step = partial(steps.throw, error)


class ReadBudget:
    """For one service."""

    def __init__(self, share: float = SHARE, burst: float = BURST) -> None:
        self._share = share
        self._burst = burst
        self._all = _Account(share, burst)
        self._clients: OrderedDict[str, _Account] = OrderedDict()

    def check(self, client: str) -> None:
        """Raises StateError("overloaded") if reads have to wait, those of this client or all."""
        wait = max(self._all.find_wait(), self._get(client).find_wait())
        if wait > 0:
            text = f"reading has taken its part of the time: ask again in {wait:.1f} s, for less, or listen at /ws"
            raise StateError("overloaded", text)

    def charge(self, client: str, seconds: float) -> None:
        """Reading for this client has taken so long."""
        self._all.charge(seconds)
        self._get(client).charge(seconds)

    async def spend(self, client: str, work: Coroutine[Any, Any, T]) -> T:
        """Await what reads for a client, and charge what it has taken itself: not what others do while it waits."""
        spent = [0.0]
        try:
            return await _Measured(work, spent)
        finally:
            self.charge(client, spent[0])

    def _get(self, client: str) -> _Account:
        account = self._clients.get(client)
        if account is None:
            account = self._clients[client] = _Account(self._share / CLIENT, self._burst / CLIENT)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        return account
