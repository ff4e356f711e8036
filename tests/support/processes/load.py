"""A process that sends records to an operator: `python -m tests.support.processes.load HOW URL FILE RATE [ADDRESS]`.

FILE has records of 124 bytes; it is deleted. RATE a second, open loop: a record is sent when its time has come, whether
or not those before it are answered, and its delay counts from that time; with 0 FLIGHT of them are always on their way.
`listen URL COUNT WHAT` opens WebSockets that hear one of STREAMS, until it is ended. What became of the records is
printed as JSON.
"""

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, cast

import aiohttp

from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.wire.entry_frames import encode_request
from setoff.shared.wire.records import encode_record

CONNECTIONS: Final = 64
"""Of HTTP, on which there is one request at a time; WebSockets take many, on a few."""
SOCKETS: Final = 8
FLIGHT: Final = 400
"""Records on the way where there is no rate."""


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


async def send_http(url: str, orders: list[bytes], rate: float, address: str) -> dict[str, Any]:
    """JSON over HTTP: `rate` a second, or 0 for as many as are answered."""
    bodies = [json.dumps(encode_record(record)).encode() for record in orders]
    tally, start = Tally(), time.perf_counter()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, local_addr=(address, 0))
    ) as http:

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
    before, masked with zeros, and of answers only the heads are read. `note` is told their numbers, and why not."""

    def __init__(self, note: Callable[[int, str | None], None]) -> None:
        self.note = note
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
        while len(data) - at >= 4:
            length, head = data[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            if len(data) - at < head + length:
                break
            if data[at] == 0x82:
                body = at + head
                reason = None if data[body + 4] == 0 else data[body + 6 : body + 6 + data[body + 5]].decode()
                self.note(int.from_bytes(data[body : body + 4], "big"), reason)
            at += head + length
        self.buffer = data[at:]


async def open_entry(url: str, address: str, note: Callable[[int, str | None], None]) -> Raw:
    """A WebSocket that takes records, from that address."""
    host, port = url.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: Raw(note), host, int(port), local_addr=(address, 0))
    await socket.opened
    return socket


async def send_ws(url: str, orders: list[bytes], rate: float, address: str) -> dict[str, Any]:
    """Binary frames over a few WebSockets: `rate` a second, or 0 for FLIGHT on their way."""
    tally, dues = Tally(), dict[int, float]()
    done, numbers = asyncio.Event(), iter(range(len(orders)))
    frames = [b"\x82\xfe\x00\x80" + bytes(4) + encode_request(i, order) for i, order in enumerate(orders)]
    left = len(orders)

    def send_next(due: float) -> None:
        number = next(numbers, None)
        if number is not None:
            dues[number] = due
            sockets[number % SOCKETS].transport.write(frames[number])

    def note(number: int, reason: str | None) -> None:
        nonlocal left
        tally.note(reason, time.perf_counter() - dues.pop(number))
        left -= 1
        if not rate:
            send_next(time.perf_counter())
        if not left:
            done.set()

    sockets = [await open_entry(url, address, note) for _ in range(SOCKETS)]
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


STREAMS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "everything": ("/ws?channels=records,fills", []),
    "market": ("/v1/stream", [{"channel": channel, "market": 1} for channel in ("best", "book", "trades")]),
}
"""What listeners hear: every record and fill of everybody, or one market."""


async def listen(url: str, count: int, what: str) -> None:
    """So many WebSockets that take packed frames, of which nothing is kept; a line is printed when all are open."""
    host, port = url.removeprefix("http://").split(":")
    path, topics = STREAMS[what]
    heard, open_ones, begun = [0], [0], [0]
    texts = [json.dumps({"op": "subscribe", **topic}).encode() for topic in topics]
    asked = b"".join(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text for text in texts)

    class Ear(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)
            self.transport.write(
                f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            open_ones[0] += 1
            self.has_asked = False

        def data_received(self, data: bytes) -> None:
            heard[0] += len(data)
            begun[0] += data.count(b'"channel": "subscribed"')
            if asked and not self.has_asked:
                self.has_asked = True
                self.transport.write(asked)

        def connection_lost(self, exc: Exception | None) -> None:
            open_ones[0] -= 1

    loop = asyncio.get_running_loop()
    for number in range(count):
        await loop.create_connection(Ear, host, int(port), local_addr=(f"127.0.1.{1 + number % 200}", 0))
        if asked and number % 10 == 9:
            await asyncio.sleep(0.02)
    for _ in range(300):
        await asyncio.sleep(0.1)
        if begun[0] == count * len(topics):
            break
    else:
        raise RuntimeError(f"{begun[0]} of {count * len(topics)} subscriptions have begun")
    heard[0] = 0
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps({"heard_mb": heard[0] // 10**6, "left": open_ones[0]}), flush=True)


SENDERS: dict[str, Callable[[str, list[bytes], float, str], Coroutine[Any, Any, dict[str, Any]]]] = {
    "http": send_http,
    "ws": send_ws,
}


def main(how: str, url: str, path: str, rate: str = "0", address: str = "127.0.0.1") -> None:
    """The process."""
    if how == "listen":
        asyncio.run(listen(url, int(path), rate))
        return
    data = Path(path).read_bytes()
    Path(path).unlink()
    orders = [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]
    print(json.dumps(asyncio.run(SENDERS[how](url, orders, float(rate), address))))


if __name__ == "__main__":
    main(*sys.argv[1:])
