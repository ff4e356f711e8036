"""A process that floods an operator: `python -m tests.support.processes.flooding URL FILE RATE SECONDS ADDRESS`.

The record of 124 bytes in FILE, which is deleted, goes out again and again as binary frames over a few WebSockets, RATE
a second, open loop. Frames are made by the millisecond, all in one piece, so that the flood costs this process little
beside what it costs the operator; a delay counts from the moment in which the frame was handed to the socket, however
late that was. What became of the frames is printed as JSON, and how late this process itself was.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.support.processes.load import SOCKETS, Tally, open_entry

from setoff.shared.wire.entry_frames import encode_request

PACE: Final = 0.001
"""Seconds between two pieces."""
PATIENCE: Final = 10.0
"""Seconds for the last answers."""
_HEAD: Final = b"\x82\xfe\x00\x80" + bytes(4)
_NUMBER: Final = slice(len(_HEAD), len(_HEAD) + 4)


class Flood:
    """What was sent when, and what became of it."""

    def __init__(self, record: bytes, count: int) -> None:
        frame = np.frombuffer(_HEAD + encode_request(0, record), np.uint8)
        self._frames = np.tile(frame, (count, 1))
        self._frames[:, _NUMBER] = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4)
        self._sent = np.zeros(count)
        self.tally = Tally()
        self.count = count
        self.left = count
        self.done = asyncio.Event()

    def take(self, first: int, end: int, now: float) -> bytes:
        """The frames of these numbers, which go out now."""
        self._sent[first:end] = now
        return self._frames[first:end].tobytes()

    def note(self, number: int, reason: str | None) -> None:
        """An answer."""
        self.tally.note(reason, time.perf_counter() - self._sent[number])
        self.left -= 1
        if not self.left:
            self.done.set()


async def send(url: str, record: bytes, rate: float, seconds: float, address: str) -> dict[str, Any]:
    """Flood for so long."""
    flood = Flood(record, int(rate * seconds))
    sockets = [await open_entry(url, address, flood.note) for _ in range(SOCKETS)]
    start, sent, piece, late = time.perf_counter(), 0, 0, list[float]()
    while sent < flood.count:
        await asyncio.sleep(PACE)
        now = time.perf_counter()
        due = min(flood.count, int((now - start) * rate))
        late.append(1000 * (due - sent) / rate)
        step = -(-(due - sent) // SOCKETS) or 1
        for first in range(sent, due, step):
            piece += 1
            sockets[piece % SOCKETS].transport.write(flood.take(first, min(first + step, due), now))
        sent = due
    unsent = sum(socket.transport.get_write_buffer_size() for socket in sockets)
    try:
        async with asyncio.timeout(PATIENCE):
            await flood.done.wait()
    except TimeoutError:
        pass
    late.sort()
    return flood.tally.show(seconds) | {
        "offered": flood.count,
        "unanswered": flood.left,
        "unsent_mb": round(unsent / 1e6, 1),
        "own_late_p99_ms": round(late[len(late) * 99 // 100], 2),
    }


def main(url: str, path: str, rate: str, seconds: str, address: str) -> None:
    """The process."""
    record = Path(path).read_bytes()
    Path(path).unlink()
    print(json.dumps(asyncio.run(send(url, record, float(rate), float(seconds), address))))


if __name__ == "__main__":
    main(*sys.argv[1:])
