"""A process that executes epochs: RQ's simple worker, in whose process the last machine stays at hand.

What is in order comes first; while there is nothing of that for it, it takes segments ahead of the others, and then
makes witness bundles for whoever asks (`witness_maker.py`).

Any number of them may run, on any machine that reaches the watcher's Redis and an L1 node.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import ConnectionPool, Redis
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from setoff.watcher.context import Context
from setoff.watcher.execution import jobs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.jobs import WORKER, Jobs
from setoff.watcher.execution.segments import Segment
from setoff.watcher.execution.snapshot_peers import SnapshotPeers
from setoff.watcher.execution.witness_maker import WitnessMaker
from setoff.watcher.pulse import Pulse
from setoff.watcher.settings import WatcherSettings

TTL: Final = 60
"""Seconds for which RQ lists a worker that is silent; it waits somewhat less for a job before it says so again."""


AHEAD_SECONDS: Final = 300.0
"""Seconds that an epoch may take from a start that is only claimed: the machine may have been made to take for ever.
After these the kernel ends the process, whatever code it is in, and the epoch waits for its turn."""


def make_worker_name() -> str:
    """A name that no other worker has had: one that was killed still has its own in RQ's books for a while."""
    return f"{WORKER}{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@contextmanager
def ending_after(seconds: float = AHEAD_SECONDS) -> Iterator[None]:
    """End the process if the block takes longer. Only in a process's main thread."""
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Hands:
    """An executor whose process says what it has done."""

    def __init__(self, executor: Executor, witnesses: WitnessMaker, pulse: Pulse) -> None:
        self._executor = executor
        self._witnesses = witnesses
        self._pulse = pulse
        self._ahead = 0

    def execute(self, epoch: int) -> bytes | None:
        """See `Executor`."""
        try:
            return self._executor.execute(epoch)
        finally:
            self._tell()

    def execute_segment(self, segment: Segment) -> int:
        """See `Executor`."""
        count = 0
        try:
            count = self._executor.execute_segment(segment)
            return count
        finally:
            self._ahead += count
            self._tell()

    def find_signers(self, epoch: int) -> None:
        """See `Executor`."""
        self._executor.find_signers(epoch)

    def make_witnesses(self, epoch: int, start: bytes) -> None:
        """See `WitnessMaker`."""
        try:
            self._witnesses.make(epoch, start)
        finally:
            self._tell()

    def _tell(self) -> None:
        tally = self._executor.checks.tally
        self._pulse.tell(
            inputs=tally.inputs,
            checked=tally.checked,
            check_seconds=round(tally.seconds, 2),
            ahead=self._ahead,
            known_signers=self._executor.signers.used,
            witnesses=self._witnesses.made,
        )


class _Stopping:
    """Whether a worker was told to stop while it is at a job."""

    def __init__(self) -> None:
        self.worker: SimpleWorker | None = None

    def is_asked(self) -> bool:
        """It finishes an epoch; what can be left off is."""
        return self.worker is not None and self.worker._stop_requested


def _connect_anew(redis: Redis) -> Redis:
    """A client of the same server without connections yet: RQ waits for jobs longer than others wait for an answer."""
    pool = redis.connection_pool
    settings = {**pool.connection_kwargs, "socket_timeout": None}
    return Redis(connection_pool=ConnectionPool(connection_class=pool.connection_class, **settings))


def run_worker(settings: WatcherSettings, *, burst: bool = False) -> None:
    """Execute jobs until SIGTERM or SIGINT, which let the epoch at hand finish; or, with `burst`, until none is left.

    Has to run in the main thread of its process.
    """
    context = Context.open(settings)
    name = make_worker_name()
    queues = Jobs(context.store)
    stakes = settings.claims_after is not None
    peers = SnapshotPeers(context.store, settings.snapshot_urls, settings.snapshot_limit * 10**6)
    executor = Executor(
        Archive.of(context),
        queues,
        settings.snapshot_epochs,
        name,
        stakes=stakes,
        fetch=peers.fetch,
        limit=ending_after,
    )
    stopping = _Stopping()
    witnesses = WitnessMaker(Archive.of(context), queues, settings.witness_limit * 10**6, stopping.is_asked)
    with Pulse(context.store, name).beating() as pulse:
        pulse.beat()
        jobs.bind(_Hands(executor, witnesses, pulse))
        worker = stopping.worker = SimpleWorker(
            [queues.queue(name), queues.queue(), queues.ahead_queue(), queues.witness_queue()],
            name=name,
            connection=_connect_anew(context.store.redis),
            serializer=JSONSerializer,
            log_job_description=False,
            worker_ttl=TTL,
        )
        worker.work(burst=burst, logging_level="WARNING")
