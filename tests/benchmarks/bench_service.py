"""The service as its clients meet it: from the sending of a signed record to the answer that it is durable.

python -m tests.benchmarks.bench_service [FIGURE…]

The operator, its store and the senders are processes of their own on one machine. Delays mean something where nobody
else uses it; what the operator's processes spend on a record is in `machine_us` (the sequencer's) and `api_us`, and as
a ratio to a signature recovered there and then (`machine_ratio`, `api_ratio`), which means something anywhere.

`steady`: an unhurried rate. `rate`: as much as is answered while some hundred are on their way. `flood`: another
address sends five times as much as is taken: what that does to others who send as before, and how soon it is refused.
`listeners`: the rate while 1,000 WebSockets hear the book, best prices and trades of a market, packed, beside the rate
without them, and what one record costs the processes more (`…_more_us`); `all_listeners`: the same where they hear all
records and fills. `one_process`: the rate with `api_processes` 0.

The senders and listeners share the machine. A sender's own lateness counts in the delays of `steady` and of those who
send beside a flood; the flood says how late it was (`own_late_p99_ms`), and its delays count from when a frame was
handed to the socket.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.processes.running_operator import DEPLOYMENT, SETTINGS, HandL1, make_signer, opening

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.api import loop
from setoff.operator.api.service import serve
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import eip712, records
from setoff.shared.codec.recovery import recover
from setoff.shared.config.redis_server import RedisServer

ACCOUNTS: Final = 200
STEADY: Final = 2000
"""Orders a second of the unhurried figure over WebSockets; over HTTP a quarter of it."""
SECONDS: Final = 6
MANY: Final = 20_000
LISTENERS: Final = 1000
OTHERS: Final = 200
"""Orders a second of those who send beside a flood."""
FLOOD: Final = 5


def make_orders(traffic: SampleTraffic, count: int) -> list[bytes]:
    """Signed orders around 100, half of them crossing; those that rest leave after a while."""
    choose = random.Random(1)
    made: list[bytes] = []
    for i in range(count):
        account = 1 + i % ACCOUNTS
        side = choose.randrange(2)
        away = choose.randrange(-6, 6)
        price = 100 - away if side == records.BUY else 100 + away
        flags = records.IOC if away < 0 or choose.random() < 0.4 else records.GTC
        made.append(traffic.order(account, side, price, choose.randrange(1, 20), flags=flags))
    return made


# --- the operator's process ------------------------------------------------------------------------------------------


async def serve_here(redis_url: str, settings: dict[str, Any]) -> None:
    """An operator on a chain written by hand, until it is ended."""
    wide = {"batch_interval": 2.0, "max_unposted": 10**6, "api_processes": 1, "max_per_client": 4096}
    chosen = OperatorSettings(**(SETTINGS | wide | settings))
    l1 = HandL1(opening(SampleTraffic(), ACCOUNTS, 10**15))
    async with serve(chosen, DEPLOYMENT, redis_url, l1, l1, make_signer()) as (_, url):
        print(url, flush=True)
        await asyncio.Event().wait()


@contextmanager
def service(**settings: Any) -> Iterator[tuple[str, int, list[bytes]]]:
    """A running operator: its URL, its process, and the first record that opens its market."""
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as server:
        command = [sys.executable, "-m", "tests.benchmarks.bench_service", "serve", server.url, json.dumps(settings)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url.startswith("http"):
                raise RuntimeError("the operator did not start")
            yield url, process.pid, [SampleTraffic().report(0, 100)]
        finally:
            process.terminate()
            process.wait()


def start_load(*arguments: object) -> subprocess.Popen[str]:
    """A process of `tests/support/processes/load.py`."""
    command = [sys.executable, "-m", "tests.support.processes.load", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def start_sender(how: str, url: str, orders: list[bytes], rate: float = 0, *address: str) -> subprocess.Popen[str]:
    """Begin to send."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"".join(orders))
    return start_load(how, url, file.name, rate, *address)


