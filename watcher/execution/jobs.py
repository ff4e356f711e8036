"""The work that RQ hands out: executing epochs, one job an epoch in order; and segments of epochs ahead of these.

A job carries numbers and hashes, not objects; everything else it gets from Redis and L1, so any machine can run it,
twice or late or after a reorg, without doing harm. Arguments are JSON, not pickles.

Epochs follow from each other, so the worker that executed the last one has the machine for the next one in memory.
Every worker has a queue of its own beside the common one; the next epoch goes to whoever did the last, as long as it
lives. The others take segments (`segments.py`), from a queue that is looked at after these two: what is in order comes
first.

No job has a limit of time: an epoch of the most steps that the rules allow takes as long as it takes, on whatever
machine. What tells a long job from a lost one is the pulse of the worker that has it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol, cast

from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from setoff.shared.errors import StateError
from setoff.watcher.execution.ahead import Ahead
from setoff.watcher.execution.attempts import Attempts
from setoff.watcher.execution.segments import Segment
from setoff.watcher.pulse import STALE, is_process_alive, read_status
from setoff.watcher.store import Store

NO_LIMIT: Final = -1
"""RQ's word for a job that may take as long as it takes."""

OVERDUE: Final = 5.0
"""Seconds after which an epoch in order has waited too long for a worker."""

WORKER: Final = "worker-"
"""How the names of workers begin."""

_ENDED: Final = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)


class JobCounts(NamedTuple):
    """How many there are."""

    waiting: int
    failed: int
    """RQ forgets them an hour after."""


log = logging.getLogger(__name__)


class Jobs:
    """The queues of one watcher."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ahead = Ahead(store)
        self.attempts = Attempts(store)

    def queue(self, worker: str | None = None) -> Queue:
        """The common queue, or a worker's own."""
        name = self._store.prefix if worker is None else self._store.key(worker)
        return Queue(name, connection=self._store.redis, serializer=JSONSerializer, default_timeout=NO_LIMIT)

    def ahead_queue(self) -> Queue:
        """That of segments."""
        return self.queue("ahead")

    def enqueue_next(self) -> bool:
        """Take up what was executed ahead; then see to it that the next epoch is in a queue or being executed, if all
        its batches are there.

        Safe to call at any time from any process. Returns whether there was something to do.
        """
        if self.ahead.settle():
            log.info("executed ahead, and begins where it was to: up to epoch %d", self._store.epoch_count() - 1)
        epoch = self._store.epoch_count()
        commitment, start = self._store.epoch_hash(epoch), self._store.end_before(epoch)
        if commitment is None or start is None:
            return commitment is not None
        if self.is_being_executed(commitment, start):
            return True
        attempt = self.attempts.find(commitment, start)
        if attempt is not None and not attempt.is_ahead and time.time() < attempt.rests_until:
            return True
        # Other batches after a reorg are another job: the one for the old batches may still run.
        self._offer(self._name(epoch, commitment), lambda job_id: self._enqueue(epoch, job_id))
        return True

    def count(self) -> JobCounts:
        """In all queues of this watcher but that of witnesses, which may wait as long as they like."""
        own, witnesses = self._store.key(""), self.witness_queue().name
        queues = [
            queue
            for queue in Queue.all(connection=self._store.redis, serializer=JSONSerializer)
            if queue.name == self._store.prefix or (queue.name.startswith(own) and queue.name != witnesses)
        ]
        return JobCounts(sum(queue.count for queue in queues), sum(queue.failed_job_registry.count for queue in queues))

    def enqueue_segment(self, segment: Segment) -> None:
        """Offer a segment to whoever has nothing to do in order."""
        commitment = self._store.epoch_hash(segment.first)
        if commitment is None:
            return
        name = f"{self._name(segment.first, commitment)}-{segment.start.hex()[:16]}"
        arguments = segment.first, segment.start.hex(), segment.epochs
        self._offer(
            name,
            lambda job_id: self.ahead_queue().enqueue_call(
                execute_segment, arguments, job_id=job_id, result_ttl=0, failure_ttl=3600, unique=True
            ),
        )

    def enqueue_signers(self, epoch: int) -> None:
        """Have the signers of an epoch found by whoever has nothing else to do."""
        commitment = self._store.epoch_hash(epoch)
        if commitment is not None:
            self._offer(
                f"{self._name(epoch, commitment)}-signers",
                lambda job_id: self.ahead_queue().enqueue_call(
                    find_signers, (epoch,), job_id=job_id, result_ttl=0, failure_ttl=3600, unique=True
                ),
            )

    def witness_queue(self) -> Queue:
        """That of witness bundles, which nobody looks at who has anything else to do."""
        return self.queue("witnesses")

    def enqueue_witnesses(self, epoch: int, commitment: bytes, start: bytes) -> None:
        """Have the witness bundles of an executed epoch made, by whoever has nothing else to do."""
        arguments = epoch, start.hex()
        self._offer(
            f"{self._name(epoch, commitment)}-{start.hex()[:16]}-witnesses",
            lambda job_id: self.witness_queue().enqueue_call(
                make_witnesses, arguments, job_id=job_id, result_ttl=0, failure_ttl=3600, unique=True
            ),
        )

    def has_work(self) -> bool:
        """Whether an epoch or a segment waits for a worker, or a worker that lives is at one; or there is a dispute,
        whose history takes all cores."""
        statuses = [each for each in read_status(self._store) if each.is_alive]
        workers = {each.process for each in statuses if each.process.startswith(WORKER)}
        if any(each.facts.get("disputes") for each in statuses):
            return True
        if any(queue.count for queue in (self.queue(), self.ahead_queue(), *map(self.queue, workers))):
            return True
        working = cast("list[bytes]", self._store.redis.hkeys(self._store.key("working")))
        return any(each.decode() in workers for each in working)

    def withdraw_ahead(self) -> None:
        """Take back what is ahead and nobody has begun with."""
        self.ahead_queue().empty()  # type: ignore[no-untyped-call]

    def is_overdue(self) -> bool:
        """Whether an epoch in order waits, since all workers are at segments."""
        for queue in (self.queue(), *map(self.queue, self.workers())):
            for job in queue.get_jobs(0, 1):
                if job.enqueued_at is not None and (now() - job.enqueued_at).total_seconds() > OVERDUE:
                    return True
        return False

    def workers(self) -> list[str]:
        """Names of the workers that live."""
        statuses = read_status(self._store)
        return [each.process for each in statuses if each.is_alive and each.process.startswith(WORKER)]

    def prefer(self, worker: str) -> None:
        """Give the next epochs to this worker."""
        self._store.redis.set(self._store.key("executor"), worker)

    @contextmanager
    def executing(self, epoch_hash: bytes, start: bytes, worker: str) -> Iterator[None]:
        """Say that this worker is at the epoch: RQ itself gives up a job of which it heard nothing for minutes."""
        key = self._store.key("working")
        self._store.redis.hset(key, worker, cast(str, epoch_hash + start))
        try:
            yield
        finally:
            self._store.redis.hdel(key, worker)

    def is_being_executed(self, epoch_hash: bytes, start: bytes) -> bool:
        """Whether a worker that lives is at the epoch, from that start (32 zero bytes: the first epoch's)."""
        key = self._store.key("working")
        found = cast("dict[bytes, bytes]", self._store.redis.hgetall(key))
        for worker, value in found.items():
            if is_process_alive(self._store, worker.decode()):
                if value == epoch_hash + start:
                    return True
            else:
                self._store.redis.hdel(key, cast(str, worker))
        return False

    def _name(self, epoch: int, commitment: bytes) -> str:
        return f"{self._store.prefix.replace(':', '-')}-{epoch}-{commitment.hex()[:16]}"

    def _offer(self, job_id: str, enqueue: Callable[[str], object]) -> None:
        """Put a job into a queue, unless it is in one, or a worker that lives is at it."""
        try:
            enqueue(job_id)
        except DuplicateJobError:
            if self._has_ended(job_id):
                enqueue(job_id)

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
        if own_queue.startswith(WORKER) and not is_process_alive(self._store, own_queue):
            return True
        # A worker that was killed right after it had taken the job from the queue.
        taken = job.enqueued_at is not None and (now() - job.enqueued_at).total_seconds() > STALE
        return taken and job.get_position() is None


