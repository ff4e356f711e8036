"""Executes epochs in a worker: from the machine before to the machine after, with as few snapshots as need be.

An epoch takes as long as it takes. On its way it is kept every few seconds, so that a worker that is killed, or any
other, goes on where it stopped. Inputs are run by the machine's fast paths, and some of them by plain steps as well
(`shared/machine/spot_checks.py`); once these were found to differ, anywhere and by whichever process, all are run by
plain steps.
"""

from __future__ import annotations

import logging
import time
from typing import Final, NoReturn

from setoff.shared.errors import StateError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.spot_checks import SpotChecks
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.shared.monotonic import LONG_AGO
from setoff.watcher.execution.archive import Archive, EpochInputs
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.store import EpochResult, Progress

CHEAP: Final = 0.05
"""Seconds that a snapshot may take after every epoch."""

SHARE: Final = 10
"""A snapshot that takes longer is taken once this many times its own duration has passed since the last."""

PROGRESS_EVERY: Final = 5.0
"""Least seconds between two snapshots inside an epoch."""

log = logging.getLogger(__name__)


class Executor:
    """Executes epochs one by one, and keeps the last machine so that the next epoch need not load it."""

    def __init__(
        self, archive: Archive, jobs: Jobs, snapshot_epochs: int, worker: str = "", *, stakes: bool = False
    ) -> None:
        """`snapshot_epochs`: how many epochs lie between two sparse snapshots; `worker`: whose executor this is;
        `stakes`: whether this watcher claims what it executes, so that no epoch goes wholly unchecked."""
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
        self.checks = SpotChecks(self._distrust, every_epoch=stakes)

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

    def _execute(self, epoch: int) -> bytes | None:
        inputs = self._archive.inputs(epoch)
        known = self._store.epoch(epoch)
        if known is not None and known.epoch_hash == inputs.epoch_hash:
            return known.end
        with self._jobs.executing(inputs.epoch_hash, self._worker):
            start, machine = self._run(epoch, inputs)
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

    def _run(self, epoch: int, inputs: EpochInputs) -> tuple[bytes, Machine]:
        """Machine hash before the epoch, and the machine after it."""
        start, batch, done, machine = self._find_start(epoch, inputs)
        self._is_plain = bool(self._store.alarm())
        self._progress_at = time.monotonic()
        self.checks.begin_epoch(sum(map(used_inputs, inputs.batches[batch:])) - done)
        for number in range(batch, len(inputs.batches)):
            running = inputs.batches[number]
            for input_index in range(done, used_inputs(running)):
                machine = self._run_input(machine, running, input_index)
                self._keep_progress(Progress(inputs.epoch_hash, start, number, input_index + 1, b""), machine)
            done = 0
        return start, machine

    def _run_input(self, machine: Machine, batch: Batch, input_index: int) -> Machine:
        """The machine after an input."""
        if not self._is_plain:
            return self.checks.run_input(machine, batch, input_index)
        run_plainly(machine, batch, input_index)
        return machine

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
