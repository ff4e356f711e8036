"""Executes epochs in a worker: from the machine before to the machine after, with as few snapshots as need be.

An epoch takes as long as it takes. On its way it is kept every few seconds, so that a worker that is killed, or any
other, goes on where it stopped. Inputs are run by the machine's fast paths, and some of them by plain steps as well
(`shared/machine/spot_checks.py`); once these were found to differ, anywhere and by whichever process, all are run by
plain steps.

A segment is run the same way, from a start that is only claimed; what it comes to is conditional (`ahead.py`). The
machine there has the hash asked for, and may still be one that the rules never come to, made to keep whoever runs it
busy, or to break it: so it has a limit of time, an error in it is the end of the segment and of nothing else, and a
fast path that is wrong about it is not an alarm before the machine is known to be a true one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Final, NoReturn

from redis.exceptions import RedisError

from setoff.shared.errors import ChainError, DataError, StateError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.spot_checks import SpotChecks
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.shared.monotonic import LONG_AGO
from setoff.watcher.execution.archive import Archive, EpochInputs
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.known_signers import KnownSigners
from setoff.watcher.execution.segments import Segment
from setoff.watcher.store import EpochResult, Progress

CHEAP: Final = 0.05
"""Seconds that a snapshot may take after every epoch."""

SHARE: Final = 10
"""A snapshot that takes longer is taken once this many times its own duration has passed since the last."""

PROGRESS_EVERY: Final = 5.0
"""Least seconds between two snapshots inside an epoch."""

WRONG_FAST_PATH: Final = "a fast path differs from plain steps"

log = logging.getLogger(__name__)


class _Suspect(Exception):
    """A fast path was wrong about a machine that may be none that the rules come to."""


class Executor:
    """Executes epochs one by one, and keeps the last machine so that the next epoch need not load it."""

    def __init__(
        self,
        archive: Archive,
        jobs: Jobs,
        snapshot_epochs: int,
        worker: str = "",
        *,
        stakes: bool = False,
        fetch: Callable[[bytes], Machine | None] = lambda _: None,
        limit: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`snapshot_epochs`: how many epochs lie between two sparse snapshots; `worker`: whose executor this is;
        `stakes`: whether this watcher claims what it executes, so that no epoch goes wholly unchecked; `fetch` gets a
        machine by its hash from others; `limit` bounds the time of an epoch from a start that is only claimed."""
        self._archive = archive
        self._store = archive.store
        self._jobs = jobs
        self._spacing = snapshot_epochs
        self._worker = worker
        self._last: tuple[bytes, Machine] | None = None
        self._snapshot_seconds = 0.0
        self._snapshot_at = LONG_AGO
        self._progress_at = LONG_AGO
        self._is_plain = False
        self._fetch = fetch
        self._limit = limit
        self._is_ahead = False
        self.checks = SpotChecks(self._doubt, every_epoch=stakes)
        self.signers = KnownSigners(archive.store, archive.reader.deployment.domain)

    def execute(self, epoch: int) -> bytes | None:
        """Execute `epoch`, if its batches and its start are there and it is not executed yet; then see to the next one.

        Returns the machine hash at its end, None if it cannot be executed now. Raises DataError or ChainError if the
        node does not give what L1 commits to.
        """
        try:
            end = self._execute(epoch)
        except StateError as error:
            log.info("epoch %d waits: %s", epoch, error)
            self._store.mend()
            end = None
        self._jobs.enqueue_next()
        return end

    def execute_segment(self, segment: Segment) -> int:
        """Run the epochs of a segment from its claimed start, as long as nothing is known against that; returns how
        many were run. What they come to counts once the epochs before them are executed, and end as was claimed.

        Raises DataError or ChainError if the node does not give what L1 commits to.
        """
        count, start, machine = 0, segment.start, None
        try:
            for epoch in range(segment.first, segment.first + segment.epochs):
                end = self._find_known(epoch, start)
                if end is None:
                    if not self._may_run(segment, epoch, start):
                        break
                    machine = self._find_machine(start) if machine is None else machine
                    if machine is None:
                        break
                    inputs = self._archive.inputs(epoch)
                    with (
                        self._attempting(epoch, inputs, start, (0, 0), is_ahead=True),
                        self._jobs.executing(inputs.epoch_hash, start, self._worker),
                        self._limit(),
                    ):
                        machine = self._run_from(machine, inputs, start, 0, 0)
                        end = machine.hash()
                    if self._store.alarm() and not self._is_plain:
                        raise StateError("not_ready", "a fast path was found to be wrong meanwhile")
                    self._jobs.ahead.put(EpochResult(inputs.epoch_hash, start, end))
                    self._keep_snapshot(epoch, machine)
                    count += 1
                else:
                    machine = None
                start = end
                self._jobs.enqueue_next()
                if self._jobs.is_overdue():
                    break
        except StateError as error:
            log.info("epoch %d waits: %s", epoch, error)
            machine = None
        if machine is not None and count:
            if not self._store.measure_snapshot(start):  # where the next segment begins
                self._store.put_snapshot(machine)
            self._last = start, machine
            self._jobs.ahead.settle()
            if self._store.end_before(self._store.epoch_count()) == start:
                self._jobs.prefer(self._worker)
        self._jobs.enqueue_next()
        return count

    def find_signers(self, epoch: int) -> None:
        """Find the signers of an epoch to come. Raises as `execute`."""
        if epoch <= self._store.epoch_count():
            return
        with suppress(StateError):
            for batch in self._archive.inputs(epoch).batches:
                self.signers.find(batch)

    def _find_known(self, epoch: int, start: bytes) -> bytes | None:
        """What the epoch from that start ends at, if somebody has run it."""
        commitment, known = self._store.epoch_hash(epoch), self._store.epoch(epoch)
        if commitment is None:
            return None
        if known is not None and (known.epoch_hash, known.start) == (commitment, start):
            return known.end
        return self._jobs.ahead.get(commitment, start)

    def _find_machine(self, machine_hash: bytes) -> Machine | None:
        """The machine of that hash: at hand, kept, or somebody else's."""
        return self._take_cached(machine_hash) or self._store.snapshot(machine_hash) or self._fetch(machine_hash)

    def _may_run(self, segment: Segment, epoch: int, start: bytes) -> bool:
        """Whether nothing is known against a segment, and nobody else is at this epoch of it."""
        executed = self._store.epoch_count()
        if segment.first <= executed and self._store.end_before(segment.first) != segment.start:
            log.warning("epoch %d does not begin as was claimed: its segment is given up", segment.first)
            return False
        if epoch < executed:
            return False
        commitment = self._store.epoch_hash(epoch)
        if commitment is None or self._jobs.is_being_executed(commitment, start):
            return False
        attempt = self._jobs.attempts.find(commitment, start)
        return attempt is None or not attempt.is_poisoned

    def _execute(self, epoch: int) -> bytes | None:
        inputs = self._archive.inputs(epoch)
        known = self._store.epoch(epoch)
        if known is not None and known.epoch_hash == inputs.epoch_hash:
            return known.end
        before = self._store.end_before(epoch)
        if before is None:
            raise StateError("not_ready", f"epoch {epoch - 1} is not executed yet")
        with self._jobs.executing(inputs.epoch_hash, before, self._worker):
            start, batch, done, machine = self._find_start(epoch, inputs)
            with self._attempting(epoch, inputs, before, (batch, done), is_ahead=False):
                machine = self._run_from(machine, inputs, start, batch, done)
        if self._store.alarm() and not self._is_plain:
            raise StateError("not_ready", "a fast path was found to be wrong meanwhile")
        end = machine.hash()
        self._keep_snapshot(epoch, machine)
        self._last = end, machine
        is_kept = self._store.put_epoch(epoch, EpochResult(inputs.epoch_hash, start, end))
        self._store.drop_progress(end)
        if not is_kept:
            return None
        self._jobs.prefer(self._worker)
        return end

    @contextmanager
    def _attempting(
        self, epoch: int, inputs: EpochInputs, start: bytes, place: tuple[int, int], *, is_ahead: bool
    ) -> Iterator[None]:
        """Count it until it comes to an end (`attempts.py`)."""
        attempts, commitment = self._jobs.attempts, inputs.epoch_hash
        before = attempts.find(commitment, start)
        self._is_ahead = is_ahead
        self._is_plain = bool(self._store.alarm())
        if before is not None and not is_ahead:
            if before.is_ahead and before.error.endswith(WRONG_FAST_PATH):
                # Found by who ran ahead: by now it is known that the machine was a true one.
                attempts.end(commitment, start)
                self._distrust(f"epoch {epoch}: {WRONG_FAST_PATH}")
            self._is_plain = self._is_plain or before.is_poisoned
        attempts.begin(epoch, commitment, start, self._worker, place, is_ahead=is_ahead)
        try:
            yield
        except (ChainError, DataError, StateError, RedisError):
            attempts.end(commitment, start)  # passes by itself
            raise
        except Exception as error:
            log.warning("epoch %d from 0x%s", epoch, start.hex(), exc_info=not isinstance(error, _Suspect))
            attempts.fail(commitment, start, error)
            raise StateError("not_ready", f"{type(error).__name__}: {error}") from None
        else:
            attempts.end(commitment, start)
        finally:
            self._is_ahead = False

    def _run_from(self, machine: Machine, inputs: EpochInputs, start: bytes, batch: int, done: int) -> Machine:
        """The machine after the epoch, which began with the hash `start`, from that batch of it and input on."""
        self._progress_at = time.monotonic()
        self.checks.begin_epoch(sum(map(used_inputs, inputs.batches[batch:])) - done)
        for number in range(batch, len(inputs.batches)):
            running = inputs.batches[number]
            if not done and not self._is_plain:
                self.signers.use(running)
            for input_index in range(done, used_inputs(running)):
                machine = self._run_input(machine, running, input_index)
                if not self._is_ahead:
                    self._keep_progress(Progress(inputs.epoch_hash, start, number, input_index + 1, b""), machine)
            done = 0
        return machine

    def _run_input(self, machine: Machine, batch: Batch, input_index: int) -> Machine:
        """The machine after an input."""
        if not self._is_plain:
            return self.checks.run_input(machine, batch, input_index)
        run_plainly(machine, batch, input_index)
        return machine

    def _doubt(self, text: str) -> NoReturn:
        """A fast path was wrong."""
        if self._is_ahead:
            raise _Suspect(f"{text}: {WRONG_FAST_PATH}")
        self._distrust(text)

    def _distrust(self, text: str) -> NoReturn:
        """A fast path was wrong: what it led to in earlier epochs is not believed either, nor this one's start."""
        log.critical("ALARM: %s; from now on every step is taken", text)
        self._store.raise_alarm(text)
        self._last = None
        raise StateError("not_ready", text)

    def _find_start(self, epoch: int, inputs: EpochInputs) -> tuple[bytes, int, int, Machine]:
        """Machine hash before the epoch; batch and input to go on with, and the machine there."""
        known = self._store.epoch(epoch - 1) if epoch else None
        kept = self._store.progress()
        follows = epoch == 0 or (known is not None and kept is not None and known.end == kept.start)
        if kept is not None and kept.epoch_hash == inputs.epoch_hash and follows:
            machine = self._store.snapshot(kept.machine)
            if machine is not None:
                log.info("epoch %d goes on at batch %d of it, input %d", epoch, kept.batch, kept.inputs)
                return kept.start, kept.batch, kept.inputs, machine
        machine = self._archive.machine_before(epoch, self._take_cached)
        return machine.hash(), 0, 0, machine

    def _keep_progress(self, progress: Progress, machine: Machine) -> None:
        """Every few seconds, and the more seldom the larger the machine is."""
        began = time.monotonic()
        if began - self._progress_at > max(PROGRESS_EVERY, SHARE * self._snapshot_seconds):
            self._store.put_progress(progress._replace(machine=machine.hash()), machine)
            self._progress_at = time.monotonic()
            self._snapshot_seconds = self._progress_at - began

    def _take_cached(self, machine_hash: bytes) -> Machine | None:
        last, self._last = self._last, None
        return last[1] if last is not None and last[0] == machine_hash else None

    def _keep_snapshot(self, epoch: int, machine: Machine) -> None:
        """Of a small machine after every epoch, of a large one as often as it does not hold up the execution."""
        began = time.monotonic()
        is_due = epoch % self._spacing == 0 or self._snapshot_seconds < CHEAP
        if is_due or began - self._snapshot_at > SHARE * self._snapshot_seconds:
            self._store.put_snapshot(machine)
            self._snapshot_at = time.monotonic()
            self._snapshot_seconds = self._snapshot_at - began
