"""When a market's price is reported, and which way: to the operator, or past it.

All times are unix seconds of L1's clock, but for those of the ways, which are of one monotonic clock.
"""

from __future__ import annotations

from typing import NamedTuple

from setoff.shared.oracle.aggregate import BASIS

FIRST, CHANGE, AGE = "first", "change", "age"
"""Why a report is due."""


class Reported(NamedTuple):
    """What was reported last of a market."""

    ticks: int
    time: int


def find_reason(ticks: int, now: int, last: Reported | None, *, change: float, age: float) -> str:
    """Why a price of `ticks` is due at `now`, "" if it is not: `change` in basis points, `age` in seconds."""
    if last is None:
        return FIRST
    moved = abs(ticks - last.ticks)
    if moved and moved * BASIS >= change * last.ticks:
        return CHANGE
    return AGE if now - last.time >= age else ""


def choose_time(now: int, last: Reported | None) -> int:
    """The time of the next report: each is younger than the one before, for else it is refused."""
    return now if last is None else max(now, last.time + 1)


class Outage(NamedTuple):
    """Since when the operator has not taken a market's reports (monotonic seconds), and what it said last."""

    since: float
    reason: str


def is_to_force(
    outage: Outage | None, now: float, *, patience: float, forced_at: float | None, interval: float
) -> bool:
    """Whether a report goes through L1: the operator was asked for `patience` seconds in vain, and the last report of
    this market went there `interval` seconds ago or more (0: none ever does).

    Whatever reason it gave: one that refuses for a reason of its own says whatever it likes. What makes a report
    hopeless is known from L1 (`ChainView.find_end`).
    """
    if outage is None or interval <= 0:
        return False
    return now - outage.since >= patience and (forced_at is None or now - forced_at >= interval)