def start_flood(url: str, record: bytes, *how: Any) -> subprocess.Popen[str]:
    """Begin to send one record again and again: `tests/support/processes/flooding.py`."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(record)
    command = [sys.executable, "-m", "tests.support.processes.flooding", url, file.name, *map(str, how)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def send(*arguments: Any) -> dict[str, Any]:
    """Send, and wait for the figures."""
    said, _ = start_sender(*arguments).communicate()
    return dict(json.loads(said))


# --- figures ---------------------------------------------------------------------------------------------------------


class Meter:
    """What the operator's processes spend from here on."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = self._read()

    def show(self, count: int, record: bytes) -> dict[str, Any]:
        """By record, and beside what a signature takes now; and the most memory that a process has had."""
        machine, api = (after - before for after, before in zip(self._read(), self._before, strict=True))
        signature = _time_signature(record)
        shown: dict[str, Any] = {}
        for name, seconds in (("machine", machine), ("api", api)):
            shown |= {
                f"{name}_us": round(1e6 * seconds / count),
                f"{name}_ratio": round(seconds / count / signature, 2),
            }
        return shown | {"signature_us": round(1e6 * signature), "memory_mb": max(map(_memory, self._list()))}

    def _read(self) -> tuple[float, float]:
        machine, *fronts = [_cpu(pid) for pid in self._list()]
        return machine, sum(fronts)

    def _list(self) -> list[int]:
        """The sequencer's process, and those of the API."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        return [self._pid, *map(int, children)]


def _time_signature(record: bytes) -> float:
    digest, signature = eip712.digest(DEPLOYMENT.domain, record[: records.BODY_BYTES]), record[records.BODY_BYTES :]
    start = time.thread_time()
    for _ in range(2000):
        recover(digest, signature)
    return (time.thread_time() - start) / 2000


def _cpu(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure(how: str, rate: float, count: int, **settings: Any) -> dict[str, Any]:
    """One way of sending at one rate."""
    with service(**settings) as (url, pid, first):
        send("http", url, first)
        orders, meter = make_orders(SampleTraffic(), count), Meter(pid)
        return send(how, url, orders, rate) | meter.show(count, orders[0])


def measure_listeners(what: str) -> dict[str, Any]:
    """The rate with LISTENERS of one kind, and its ratio to that without, before and after, in one service."""
    with service() as (url, pid, first):
        send("http", url, first)
        orders = make_orders(SampleTraffic(), 3 * MANY)
        meter = Meter(pid)
        without = [send("ws", url, orders[:MANY])["per_second"]]
        alone = meter.show(MANY, orders[0])
        listening = start_load("listen", url, LISTENERS, what)
        assert listening.stdout is not None
        listening.stdout.readline()
        meter = Meter(pid)
        figures = send("ws", url, orders[MANY : 2 * MANY])
        spent = meter.show(MANY, orders[0])
        heard, _ = listening.communicate("end\n")
        without.append(send("ws", url, orders[2 * MANY :])["per_second"])
    more = {f"{name}_more_us": spent[f"{name}_us"] - alone[f"{name}_us"] for name in ("machine", "api")}
    return figures | spent | more | json.loads(heard) | {"to_none": round(2 * figures["per_second"] / sum(without), 2)}


def measure_flood() -> dict[str, Any]:
    """Others' delays alone, beside a flood, and after it; and how the flood is answered."""
    with service(max_per_client=512) as (url, pid, first):
        send("http", url, first)
        traffic = SampleTraffic()
        count = OTHERS * SECONDS
        orders = make_orders(traffic, 3 * count + MANY)
        most = send("ws", url, orders[3 * count :], 0, "127.0.0.2")["per_second"]
        alone = send("ws", url, orders[:count], OTHERS)
        flood = start_flood(url, orders[3 * count], FLOOD * most, SECONDS + 2, "127.0.0.2")
        time.sleep(1.0)
        meter = Meter(pid)
        beside = send("ws", url, orders[count : 2 * count], OTHERS)
        spent = meter.show(count, orders[0])
        answered = json.loads(flood.communicate()[0])
        after = send("ws", url, orders[2 * count : 3 * count], OTHERS)
    found = {"most_per_second": most, "memory_mb": spent["memory_mb"]}
    for name, figures in (("alone", alone), ("beside", beside), ("after", after)):
        found |= {f"{name}_{key}": figures[key] for key in ("p50_ms", "p99_ms")}
    found["beside_to_alone"] = round(beside["p50_ms"] / alone["p50_ms"], 2)
    return found | {f"flood_{key}": value for key, value in answered.items()}


FIGURES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "http_steady": lambda: measure("http", STEADY / 4, STEADY // 4 * SECONDS),
    "http_rate": lambda: measure("http", 0, MANY // 3),
    "ws_steady": lambda: measure("ws", STEADY, STEADY * SECONDS),
    "ws_rate": lambda: measure("ws", 0, MANY),
    "ws_one_process": lambda: measure("ws", 0, MANY, api_processes=0),
    "listeners": lambda: measure_listeners("market"),
    "all_listeners": lambda: measure_listeners("everything"),
    "flood": measure_flood,
}


def run(*names: str) -> dict[str, Any]:
    """Measure, and return the figures by name."""
    found: dict[str, Any] = {}
    for name in names or FIGURES:
        found |= {f"{name}_{key}": value for key, value in FIGURES[name]().items()}
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", redis_url, settings]:
            loop.run(serve_here(redis_url, json.loads(settings)))
        case names:
            print(json.dumps(run(*names), indent=2))
