"""What an honest client waits for while another one floods the API with badly signed records.

python -m tests.benchmarks.bench_flood

The flood comes from its own network address and process, 128 records a request over 8 connections. The figure that
counts is the ratio of the honest client's delays with and without it.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.processes.running_operator import HandL1, open_market, opening, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.wire.records import encode_record

HONEST = 80
"""Records that an honest client sends, one after the other."""
PAUSE = 0.02
"""Seconds between two of them."""
CONNECTIONS = 8
BULK = 128
FLOOD_ADDRESS = "127.0.0.2"


async def measure_delays(url: str, bodies: list[bytes]) -> list[float]:
    """Seconds for each answer, ascending."""
    delays: list[float] = []
    async with aiohttp.ClientSession() as http:
        for body in bodies:
            start = time.perf_counter()
            async with http.post(f"{url}/v1/records", data=body) as response:
                answer = await response.text()
            if response.status != 200:
                raise RuntimeError(f"an honest record was refused: {answer}")
            delays.append(time.perf_counter() - start)
            await asyncio.sleep(PAUSE)
    return sorted(delays)


async def flood(url: str) -> None:
    """Send what nobody has signed until this process is ended."""
    traffic = SampleTraffic()
    forged = [traffic.sign(traffic.order(1, 0, 90, 1)[: records.BODY_BYTES], trader_key(2)) for _ in range(BULK)]
    body = b"".join(forged)

    async def client(http: aiohttp.ClientSession) -> None:
        while True:
            async with http.post(f"{url}/v1/records/bulk", data=body) as response:
                await response.read()

    connector = aiohttp.TCPConnector(limit=CONNECTIONS, local_addr=(FLOOD_ADDRESS, 0))
    async with aiohttp.ClientSession(connector=connector) as http:
        print("flooding", flush=True)
        await asyncio.gather(*[client(http) for _ in range(CONNECTIONS)])


async def measure() -> dict[str, Any]:
    """All figures."""
    results: dict[str, Any] = {"honest_records": HONEST, "flood_connections": CONNECTIONS, "flood_bulk": BULK}
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as server:
        traffic = SampleTraffic()
        async with operator(server.url, traffic, HandL1(opening(traffic)), batch_interval=2.0) as running:
            await open_market(running)
            bodies = [
                json.dumps(encode_record(traffic.order(3, 0, 90, 1, flags=records.IOC))).encode()
                for _ in range(2 * HONEST)
            ]
            quiet = await asyncio.to_thread(asyncio.run, measure_delays(running.url, bodies[:HONEST]))
            with subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.bench_flood", running.url], stdout=subprocess.PIPE
            ) as attacker:
                try:
                    assert attacker.stdout is not None
                    await asyncio.to_thread(attacker.stdout.readline)
                    flooded = await asyncio.to_thread(asyncio.run, measure_delays(running.url, bodies[HONEST:]))
                finally:
                    attacker.kill()
    for name, at in (("median", 2), ("p95", 20)):
        before, during = quiet[-1 - len(quiet) // at], flooded[-1 - len(flooded) // at]
        results |= {f"quiet_{name}_ms": round(1000 * before, 2), f"flooded_{name}_ms": round(1000 * during, 2)}
        results[f"{name}_ratio"] = round(during / before, 2)
    return results


def run() -> dict[str, Any]:
    """Measure, and return the figures by name."""
    return asyncio.run(measure())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(flood(sys.argv[1]))
    else:
        print(json.dumps(run(), indent=2))
