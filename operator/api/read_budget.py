"""What reading may cost: a part of the processor's time, and of that the same for each client who reads just now. Who
has used up what is his waits, whatever the others do.

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
FEWEST: Final = 2
"""Clients among whom both are divided, at least: one alone leaves something for whoever comes next."""
READING: Final = 10.0
"""Seconds after a read for which its client has a part."""
SPARE: Final = 2
"""All together may do so many times as much, before they wait for one another: clients by the thousand who come once,
each with the one read that everybody has."""
MAX_CLIENTS: Final = 10_000
"""Clients that are remembered; the oldest are forgotten."""


class _Account:
    """Seconds of work that may be done now: they come with time, and go with work."""

    __slots__ = ("_at", "_left")

    def __init__(self, burst: float) -> None:
        self._left = burst
        self._at = time.monotonic()

    def find_wait(self, share: float, burst: float) -> float:
        """Seconds until something may be done, where so many come in a second, and so many are saved up."""
        now = time.monotonic()
        self._left = min(burst, self._left + share * (now - self._at))
        self._at = now
        return 0.0 if self._left > 0 else -self._left / share

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
        self._all = _Account(SPARE * burst)
        self._clients: OrderedDict[str, _Account] = OrderedDict()
        self._reading: OrderedDict[str, float] = OrderedDict()  # when a client last read; in the order of it

    def check(self, client: str) -> None:
        """Raises StateError("overloaded") if this client's reads have to wait."""
        parts = self._count(client)
        wait = self._get(client, parts).find_wait(self._share / parts, self._burst / parts)
        wait = max(wait, self._all.find_wait(SPARE * self._share, SPARE * self._burst))
        if wait > 0:
            text = f"reading has taken its part of the time: ask again in {wait:.1f} s, for less, or listen at /ws"
            raise StateError("overloaded", text)

    def charge(self, client: str, seconds: float) -> None:
        """Reading for this client has taken so long."""
        self._all.charge(seconds)
        self._get(client, self._count(client)).charge(seconds)
        self._reading[client] = time.monotonic()
        self._reading.move_to_end(client)
        if len(self._reading) > MAX_CLIENTS:
            self._reading.popitem(last=False)

    async def spend(self, client: str, work: Coroutine[Any, Any, T]) -> T:
        """Await what reads for a client, and charge what it has taken itself: not what others do while it waits."""
        spent = [0.0]
        try:
            return await _Measured(work, spent)
        finally:
            self.charge(client, spent[0])

    def _count(self, client: str) -> int:
        """The clients who read just now, this one among them."""
        first = time.monotonic() - READING
        while self._reading and next(iter(self._reading.values())) < first:
            self._reading.popitem(last=False)
        return max(FEWEST, len(self._reading) + (client not in self._reading))

    def _get(self, client: str, parts: int) -> _Account:
        account = self._clients.get(client)
        if account is None:
            account = self._clients[client] = _Account(self._burst / parts)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        return account
