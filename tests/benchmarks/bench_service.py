"""The service as its clients meet it: from the sending of a signed record to the answer that it is durable.

python -m tests.benchmarks.bench_service [FIGURE…]

The operator, its store and the sender are processes of their own on one machine; whatever the operator starts is its
own. 200 accounts send orders, open loop: a record is sent when its time has come, whether or not those before it are
answered, and its delay counts from that time. `rate` is what is answered a second while as much as can be is on the
way; the sender's own work is in it, for it shares the machine.
"""

import asyncio
import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
from tests.support.processes.running_operator import DEPLOYMENT, SETTINGS, HandL1, make_signer, opening

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.api.service import serve
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.wire.entry_frames import encode_request
from setoff.shared.wire.records import encode_record

ACCOUNTS: Final = 200
SIZE: Final = records.RECORD_BYTES
STEADY: Final = 2000
"""Orders a second of the unhurried figure."""
SECONDS: Final = 6
CONNECTIONS: Final = 64
"""Of HTTP, on which there is one request at a time; WebSockets take many, on a few."""
SOCKETS: Final = 8
FLIGHT: Final = 400
"""Records on the way in the figures of the rate."""


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
    chosen = OperatorSettings(**(SETTINGS | {"batch_interval": 2.0, "max_unposted": 10**6} | settings))
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


# --- the sender's process --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Tally:
    """What became of the records of one sender: milliseconds until each was taken, or refused."""

    taken: list[float] = dataclasses.field(default_factory=list)
    refused: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    def note(self, reason: str | None, seconds: float) -> None:
        (self.taken if reason is None else self.refused.setdefault(reason, [])).append(1000 * seconds)

    def show(self, seconds: float) -> dict[str, Any]:
        shown: dict[str, Any] = {"per_second": round(len(self.taken) / seconds), **_percentiles(self.taken)}
        for reason, delays in self.refused.items():
            shown |= {f"{reason}": len(delays)} | {f"{reason}_{k}": v for k, v in _percentiles(delays).items()}
        return shown


