"""What the challenger knows: the epochs that the workers executed, and their histories when a dispute asks for them."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Final, NoReturn

from setoff.shared.config.pause import Pause
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.errors import ChainError, DataError, SetoffError, StateError
from setoff.watcher.dispute.background import Background, Run
from setoff.watcher.dispute.epoch_files import EpochFiles
from setoff.watcher.dispute.epoch_record import EpochRecord, Unsound, build
from setoff.watcher.execution.archive import Archive, EpochInputs
from setoff.watcher.execution.histories import Histories
from setoff.watcher.store import EpochResult

RUNS: Final = 64
"""Epochs whose histories are kept open: where their nodes are, and their inputs, some megabytes each. One that is
pushed out is opened again when a dispute comes back to it; none is while it is working."""

EPOCHS: Final = 4096
"""Epochs remembered with their few hashes."""

FIRST_PAUSE, LAST_PAUSE = 0.25, 5.0
"""Seconds for which an epoch is left alone after its run failed, once and again and again: what a node did not say just
now it may say at once, and the clock of the game runs."""


log = logging.getLogger(__name__)


class LazyTrace:
    """An executed epoch as the strategy asks for it: a `TraceProvider` that runs nothing before it has to.

    Start and end are what the workers found; root and last leaf's path are kept once they were computed.
    """

    def __init__(self, result: EpochResult, run: Callable[[], Background]) -> None:
        """`run` gives the epoch's run, from the cache or anew; each answer may take a while (`Background.ask`)."""
        self._result = result
        self._run = run

    @property
    def start_hash(self) -> bytes:
        """Machine hash before the epoch."""
        return self._result.start

    @property
    def end(self) -> bytes:
        """Machine hash after it."""
        return self._result.end

    @cached_property
    def root(self) -> bytes:
        """The history commitment."""
        return self._run().ask("root", lambda run: run.root)

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """The history's opening of a node."""
        return self._run().ask(("children", level, prefix), lambda run: run.children(level, prefix))

    def leaf(self, position: int) -> bytes:
        """Machine hash after a position."""
        return self._run().ask(("leaf", position), lambda run: run.leaf(position))

    def path(self, position: int) -> Sequence[bytes]:
        """The leaf's 35 siblings."""
        return self._run().ask(("path", position), lambda run: run.path(position))

    def last_path(self) -> Sequence[bytes]:
        """The last leaf's 30 siblings below the last child of level 0."""
        return self._run().ask("last path", lambda run: run.last_path())

    def proof(self, position: int) -> bytes:
        """The one-step proof at a position."""
        return self._run().ask(("proof", position), lambda run: run.proof(position))


