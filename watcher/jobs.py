"""The work that RQ hands out: executing epochs, one job an epoch.

A job carries numbers, not objects; everything else it gets from Redis and L1, so any machine can run it, twice or late
or after a reorg, without doing harm. Arguments are JSON, not pickles.
"""

from __future__ import annotations

import logging
from typing import Final

from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from setoff.shared.errors import StateError
from setoff.shared.machine.machine import Machine
from setoff.watcher.archive import Archive
from setoff.watcher.status import STALE, is_process_alive
from setoff.watcher.store import EpochResult

RECENT: Final = 4
"""Newest epochs whose snapshots are all kept, since disputes begin there; of older ones only every so many."""

SPARSE: Final = 32
"""Sparse snapshots kept. What is older can be had by executing again."""

BATCHES_KEPT: Final = 4096
"""Executed epochs whose batches stay in Redis."""

TIMEOUT: Final = 3600
"""Seconds an epoch may take; far above what the cap on steps allows."""

_ENDED: Final = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)

log = logging.getLogger(__name__)


class Jobs:
    """The queue of one watcher."""

    def __init__(self, archive: Archive) -> None:
        self._store = archive.store
        self.queue = Queue(
            self._store.prefix, connection=self._store.redis, serializer=JSONSerializer, default_timeout=TIMEOUT
        )

    def enqueue_next(self) -> bool:
        """See to it that the next epoch is in the queue or being executed, if all its batches are there.

        Safe to call at any time from any process. Returns whether there was something to do.
        """
        epoch = self._store.epoch_count()
        commitment = self._store.epoch_hash(epoch)
        if commitment is None:
            return False
        # Other batches after a reorg are another job: the one for the old batches may still run.
        job_id = f"{self._store.prefix.replace(':', '-')}-{epoch}-{commitment.hex()[:16]}"
        try:
            self._enqueue(epoch, job_id)
        except DuplicateJobError:
            if self._has_ended(job_id):
                self._enqueue(epoch, job_id)
        return True

    def _enqueue(self, epoch: int, job_id: str) -> None:
        self.queue.enqueue_call(execute_epoch, (epoch,), job_id=job_id, result_ttl=0, failure_ttl=3600, unique=True)

    def _has_ended(self, job_id: str) -> bool:
        """Whether the job is over without a result, or was lost with its worker: then it is cleared away."""
        try:
            job = Job.fetch(job_id, connection=self._store.redis, serializer=JSONSerializer)
            if job.get_status() in _ENDED or self._is_lost(job):
                job.delete()
                return True
        except NoSuchJobError:
            return True
        return False

    def _is_lost(self, job: Job) -> bool:
        if job.get_status(refresh=False) == JobStatus.STARTED:
            return job.worker_name is not None and not is_process_alive(self._store, job.worker_name)
        # A worker that was killed right after it had taken the job from the queue.
        taken = job.enqueued_at is not None and (now() - job.enqueued_at).total_seconds() > STALE
        return taken and job.get_position() is None


class Executor:
    """Executes epochs in a worker process, and keeps the last machine so that the next epoch need not load it."""

    def __init__(self, archive: Archive, jobs: Jobs, snapshot_epochs: int) -> None:
        """`snapshot_epochs`: how many epochs lie between two sparse snapshots."""
        self._archive = archive
        self._store = archive.store
        self._jobs = jobs
        self._spacing = snapshot_epochs
        self._last: tuple[bytes, Machine] | None = None

    def execute(self, epoch: int) -> bytes | None:
        """Execute `epoch`, if its batches and its start are there and it is not executed yet; then see to the next one.

        Returns the machine hash at its end, None if it cannot be executed now.
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
        self._store.put_snapshot(machine)
        self._last = end, machine
        if not self._store.put_epoch(epoch, EpochResult(inputs.epoch_hash, start, end)):
            return None
        self._prune(epoch)
        return end

    def _take_cached(self, machine_hash: bytes) -> Machine | None:
        last, self._last = self._last, None
        return last[1] if last is not None and last[0] == machine_hash else None

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


_executor: Executor | None = None


def bind(executor: Executor | None) -> None:
    """Say who executes the jobs of this process."""
    global _executor
    _executor = executor


def execute_epoch(epoch: int) -> str | None:
    """The job: see `Executor.execute`; the hash in hex. Raises StateError in a process that is no worker."""
    if _executor is None:
        raise StateError("not_ready", "this process executes no jobs")
    end = _executor.execute(epoch)
    return None if end is None else end.hex()
