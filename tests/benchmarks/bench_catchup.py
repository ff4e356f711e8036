"""How fast watchers catch up: one worker, and two that share the work.

python -m tests.benchmarks.bench_catchup [BATCHES]

A new watcher beside one that has everything: its batches are read already, the machines at claimed ends are the other
one's, over HTTP. One and two workers take turns in one run; what counts is the median. `a core each`: workers that may
use one core each, as on hosts of one core; without it one worker has its signatures found on the second core by a
thread (`Machine._begin_signatures`), which two workers have to share. `alone`: two workers with a core each, and nobody
has a machine: the second finds signers. The processor's seconds are those of the workers alone, of all cores, without
their start; on a machine that others use they say more than the clock: two workers could be 2 × `one's by two's` as
fast. Left out are the ten seconds of checks by plain steps that a new process has saved up (`spot_checks.py`).
"""

import dataclasses
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.support.chains.exchange import Exchange
from tests.support.processes.serving import serving
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.dispute.calls import Call
from setoff.shared.l1.court import CourtContract
from setoff.shared.params import DEVNET
from setoff.watcher.execution import worker
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.scout import Scout
from setoff.watcher.server import make_app, make_snapshot_desk
from setoff.watcher.settings import WatcherSettings

EPOCH_BATCHES = 4
BATCHES = 200
RECORDS = 1000
ACCOUNTS = 40
TURNS = 2
PINNED, ALONE = "a core each, ", "alone, "
WAYS = ((PINNED, 1), (PINNED, 2), (ALONE, 2), ("", 1), ("", 2))


class Run(NamedTuple):
    """Of one watcher that caught up."""

    rate: float
    """Records a second."""
    processor: float
    """Milliseconds of the workers' processors for a record."""


def post_all(exchange: Exchange, batches: int) -> int:
    """Orders, half of which trade; the number of records."""
    traffic, rng = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes), random.Random(1)
    for account in range(1, ACCOUNTS + 1):
        exchange.deposit(account, 10**15)
    exchange.enact(traffic.list_market())
    exchange.enact(traffic.set_signer(max_age=3600))
    exchange.post(0, ACCOUNTS + 2)
    count = 0
    for number in range(1, batches):
        traffic.time = exchange.operator.head().timestamp
        bodies = [traffic.report(0, 100)]
        for _ in range(RECORDS - 1):
            account, side = rng.randrange(1, ACCOUNTS + 1), rng.randrange(2)
            price = 100 + (1 if side == records.SELL else -1) * rng.randrange(-1, 3)
            slot = rng.randrange(64)
            bodies.append(traffic.order(account, side, price, rng.randrange(1, 9), order_slot=slot))
        exchange.post(number, 0, bodies)
        count += len(bodies)
    return count


def claim_all(exchange: Exchange, ends: list[bytes]) -> None:
    """As the operator does."""
    court = CourtContract(exchange.operator, exchange.deployment.court)
    starts = [court.genesis, *ends]
    for epoch, end in enumerate(ends):
        stake = 0 if epoch % DEVNET.stake_claims else DEVNET.stake
        exchange.operator.transact(court.address, court.encode(Call("claim", (epoch, starts[epoch], end))), stake)


class _InFullStride(Executor):
    """Of a process that has run for a while: what it had saved up for checks is spent."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.checks._credit = 0.0


def work(settings: WatcherSettings, core: int | None) -> None:
    """A worker's process."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    worker.Executor = _InFullStride  # type: ignore[misc]
    worker.run_worker(settings)


def count_processor(process: SpawnProcess) -> float:
    """Seconds that a process has had, of all cores."""
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def catch_up(settings: WatcherSettings, workers: int, records: int, ends: list[bytes], *, is_pinned: bool) -> Run:
    """One watcher, from nothing but its batches."""
    desk, context = Desk(settings), multiprocessing.get_context("spawn")
    desk.catch_up()
    cores = sorted(os.sched_getaffinity(0))
    started = [
        context.Process(target=work, args=(settings, cores[number % len(cores)] if is_pinned else None))
        for number in range(workers)
    ]
    for process in started:
        process.start()
    while len(desk.jobs.workers()) < workers:
        time.sleep(0.05)
    scout, begin = Scout(settings, desk.store), time.monotonic()
    before = sum(map(count_processor, started))
    desk.jobs.enqueue_next()
    looked = 0.0
    while desk.store.epoch_count() < len(ends):
        if time.monotonic() - looked >= 1.0:
            scout.look()
            desk.jobs.enqueue_next()
            looked = time.monotonic()
        time.sleep(0.02)
    seconds, spent = time.monotonic() - begin, sum(map(count_processor, started)) - before
    for process in started:
        process.terminate()
        process.join()
    assert [result.end for result in desk.store.results()] == ends
    desk.store.redis.delete(*desk.store.redis.scan_iter(desk.store.key("*"), count=1000))
    return Run(records / seconds, spent / records * 1e3)


def measure(batches: int, tell: Callable[[str], None] = lambda _: None) -> dict[str, float]:
    """Records a second by the number of workers, with and without a core each, and how much faster two are."""
    figures: dict[str, float] = {}
    with Anvil() as anvil, tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder) / "redis") as redis:
        exchange = Exchange(anvil, dataclasses.replace(DEVNET, epoch_batches=EPOCH_BATCHES))
        exchange.deployment.save(Path(folder) / "deployment.json")
        count = post_all(exchange, batches)
        settings = WatcherSettings(
            deployment=Path(folder) / "deployment.json",
            rpc_url=anvil.url,
            redis_url=redis.url,
            evidence_dir=Path(folder) / "evidence",
            name="peer",
        )
        peer = Desk(settings)
        peer.execute_all()
        ends = [result.end for result in peer.store.results()]
        claim_all(exchange, ends)
        tell(f"{count} records in {batches} batches, {len(ends)} epochs")
        with serving(lambda: make_app(make_snapshot_desk(peer.store).routes())) as url:
            runs: dict[tuple[str, int], list[Run]] = {}
            for turn in range(TURNS):
                for number, (how, workers) in enumerate(WAYS):
                    peers = "" if how == ALONE else url
                    new = dataclasses.replace(settings, name=f"new-{turn}-{number}", snapshot_peers=peers)
                    run = catch_up(new, workers, count, ends, is_pinned=how != "")
                    runs.setdefault((how, workers), []).append(run)
                    load = os.getloadavg()[0]
                    tell(f"{how}{workers}: {run.rate:,.0f} records/s, {run.processor:.3f} ms a record, load {load:.1f}")
    for (how, workers), each in runs.items():
        figures[f"{how}{workers} workers: records a second"] = median(run.rate for run in each)
        figures[f"{how}{workers} workers: processor_ms"] = median(run.processor for run in each)
    for how, one in ((PINNED, PINNED), (ALONE, PINNED), ("", "")):
        rates = (figures[f"{each} workers: records a second"] for each in (f"{one}1", f"{how}2"))
        figures[f"{how}two, by one"] = 1 / next(rates) * next(rates)
        spent = [figures[f"{each} workers: processor_ms"] for each in (f"{one}1", f"{how}2")]
        figures[f"{how}processor, one's by two's"] = spent[0] / spent[1]
    figures["load of the machine at the end"] = os.getloadavg()[0]
    return figures


def run() -> dict[str, float]:
    """Records a second of one and of two workers that catch up, and how much faster two are."""
    return measure(BATCHES)


if __name__ == "__main__":
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else BATCHES, print).items():
        print(f"{name:48} {value:14,.3f}")
