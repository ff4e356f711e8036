"""A process that executes epochs: RQ's simple worker, in whose process the last machine stays at hand.

Any number of them may run, on any machine that reaches the watcher's Redis and an L1 node.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import Final

from redis import ConnectionPool, Redis
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from setoff.watcher.context import Context
from setoff.watcher.execution import jobs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.pulse import Pulse
from setoff.watcher.settings import WatcherSettings

TTL: Final = 60
"""Seconds for which RQ lists a worker that is silent; it waits somewhat less for a job before it says so again."""


def make_worker_name() -> str:
    """A name that no other worker has had: one that was killed still has its own in RQ's books for a while."""
    return f"worker-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


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
    executor = Executor(Archive.of(context), queues, settings.snapshot_epochs, name, stakes=stakes)

    def execute(epoch: int) -> bytes | None:
        try:
            return executor.execute(epoch)
        finally:
            tally = executor.checks.tally
            pulse.tell(inputs=tally.inputs, checked=tally.checked, check_seconds=round(tally.seconds, 2))

    jobs.bind(execute)
    with Pulse(context.store, name).beating() as pulse:
        pulse.beat()
        worker = SimpleWorker(
            [queues.queue(name), queues.queue()],
            name=name,
            connection=_connect_anew(context.store.redis),
            serializer=JSONSerializer,
            log_job_description=False,
            worker_ttl=TTL,
        )
        worker.work(burst=burst, logging_level="WARNING")
