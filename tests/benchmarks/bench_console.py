"""The console in a real Chromium beside a real operator: first paint, from a trade to its pixel, frames while a
thousand updates a second come in, and what is downloaded. Load is the machine's while it runs: a browser, an operator,
a chain."""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from tests.support.processes.busy_stream import open_busy_stream
from tests.support.processes.console import find_chromium, find_console, play, start
from tests.support.processes.trading_floor import TradingFloor, open_trading_floor

from setoff.shared.codec.records import BUY, SELL

MAKER, TRADER = range(2)
FILLS = 40
PAUSE = 0.2
"""Seconds between two trades."""
RATE = 1_000
"""Updates a second."""
SECONDS = 8
LAZY = "kzg-setup.txt"
"""What only exchanges with batches in blobs have browsers load, for verification."""
PACKED = (".js", ".css", ".html", ".svg", ".json")


def measure_bundle(folder: Path) -> dict[str, float]:
    """Bytes as they are served."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LAZY]
    sizes = [len(gzip.compress(path.read_bytes())) if path.suffix in PACKED else path.stat().st_size for path in files]
    return {"bundle_bytes": sum(sizes)}


def measure_fills(floor: TradingFloor) -> dict[str, float]:
    """From the sending of an order that trades, and from its answer, to the paint of the trade."""
    sent: dict[str, tuple[float, float]] = {}
    with start("measure", "fills", floor.url, str(FILLS)) as page:
        assert page.said.readline().strip() == "ready"
        with floor.client(MAKER) as maker, floor.client(TRADER) as trader:
            for number in range(1, FILLS + 1):
                size = f"{number / 10_000:.4f}"
                maker.place("BTC-PERP", SELL, "78010", size)
                begin = time.time()
                trader.place("BTC-PERP", BUY, "78010", size)
                sent[size] = begin, time.time()
                time.sleep(PAUSE)
        painted = page.finish(120)
    from_sent = [painted[size] - 1000 * begin for size, (begin, _) in sent.items() if size in painted]
    from_answer = [painted[size] - 1000 * end for size, (_, end) in sent.items() if size in painted]
    by_sent, by_answer = quantiles(from_sent, n=100), quantiles(from_answer, n=100)
    return {
        "order_to_pixel_p50_ms": by_sent[49],
        "order_to_pixel_p99_ms": by_sent[98],
        "answer_to_pixel_p50_ms": by_answer[49],
        "answer_to_pixel_p99_ms": by_answer[98],
    }


async def measure_frames(url: str) -> dict[str, float]:
    """With a stream of RATE updates a second."""
    async with open_busy_stream(url, RATE) as busy:
        return await asyncio.to_thread(play, "measure", "frames", busy, str(SECONDS))


def run() -> dict[str, float]:
    """All of it."""
    find_chromium()
    folder = find_console() / "dist"
    with tempfile.TemporaryDirectory() as place, open_trading_floor(Path(place), traders=2) as floor:
        with floor.client(MAKER) as maker:
            maker.place("BTC-PERP", SELL, "78020", "0.05")
        painted = play("measure", "paint", floor.url)
        fills = measure_fills(floor)
        frames = asyncio.run(measure_frames(floor.url))
        load = os.getloadavg()[0]
    return {**measure_bundle(folder), **painted, **fills, **frames, "load": load, "cores": os.cpu_count() or 0}
