"""How soon an operator is back after its process has died, and what a snapshot costs those who trade meanwhile.

python -m tests.benchmarks.bench_recovery

`recovery`: seconds from nothing to the exchange, in a process of its own, from a snapshot of 100,000 accounts and
100,000 records behind it, in commits of 64 and batches of 1,024; `processor`: of which it had the processor.

`acks`: from when a record is to be sent to its receipt, at an unhurried rate, with as many accounts: `calm` without a
snapshot, `snapshots` with one after the other, until at least one is written, which takes `snapshot`. The sender is in
the sequencer's process and on its event loop: what keeps that keeps him.
"""

import asyncio
import dataclasses
import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from redis import Redis
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, opening, operator

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal import Draft, Journal, connect
from setoff.operator.sequencer.journal_events import JournalEvent, Recorded
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.recovery import Recovery
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import InputError
from setoff.shared.l1.da.calldata import CALLDATA
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.machine.machine import Machine
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, encode_account

ACCOUNTS = 200
"""That trade."""
MANY = 100_000
"""Accounts."""
RECORDS = 100_000
GROUP = 64
RATE = 500
WARM = 1000
"""Records before those that are measured."""
SECONDS = 16
MOST_SECONDS = 120
"""Until a snapshot is written, at most."""


def make_orders(traffic: SampleTraffic, count: int) -> list[bytes]:
    """Orders at one price, each second one of which meets the one before."""
    return [traffic.order(1 + i % ACCOUNTS, i % 2, 100, 1 + i // 2 % 7) for i in range(count)]


def grow(machine: Machine, count: int) -> None:
    """Until there are so many accounts; those that nobody trades with have money and no more."""
    machine.state.commit()
    leaves: dict[int, bytes] = {}
    account = Account(collateral=10**9)
    for number in range(machine.regs.accounts + 1, count + 1):
        account.owner = number.to_bytes(20, "big")
        leaves[keys.account_key(number)] = encode_account(account)
    machine.state.tree.update(leaves)
    machine.regs.accounts = max(machine.regs.accounts, count)


async def begin(redis_url: str, traffic: SampleTraffic, l1: HandL1) -> tuple[Exchange, Journal]:
    """A store with batch 0, which L1 holds, and a snapshot after it of many accounts."""
    with Redis.from_url(redis_url) as redis:
        exchange = Exchange(Machine.genesis(*DEPLOYMENT.genesis), BatchCursor(), DEPLOYMENT.epoch_batches)
        exchange.open(START_TIME, tuple(l1.messages))
        exchange.offer(traffic.report(0, 100))
        _, sealed = exchange.close()
        outbox = Outbox(redis, DEPLOYMENT.namespace)
        outbox.put(sealed)
        l1.posted.append(sealed.batch)
        outbox.set_posted(1)
    grow(exchange.machine, MANY)
    journal = Journal(connect(redis_url), DEPLOYMENT.namespace)
    cursor = dataclasses.replace(exchange.cursor)
    await journal.begin_anew(Draft(1, cursor, exchange.machine.copy(), exchange.machine.hash()))
    return exchange, journal


async def log_records(exchange: Exchange, journal: Journal, orders: list[bytes]) -> None:
    """The commits that taking these would have made."""
    waiting = iter(orders)
    left = len(orders)
    while left:
        events: list[JournalEvent] = [exchange.open(START_TIME, ())]
        for _ in range(min(MAX_INPUTS, left)):
            left -= 1
            record = next(waiting)
            try:
                exchange.offer(record)
            except InputError as error:
                raise RuntimeError(f"a record is refused: {error}") from None
            events.append(Recorded(record))
            if len(events) >= GROUP:
                await journal.append(events)
                events = []
        closed, _ = exchange.close()
        await journal.append([*events, closed])


async def recover(redis_url: str) -> float:
    """Seconds that it takes here."""
    begun, used = time.perf_counter(), time.process_time()
    with Redis.from_url(redis_url) as redis:
        journal = Journal(connect(redis_url), DEPLOYMENT.namespace)
        recovery = Recovery(journal, Outbox(redis, DEPLOYMENT.namespace), DEPLOYMENT, CALLDATA.number)
        exchange = await recovery.recover()
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor": used,
                "records": exchange.cursor.records,
                "end": exchange.machine.hash().hex(),
            }
        )
    )
    return seconds


