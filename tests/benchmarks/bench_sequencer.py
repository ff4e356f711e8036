"""Records a second: through the sequencer alone (machine, durable log), and through its HTTP interface.

python -m tests.benchmarks.bench_sequencer
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.processes.running_operator import HandL1, Running, open_market, opening, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.wire.records import encode_record

ACCOUNTS = 50
RECORDS = 6000
CONNECTIONS = 64
BULK = 128
"""Records of a bulk request."""
BULK_CONNECTIONS = 8


def make_orders(traffic: SampleTraffic, count: int) -> list[bytes]:
    """Signed orders around 100, half of them crossing, and now and then a cancel; all accepted."""
    choose = random.Random(1)
    made: list[bytes] = []
    for i in range(count):
        account = 1 + i % ACCOUNTS
        side = choose.randrange(2)
        away = choose.randrange(-4, 12)
        price = 100 - away if side == records.BUY else 100 + away
        made.append(traffic.order(account, side, price, choose.randrange(1, 20), flags=records.IOC if away < 0 else 0))
    return made


def wire(orders: list[bytes]) -> list[bytes]:
    return [json.dumps(encode_record(record)).encode() for record in orders]


async def through_sequencer(running: Running, orders: list[bytes]) -> float:
    """Seconds for all orders, `CONNECTIONS` of them at a time."""
    waiting = iter(orders)

    async def client() -> None:
        for record in waiting:
            await running.sequencer.submit(record)

    start = time.perf_counter()
    await asyncio.gather(*[client() for _ in range(CONNECTIONS)])
    return time.perf_counter() - start


async def send(url: str, bodies: list[bytes], connections: int) -> list[float]:
    """Post all bodies; the answers' delays in seconds. Every record has to be accepted."""
    waiting = iter(bodies)
    delays: list[float] = []

    async def client(http: aiohttp.ClientSession) -> None:
        for body in waiting:
            start = time.perf_counter()
            async with http.post(url, data=body) as response:
                answer = await response.read()
            delays.append(time.perf_counter() - start)
            if response.status != 200 or b'"reason"' in answer:
                raise RuntimeError(answer.decode()[-300:])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as http:
        await asyncio.gather(*[client(http) for _ in range(connections)])
    return delays


async def measure() -> dict[str, Any]:
    """All figures."""
    results: dict[str, Any] = {"records": RECORDS, "connections": CONNECTIONS}
    for name in ("sequencer", "http", "http_bulk"):
        with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as server:
            traffic = SampleTraffic()
            l1 = HandL1(opening(traffic, ACCOUNTS, 10**15))
            settings = {"batch_interval": 2.0, "max_unposted": 10**6, "max_per_client": 10**6}
            async with operator(server.url, traffic, l1, **settings) as running:
                await open_market(running)
                orders = make_orders(traffic, RECORDS)
                before = running.sequencer.commit
                if name == "sequencer":
                    seconds = await through_sequencer(running, orders)
                else:
                    seconds, delays = await asyncio.to_thread(run_sender, running.url, orders, name == "http_bulk")
                    results[f"{name}_median_ms"] = round(1000 * delays[0], 2)
                    results[f"{name}_p99_ms"] = round(1000 * delays[1], 2)
                results[f"{name}_per_second"] = round(RECORDS / seconds)
                results[f"{name}_records_per_commit"] = round(RECORDS / (running.sequencer.commit - before), 1)
    return results


def run_sender(url: str, orders: list[bytes], bulk: bool) -> tuple[float, tuple[float, float]]:
    """Send from a process of its own; seconds, and median and 99th percentile of the delays."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(orders))
        file.flush()
        command = [sys.executable, "-m", "tests.benchmarks.bench_sequencer", url, file.name, "bulk" if bulk else "one"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, median, p99 = map(float, done.stdout.split())
    return seconds, (median, p99)


def sender(url: str, file: str, how: str) -> None:
    """The sending process."""
    data = Path(file).read_bytes()
    size = records.RECORD_BYTES
    if how == "bulk":
        bodies = [data[i : i + BULK * size] for i in range(0, len(data), BULK * size)]
        url, connections = url + "/v1/records/bulk", BULK_CONNECTIONS
    else:
        bodies = wire([data[i : i + size] for i in range(0, len(data), size)])
        url, connections = url + "/v1/records", CONNECTIONS
    start = time.perf_counter()
    delays = sorted(asyncio.run(send(url, bodies, connections)))
    seconds = time.perf_counter() - start
    print(seconds, delays[len(delays) // 2], delays[len(delays) * 99 // 100])


def run() -> dict[str, Any]:
    """Measure, and return the figures by name."""
    return asyncio.run(measure())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sender(*sys.argv[1:])
    else:
        print(json.dumps(run(), indent=2))