class ExecutedEpochs:
    """All that this watcher's workers have executed: the `Epochs` of a player. Reads Redis every time it is asked."""

    def __init__(
        self, archive: Archive, histories: Histories, *, claims: bool = False, wait: float | None = None
    ) -> None:
        """`histories`: where these are kept; `claims`: whether anybody will want to know when batches were posted;
        `wait`: most seconds to wait for a history, after which it is "not_ready" until it is there; None: wait."""
        self._archive = archive
        self._histories = histories
        self._store = archive.store
        self._claims = claims
        self._wait = wait
        self._executed: OrderedDict[tuple[int, EpochResult], ExecutedEpoch] = OrderedDict()
        self._runs: OrderedDict[EpochResult, Background] = OrderedDict()
        self._paused: dict[EpochResult, Pause] = {}
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="history")

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """The epoch from its true start; None while it is not executed, or its batches were replaced by a reorg.

        Also None for a while after its run failed, so that the games about other epochs go on.
        """
        result = self._store.epoch(epoch)
        if result is None or self._store.epoch_hash(epoch) != result.epoch_hash:
            return None
        if result in self._paused and not self._paused[result].is_over:
            return None
        executed = self._executed.get((epoch, result))
        if executed is None:
            run = self.present(result, partial(self._run, epoch, result))
            executed = ExecutedEpoch(result.epoch_hash, self._posted_at(epoch), run)
            self._executed[epoch, result] = executed
            if len(self._executed) > EPOCHS:
                self._executed.popitem(last=False)
        return executed

    def present(self, result: EpochResult, run: Callable[[], Background]) -> LazyTrace:
        """An epoch as the strategy gets to see it."""
        return LazyTrace(result, run)

    def execute(self, epoch: int, result: EpochResult, inputs: EpochInputs) -> Run:
        """The history of an epoch: written down, or found so. Raises StateError("not_ready") if it ends otherwise than
        the execution: then what was executed is not believed any more."""
        files = EpochFiles(self._histories.folder(result))
        build(files, inputs.batches, partial(self._archive.machine_before, epoch))
        try:
            record = EpochRecord(result.start, inputs.batches, inputs.queue_hash, files)
        except DataError:
            self._histories.drop(result)
            raise
        if record.end != result.end:
            record.close()
            self._distrust(f"epoch {epoch} was executed to another end than plain steps come to")
        return record

    def _posted_at(self, epoch: int) -> int:
        """When the epoch's last batch was posted, unix seconds; 0 if nobody wants to know."""
        if not self._claims:
            return 0
        place = self._store.batch_place((epoch + 1) * self._store.epoch_batches - 1)
        if place is None:
            raise ChainError("rpc_unreachable", f"the last batch of epoch {epoch} is gone")
        return self._archive.reader.l1.block(place.block).timestamp

    def _run(self, epoch: int, result: EpochResult) -> Background:
        """The run of an epoch, made when it is first asked something."""
        run = self._runs.pop(result, None)
        if run is None:
            run = Background(
                lambda: self._make_run(epoch, result), self._wait, self._builder, partial(self._drop, epoch, result)
            )
            idle = [other for other, background in self._runs.items() if not background.is_busy]
            for other in idle[: max(0, len(self._runs) + 1 - RUNS)]:
                self._runs.pop(other).close()
        self._runs[result] = run
        return run

    def _make_run(self, epoch: int, result: EpochResult) -> Run:
        """Raises StateError("not_ready") if the epoch is no longer the one of `result`."""
        try:
            return self._read_run(epoch, result)
        except (SetoffError, OSError) as error:
            self._pause(result)
            if isinstance(error, StateError) or getattr(error, "reason", "") == "rpc_unreachable":
                raise
            # Data that nobody has any more, a disk that is full: the games about other epochs go on.
            log.critical("ALARM: the history of epoch %d cannot be built: %s", epoch, error)
            raise StateError("not_ready", str(error)) from None

    def _read_run(self, epoch: int, result: EpochResult) -> Run:
        inputs = self._archive.inputs(epoch)
        if inputs.epoch_hash != result.epoch_hash:
            raise StateError("not_ready", f"epoch {epoch} was replaced by a reorg")
        run = self.execute(epoch, result, inputs)
        if run.start_hash != result.start:
            raise StateError("not_ready", f"epoch {epoch} was replaced by a reorg")
        self._paused.pop(result, None)
        return run

    def _drop(self, epoch: int, result: EpochResult, error: Unsound) -> NoReturn:
        """What was written down of an epoch is not what plain steps come to: none of it is said, it is built anew."""
        self._histories.drop(result)
        # It was there, and is dear to make: no sooner than after the longest pause.
        self._pause(result, first=LAST_PAUSE)
        self._distrust(f"the history of epoch {epoch} is not what plain steps come to: {error}")

    def _pause(self, result: EpochResult, first: float = FIRST_PAUSE) -> None:
        self._paused.setdefault(result, Pause(first, LAST_PAUSE)).begin()

    def _distrust(self, text: str) -> NoReturn:
        """Raises StateError("not_ready"), when all have heard of it."""
        log.critical("ALARM: %s; from now on every step is taken", text)
        self._store.raise_alarm(text)
        raise StateError("not_ready", text)
