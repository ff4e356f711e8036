"""Prices from files: one that somebody writes, or a recorded course of them; for trials."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from setoff.shared.oracle.aggregate import read_price
from setoff.shared.oracle.source import Quote


class FileSource:
    """The number in a file; it holds until another one is written."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()

    async def ask(self) -> Quote:
        """See `Source`. Raises OSError if there is no such file."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Quote:
        return Quote(read_price(self._path.read_text()))

    async def close(self) -> None:
        """Nothing is open."""


class ReplaySource:
    """Lines of `second,price`, in order, over and over: where it is, the clock says, so that processes agree and a
    restart changes nothing. Each price holds until the next line's second."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()
        self._seconds: list[float] = []
        self._prices: list[Fraction] = []

    async def ask(self) -> Quote:
        """See `Source`. Raises OSError if there is no such file, ValueError for a line that is none."""
        if not self._prices:
            await asyncio.to_thread(self._load)
        return Quote(self.find(time.time()))

    def find(self, now: float) -> Fraction:
        """The price at `now` (unix seconds)."""
        length = self._seconds[-1] - self._seconds[0]
        at = self._seconds[0] + (now % length if length else 0)
        return self._prices[bisect_right(self._seconds, at) - 1]

    def _load(self) -> None:
        seconds, prices = list[float](), list[Fraction]()
        for number, line in enumerate(self._path.read_text().splitlines(), 1):
            second, comma, price = line.partition(",")
            try:
                seconds.append(float(second))
                prices.append(read_price(price if comma else ""))
            except ValueError:
                raise ValueError(f"line {number} of {self._path.name} is not second,price") from None
        if not prices or any(after <= before for before, after in pairwise(seconds)):
            raise ValueError(f"the seconds of {self._path.name} do not rise, or there are none")
        self._seconds, self._prices = seconds, prices

    async def close(self) -> None:
        """Nothing is open."""
