"""How long something takes, as a histogram: how many times it took at most so long."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Final, Self

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the upper ends of the buckets; a last one has what took longer."""


class Latency:
    """Since its process was started."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        """By bucket, what took longest last."""
        self.seconds = 0.0
        """In all."""

    def add(self, seconds: float) -> None:
        """Once more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return {"counts": [*self.counts], "seconds": round(self.seconds, 6)}

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        found = cls()
        found.counts, found.seconds = [int(count) for count in shown["counts"]], float(shown["seconds"])
        return found
