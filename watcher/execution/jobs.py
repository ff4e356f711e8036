"""The work that RQ hands out: executing epochs, one job an epoch.

A job carries numbers, not objects; everything else it gets from Redis and L1, so any machine can run it, twice or late
or after a reorg, without doing harm. Arguments are JSON, not pickles.

Epochs follow from each other, so the worker that executed the last one has the machine for the next one in memory.
Every worker has a queue of its own beside the common one; the next epoch goes to whoever did the last, as long as it
lives. The others stand by.

No job has a limit of time: an epoch of the most steps that the rules allow takes as long as it takes, on whatever
machine. What tells a long job from a lost one is the pulse of the worker that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, cast

from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from setoff.shared.errors import StateError
from setoff.watcher.pulse import STALE, is_process_alive
from setoff.watcher.store import Store

NO_LIMIT: Final = -1
"""RQ's word for a job that may take as long as it takes."""

_ENDED: Final = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)


class JobCounts(NamedTuple):
    """How many there are."""

    waiting: int
    failed: int
    """RQ forgets them an hour after."""


class Jobs:
    """The queues of one watcher."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def queue(self, worker: str | None = None) -> Queue:
        """The common queue, or a worker's own."""
        name = self._store.prefix if worker is None else self._store.key(worker)
        return Queue(name, connection=self._store.redis, serializer=JSONSerializer, default_timeout=NO_LIMIT)

    def enqueue_next(self) -> bool:
        """See to it that the next epoch is in a queue or being executed, if all its batches are there.

        Safe to call at any time from any process. Returns whether there was something to do.
        """
        epoch = self._store.epoch_count()
        commitment = self._store.epoch_hash(epoch)
        if commitment is None:
            return False
        if self._is_being_executed(commitment):
            return True
        # Other batches after a reorg are another job: the one for the old batches may still run.
        job_id = f"{self._store.prefix.replace(':', '-')}-{epoch}-{commitment.hex()[:16]}"
        try:
            self._enqueue(epoch, job_id)
        except DuplicateJobError:
            if self._has_ended(job_id):
                self._enqueue(epoch, job_id)
        return True

    def count(self) -> JobCounts:
        """In all queues of this watcher."""
        own = self._store.key("")
        queues = [
            queue
            for queue in Queue.all(connection=self._store.redis, serializer=JSONSerializer)
            if queue.name == self._store.prefix or queue.name.startswith(own)
        ]
        return JobCounts(sum(queue.count for queue in queues), sum(queue.failed_job_registry.count for queue in queues))

    def prefer(self, worker: str) -> None:
        """Give the next epochs to this worker."""
        self._store.redis.set(self._store.key("executor"), worker)

    @contextmanager
    def executing(self, epoch_hash: bytes, worker: str) -> Iterator[None]:
        """Say that this worker is at the epoch: RQ itself gives up a job of which it heard nothing for minutes."""
        key = self._store.key("executing")
        self._store.redis.set(key, epoch_hash + worker.encode())
        try:
            yield
        finally:
            self._store.redis.delete(key)

    def _is_being_executed(self, epoch_hash: bytes) -> bool:
        value = cast("bytes | None", self._store.redis.get(self._store.key("executing"))) or b""
        is_this = value[: len(epoch_hash)] == epoch_hash
        return is_this and is_process_alive(self._store, value[len(epoch_hash) :].decode())

    def _enqueue(self, epoch: int, job_id: str) -> None:
        worker = cast("bytes | None", self._store.redis.get(self._store.key("executor")))
        is_there = worker is not None and is_process_alive(self._store, worker.decode())
        queue = self.queue(worker.decode() if worker is not None and is_there else None)
        queue.enqueue_call(execute_epoch, (epoch,), job_id=job_id, result_ttl=0, failure_ttl=3600, unique=True)

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
        own_queue = job.origin.removeprefix(self._store.key(""))
        if own_queue != job.origin and not is_process_alive(self._store, own_queue):
            return True
        # A worker that was killed right after it had taken the job from the queue.
        taken = job.enqueued_at is not None and (now() - job.enqueued_at).total_seconds() > STALE
        return taken and job.get_position() is None


_execute: Callable[[int], bytes | None] | None = None


def bind(execute: Callable[[int], bytes | None] | None) -> None:
    """Say what executes the epochs of this process's jobs (`Executor.execute`)."""
    global _execute
    _execute = execute


def execute_epoch(epoch: int) -> str | None:
    """The job. The machine hash at the end in hex, None if the epoch cannot be executed now.

    Raises StateError in a process that is no worker.
    """
    if _execute is None:
        raise StateError("not_ready", "this process executes no jobs")
    end = _execute(epoch)
    return None if end is None else end.hex()
