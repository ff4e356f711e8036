"""Signed records a second from a durable stream to the root after each batch, on all cores that this process has.

The stream is a Redis-protocol server's, on disk; a batch is read from it, committed to as calldata, run, and its state
hashed. Processor time counts all threads of this process: a batch's signatures are found by a second one.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import redis
from tests.support.machines.standing_book import RECORDS, TIME, Flow, make_batch, make_market

from setoff.shared import errors
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.machine import Machine

BATCHES = 8
STREAM = "records"


def write(server: redis.Redis, batches: list[Batch]) -> None:
    """Append every record, and wait until they are on disk."""
    pipe = server.pipeline(transaction=False)
    for batch in batches:
        for record in batch.records:
            pipe.xadd(STREAM, {"record": record})
    pipe.execute()


def replay(server: redis.Redis, machine: Machine) -> int:
    """Run all that is in the stream; how many records were accepted."""
    taken, last = 0, "-"
    while True:
        entries = server.xrange(STREAM, min=last, count=RECORDS)
        if not entries:
            return taken
        last = "(" + entries[-1][0].decode()
        batch = Batch.seal(
            ZERO, machine.regs.batch + 1, TIME + 1, 0, 0, ZERO, (), [fields[b"record"] for _, fields in entries]
        )
        taken += machine.run_batch(batch).count(errors.ACCEPTED)
        machine.hash()


def run() -> dict[str, float]:
    """Figures of 8 full batches of the mix of `bench_records.py`."""
    flow = Flow(seed=1)
    machine = make_market(flow)
    ahead, batches = machine.copy(), []
    for _ in range(BATCHES):
        batches.append(make_batch(flow, ahead))
        ahead.run_batch(batches[-1])
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as embedded:
        server = redis.Redis.from_url(embedded.url)
        write(server, batches)
        trial = machine.copy()
        spent, begin = time.process_time(), time.perf_counter()
        taken = replay(server, trial)
        seconds, spent = time.perf_counter() - begin, time.process_time() - spent
        server.close()
    assert taken == BATCHES * RECORDS and trial.hash() == ahead.hash()
    return {
        "cores": len(os.sched_getaffinity(0)),
        "records": taken,
        "records_a_second": taken / seconds,
        "processor_us": spent / taken * 1e6,
        "cores_used": spent / seconds,
        "of_each_core_a_second": taken / spent,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