class Hands(Protocol):
    """What executes the jobs of a process: an `Executor`."""

    def execute(self, epoch: int) -> bytes | None:
        """The next epoch in order."""

    def execute_segment(self, segment: Segment) -> int:
        """A segment."""

    def find_signers(self, epoch: int) -> None:
        """Of an epoch to come."""

    def make_witnesses(self, epoch: int, start: bytes) -> None:
        """Of an executed epoch."""


_hands: Hands | None = None


def bind(hands: Hands | None) -> None:
    """Say what executes this process's jobs."""
    global _hands
    _hands = hands


def execute_epoch(epoch: int) -> str | None:
    """The job. The machine hash at the end in hex, None if the epoch cannot be executed now.

    Raises StateError in a process that is no worker.
    """
    end = _find_hands().execute(epoch)
    return None if end is None else end.hex()


def execute_segment(first: int, start: str, count: int) -> int:
    """The job of a segment: so many epochs from `first` on, which begins, as is claimed, with the machine hash `start`,
    in hex. Returns how many epochs were run. Raises StateError in a process that is no worker."""
    return _find_hands().execute_segment(Segment(first, bytes.fromhex(start), count))


def find_signers(epoch: int) -> None:
    """The job of who has nothing else to do. Raises StateError in a process that is no worker."""
    _find_hands().find_signers(epoch)


def make_witnesses(epoch: int, start: str) -> None:
    """The job of who has nothing else to do: the witness bundles of an epoch that begins with the machine hash `start`,
    in hex. Raises StateError in a process that is no worker."""
    _find_hands().make_witnesses(epoch, bytes.fromhex(start))


def _find_hands() -> Hands:
    if _hands is None:
        raise StateError("not_ready", "this process executes no jobs")
    return _hands