def _percentiles(delays: list[float]) -> dict[str, float]:
    found = sorted(delays)
    return {f"p{at}_ms": round(found[len(found) * at // 100], 2) for at in (50, 99)} if found else {}


async def send_http(url: str, orders: list[bytes], rate: float) -> dict[str, Any]:
    """JSON over HTTP: `rate` a second, or 0 for as many as are answered."""
    bodies = [json.dumps(encode_record(record)).encode() for record in orders]
    tally, start = Tally(), time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:

        async def post(body: bytes, due: float) -> None:
            async with http.post(f"{url}/v1/records", data=body) as response:
                answer = await response.read()
            reason = None if response.status == 200 else json.loads(answer)["reason"]
            tally.note(reason, time.perf_counter() - due)

        if rate:
            tasks = set[asyncio.Task[None]]()
            for number, body in enumerate(bodies):
                due = start + number / rate
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                task = asyncio.create_task(post(body, due))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)
        else:
            waiting = iter(bodies)

            async def client() -> None:
                for body in waiting:
                    await post(body, time.perf_counter())

            await asyncio.gather(*[client() for _ in range(CONNECTIONS)])
    return tally.show(time.perf_counter() - start)


class Raw(asyncio.Protocol):
    """A WebSocket of a client that costs next to nothing, so that what is measured is the service: frames are made
    before, masked with zeros, and of answers only the heads are read."""

    def __init__(self, tally: Tally, dues: dict[int, float], step: Callable[[], None]) -> None:
        self.tally, self.dues, self.step = tally, dues, step
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            b"GET /v1/entry HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data
        at = 0
        if not self.opened.done():
            if b"\r\n\r\n" not in data:
                self.buffer = data
                return
            at = data.index(b"\r\n\r\n") + 4
            self.opened.set_result(None)
        now = time.perf_counter()
        while len(data) - at >= 4:
            length, head = data[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            if len(data) - at < head + length:
                break
            if data[at] == 0x82:
                body = at + head
                due = self.dues.pop(int.from_bytes(data[body : body + 4], "big"))
                status = data[body + 4]
                reason = None if status == 0 else data[body + 6 : body + 6 + data[body + 5]].decode()
                self.tally.note(reason, now - due)
                self.step()
            at += head + length
        self.buffer = data[at:]


async def send_ws(url: str, orders: list[bytes], rate: float) -> dict[str, Any]:
    """Binary frames over a few WebSockets: `rate` a second, or 0 for FLIGHT on their way."""
    host, port = url.removeprefix("http://").split(":")
    loop, tally, dues = asyncio.get_running_loop(), Tally(), dict[int, float]()
    done, numbers = asyncio.Event(), iter(range(len(orders)))
    frames = [b"\x82\xfe\x00\x80" + bytes(4) + encode_request(i, order) for i, order in enumerate(orders)]
    left = len(orders)

    def send_next(due: float) -> None:
        number = next(numbers, None)
        if number is not None:
            dues[number] = due
            sockets[number % SOCKETS].transport.write(frames[number])

    def step() -> None:
        nonlocal left
        left -= 1
        if not rate:
            send_next(time.perf_counter())
        if not left:
            done.set()

    sockets = [
        (await loop.create_connection(lambda: Raw(tally, dues, step), host, int(port)))[1] for _ in range(SOCKETS)
    ]
    for socket in sockets:
        await socket.opened
    start = time.perf_counter()
    if rate:
        for number in range(len(orders)):
            due = start + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            send_next(due)
    else:
        for _ in range(FLIGHT):
            send_next(time.perf_counter())
    await done.wait()
    return tally.show(time.perf_counter() - start)


SENDERS: dict[str, Callable[[str, list[bytes], float], Coroutine[Any, Any, dict[str, Any]]]] = {
    "http": send_http,
    "ws": send_ws,
}


def run_sender(how: str, url: str, orders: list[bytes], rate: float) -> subprocess.Popen[str]:
    """Begin to send, from a process of its own."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"".join(orders))
    command = [sys.executable, "-m", "tests.benchmarks.bench_service", "send", how, url, file.name, str(rate)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def send(how: str, url: str, orders: list[bytes], rate: float = 0) -> dict[str, Any]:
    """Send, and wait for the figures."""
    said, _ = run_sender(how, url, orders, rate).communicate()
    return dict(json.loads(said))


def send_here(how: str, url: str, path: str, rate: str) -> None:
    """The sending process."""
    data = Path(path).read_bytes()
    Path(path).unlink()
    orders = [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
    print(json.dumps(asyncio.run(SENDERS[how](url, orders, float(rate)))))


# --- figures ---------------------------------------------------------------------------------------------------------


def measure(how: str, rate: float, count: int, **settings: Any) -> dict[str, Any]:
    """One way of sending at one rate."""
    traffic = SampleTraffic()
    with service(max_per_client=10**6, **settings) as (url, pid, first):
        send("http", url, first)
        before = _cpu(pid)
        figures = send(how, url, make_orders(traffic, count), rate)
        figures["cpu_us_a_record"] = round(1e6 * (_cpu(pid) - before) / count)
        figures["memory_mb"] = _memory(pid)
    return figures


def _cpu(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def run(names: list[str] | None = None) -> dict[str, Any]:
    """Measure, and return the figures by name."""
    all_figures = {
        "http_steady": lambda: measure("http", 500, 500 * SECONDS),
        "http_rate": lambda: measure("http", 0, 6000),
        "ws_steady": lambda: measure("ws", STEADY, STEADY * SECONDS),
        "ws_rate": lambda: measure("ws", 0, 20_000),
    }
    found: dict[str, Any] = {}
    for name in names or all_figures:
        found |= {f"{name}_{key}": value for key, value in all_figures[name]().items()}
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", redis_url, settings]:
            asyncio.run(serve_here(redis_url, json.loads(settings)))
        case ["send", *arguments]:
            send_here(*arguments)
        case names:
            print(json.dumps(run(names), indent=2))