async def measure_recovery(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as server:
        traffic = SampleTraffic()
        l1 = HandL1(opening(traffic, ACCOUNTS, 10**15))
        exchange, journal = await begin(server.url, traffic, l1)
        await log_records(exchange, journal, make_orders(traffic, count))
        end = exchange.machine.hash().hex()
        del exchange
        command = [sys.executable, "-m", "tests.benchmarks.bench_recovery", "recover", server.url]
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        whole = time.perf_counter() - begun
        told = json.loads(done.stdout)
        if told["end"] != end or told["records"] != count + 1:
            raise RuntimeError("it has come back as another exchange")
    return {"recovery_s": told["seconds"], "recovery_processor_s": told["processor"], "recovery_with_start_s": whole}


class Written(logging.Handler):
    """Hears of snapshots: how long each has taken, seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("a snapshot before batch") and isinstance(record.args, tuple):
            self.seconds.append(float(str(record.args[1])))


async def measure_acks(*, with_snapshots: bool) -> tuple[list[float], list[float]]:
    """Delays of receipts, ascending, and what each snapshot took that was written meanwhile, seconds."""
    written = Written()
    log = logging.getLogger(Recovery.__module__)
    log.setLevel(logging.INFO)
    log.addHandler(written)
    try:
        return await send_while_written(written, with_snapshots=with_snapshots), written.seconds
    finally:
        log.removeHandler(written)


async def send_while_written(written: Written, *, with_snapshots: bool) -> list[float]:
    """The former, sent for `SECONDS` and, `with_snapshots`, until one is written."""
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as server:
        traffic = SampleTraffic()
        l1 = HandL1(opening(traffic, ACCOUNTS, 10**15))
        _, journal = await begin(server.url, traffic, l1)
        del journal
        settings = {"batch_interval": 0.5, "max_unposted": 10**6, "snapshot_batches": 1 if with_snapshots else 10**6}
        async with operator(server.url, traffic, l1, **settings) as running:
            orders = make_orders(traffic, WARM + RATE * (MOST_SECONDS if with_snapshots else SECONDS))
            delays: list[float] = []

            async def send(record: bytes, due: float) -> None:
                await running.sequencer.submit(record)
                delays.append(time.perf_counter() - due)

            for record in orders[:WARM]:  # columns of all accounts are made once, and libraries loaded
                await running.sequencer.submit(record)
            begun = time.perf_counter()
            sending: set[asyncio.Task[None]] = set()
            for number, record in enumerate(orders[WARM:]):
                if number >= RATE * SECONDS and written.seconds:
                    break
                due = begun + number / RATE
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                task = asyncio.create_task(send(record, due))
                sending.add(task)
                task.add_done_callback(sending.discard)
                if number % 50 == 0:
                    running.l1.take(running.outbox)
            await asyncio.gather(*sending)
            if with_snapshots and not written.seconds:
                raise RuntimeError(f"no snapshot was written in {MOST_SECONDS} s")
    return sorted(delays)


def run() -> dict[str, float]:
    """Measure, and return the figures by name."""
    figures = asyncio.run(measure_recovery(RECORDS))
    for name, with_snapshots in (("calm", False), ("snapshots", True)):
        delays, written = asyncio.run(measure_acks(with_snapshots=with_snapshots))
        figures[f"acks_{name}_median_ms"] = 1000 * delays[len(delays) // 2]
        figures[f"acks_{name}_p99_ms"] = 1000 * delays[len(delays) * 99 // 100]
        figures[f"acks_{name}_max_ms"] = 1000 * delays[-1]
        if written:
            figures["snapshot_s"] = max(written)
    return figures


if __name__ == "__main__":
    if sys.argv[1:2] == ["recover"]:
        asyncio.run(recover(sys.argv[2]))
    else:
        print(json.dumps(run(), indent=2))
