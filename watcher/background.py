"""Long work about one epoch in a thread of its own, so that whoever asks can go on with other epochs meanwhile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from typing import Any, Final, TypeVar, cast

from setoff.shared.errors import StateError
from setoff.shared.machine.epoch import EpochRun

T = TypeVar("T")

ANSWERS: Final = 256
"""Answers kept. One that was pushed out is computed again."""


class Background:
    """An epoch's run that answers questions one by one; what was asked once is known from then on."""

    def __init__(self, make: Callable[[], EpochRun], wait: float | None) -> None:
        """`make` gives the run, in the thread; `wait`: seconds to wait for an answer, None: as long as it takes."""
        self._make = make
        self._wait = wait
        self._run: EpochRun | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="epoch")
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def ask(self, name: Hashable, question: Callable[[EpochRun], T]) -> T:
        """The answer to `question`, which `name` tells from every other.

        Raises StateError("not_ready") while it is worked on, and whatever the question raised, once: then it is asked
        anew.
        """
        future = self._answers.pop(name, None)
        if future is None:
            future = self._pool.submit(self._answer, question)
        self._answers[name] = future
        while len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)
        try:
            return cast(T, future.result(self._wait))
        except NotDone:
            if future.done():
                del self._answers[name]
                raise
            raise StateError("not_ready", "the history is being built") from None
        except BaseException:
            self._answers.pop(name, None)
            raise

    def close(self) -> None:
        """Answer nothing more; what is being worked on ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[[EpochRun], T]) -> T:
        if self._run is None:
            self._run = self._make()
        return question(self._run)
