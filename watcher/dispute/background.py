"""Long work about epochs in other threads, so that whoever asks can go on with other epochs meanwhile.

What an epoch is asked first builds its history, which uses all cores: these questions are answered one after the other,
in the order in which they were asked, so that the first is not late for the sake of the last. An epoch whose history is
there answers at once, in a thread of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any, Final, NoReturn, TypeVar, cast

from setoff.shared.dispute.trace_provider import TraceProvider
from setoff.shared.errors import StateError
from setoff.watcher.dispute.epoch_record import Unsound

T = TypeVar("T")

Run = TraceProvider
"""A history that was built: all of its answers are at hand."""

ANSWERS: Final = 256
"""Answers kept. One that was pushed out is computed again."""


class Background:
    """An epoch's run that answers questions one by one; what was asked once is known from then on."""

    def __init__(
        self,
        make: Callable[[], Run],
        patience: float | None,
        builder: Executor,
        distrust: Callable[[Unsound], NoReturn] | None = None,
    ) -> None:
        """`make` gives the run; `patience`: seconds to wait for an answer, None: as long as it takes; `builder`: the
        one thread that all epochs share for what they are asked first; `distrust` hears of a run that contradicts
        itself, which is then made anew, and raises."""
        self._make = make
        self._distrust = distrust
        self._builder = builder
        self._patience = patience
        self._run: Run | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="epoch")
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def ask(self, name: Hashable, question: Callable[[Run], T]) -> T:
        """The answer to `question`, which `name` tells from every other.

        Raises StateError("not_ready") while it is worked on, and whatever the question raised, once: then it is asked
        anew. Only the first time it is waited for: rounds do not get slower with the number of histories to come.
        """
        future = self._answers.pop(name, None)
        patience = self._patience if future is None or self._patience is None else 0.0
        if future is None:
            pool = self._builder if self._run is None else self._pool
            future = pool.submit(self._answer, question)
        self._answers[name] = future
        while len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)
        if not wait([future], patience).done:
            raise StateError("not_ready", "the history is being built")
        try:
            return cast(T, future.result())
        except BaseException:
            self._answers.pop(name, None)
            raise

    @property
    def is_busy(self) -> bool:
        """Whether something is still worked on, or waits for its turn."""
        return not all(future.done() for future in self._answers.values())

    def close(self) -> None:
        """Answer nothing more; what is being worked on ends by itself."""
        for future in self._answers.values():
            future.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[[Run], T]) -> T:
        run = self._run or self._make()
        try:
            answer = question(run)
        except OSError as error:  # its files cannot be read now: the other games go on
            self._run = None
            raise StateError("not_ready", str(error)) from None
        except Unsound as error:
            self._run = None
            if self._distrust is None:
                raise
            self._distrust(error)
        self._run = run  # only now is its history there
        return answer
