"""The checksum of a book's update, by which a client knows that its own book is the exchange's."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import islice
from typing import Final

CHECKED: Final = 10
"""Levels of a side that it is of."""


def compute_checksum(bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> int:
    """CRC-32 of the best levels of both sides, best first, each (ticks, lots)."""
    parts = [f"{price}:{size}" for side in (bids, asks) for price, size in islice(side, CHECKED)]
    return zlib.crc32("|".join(parts).encode())
