"""Executes epochs in a worker: from the machine before to the machine after, with as few snapshots as need be."""

from __future__ import annotations

import logging
import time
from typing import Final

from setoff.shared.errors import StateError
from setoff.shared.machine.machine import Machine
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.store import EpochResult

RECENT: Final = 4
"""Newest epochs whose snapshots are all kept, since disputes begin there; of older ones only every so many."""

SPARSE: Final = 32
"""Sparse snapshots kept. What is older can be had by executing again."""

BATCHES_KEPT: Final = 4096
"""Executed epochs whose batches stay in Redis."""

CHEAP: Final = 0.05
"""Seconds that a snapshot may take after every epoch."""

SHARE: Final = 10
"""A snapshot that takes longer is taken once this many times its own duration has passed since the last."""

log = logging.getLogger(__name__)


class Executor:
    """Executes epochs one by one, and keeps the last machine so that the next epoch need not load it."""

    def __init__(self, archive: Archive, jobs: Jobs, snapshot_epochs: int, worker: str = "") -> None:
        """`snapshot_epochs`: how many epochs lie between two sparse snapshots; `worker`: whose executor this is."""
        self._archive = archive
        self._store = archive.store
        self._jobs = jobs
        self._spacing = snapshot_epochs
        self._worker = worker
        self._last: tuple[bytes, Machine] | None = None
        self._snapshot_seconds = 0.0
        self._snapshot_at = 0.0

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
        machine = self._archive.machine_before(epoch, self._take_cached)
        start = machine.hash()
        for batch in inputs.batches:
            machine.run_batch(batch)
        end = machine.hash()
        self._keep_snapshot(epoch, machine)
        self._last = end, machine
        if not self._store.put_epoch(epoch, EpochResult(inputs.epoch_hash, start, end)):
            return None
        self._jobs.prefer(self._worker)
        self._prune(epoch)
        return end

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

    def _prune(self, epoch: int) -> None:
        """Forget the snapshot that is no longer recent, the sparse one that is too old, and old batches."""
        for old, keep_sparse in ((epoch - RECENT, True), (epoch - SPARSE * self._spacing, False)):
            result = self._store.epoch(old) if old >= 0 else None
            if result is not None and not (keep_sparse and old % self._spacing == 0):
                self._store.drop_snapshot(result.end)
        count = self._store.epoch_batches
        for number in range(max(0, epoch - BATCHES_KEPT) * count, max(0, epoch - BATCHES_KEPT + 1) * count):
            place = self._store.batch_place(number)
            if place is not None:
                self._store.drop_batch(place.hash)
