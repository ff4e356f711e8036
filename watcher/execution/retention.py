"""Until when a watcher keeps what it takes to execute an epoch again. Pure.

An epoch is *closed* once three things have happened on L1: the event `Advanced` has confirmed the start of the next;
every claim on its true start is settled (or void); and no bond of a history about it is left to be paid, which the
events `Released` and `Redeemed` say. Before that somebody may still have to move, to prove, or to claim again after a
void round; after it no call of the court asks for the epoch's inputs or machine. How many epochs were executed since
says nothing about that: they are posted as fast as somebody pays for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from setoff.shared.dispute.game import CourtState

GRACE: Final = 24 * 3600
"""Seconds for which a closed epoch is kept for the sake of a reorg; no longer than a challenge period."""


class Retention(NamedTuple):
    """What may go: epochs, ascending. All others stay."""

    batches: list[int]
    """Whose batches nobody needs, not even to get to a later epoch's start."""
    snapshots: list[int]
    """At whose start no machine is needed."""


def find_closed(court: CourtState, now: int) -> Callable[[int], bool]:
    """Whether an epoch is closed, by its number; `now` in the chain's unix seconds."""
    held = {claim.epoch for claim in (*court.unfinished(), *court.unpaid()) if not court.is_false_start(claim)}
    settled_before = now - find_patience(court)
    held |= {claim.epoch for claim in court.claims.values() if claim.changed_at > settled_before}
    return lambda epoch: epoch < court.confirmed and epoch not in held


def find_patience(court: CourtState) -> int:
    """Seconds of the chain's time for which what nobody needs is kept, for the sake of a reorg."""
    return min(GRACE, court.terms.challenge_period)


def plan_retention(count: int, is_closed: Callable[[int], bool], has_start: Sequence[bool]) -> Retention:
    """What may go of `count` executed epochs; `has_start[epoch]`: whether the machine at its start is kept, also of
    the next epoch to come, number `count`.

    A closed epoch's batches stay where they lead from the last machine before an open one to its start.
    """
    batches: list[int] = []
    snapshots: list[int] = []
    is_led_through = not has_start[count]
    for epoch in reversed(range(count)):
        if is_closed(epoch) and not is_led_through:
            batches.append(epoch)
            snapshots.append(epoch)
        else:
            is_led_through = not has_start[epoch]
    return Retention(batches[::-1], snapshots[::-1])


def name_ranges(epochs: Iterable[int]) -> str:
    """ "0-3, 7" of 0, 1, 2, 3, 7; "none" of none."""
    ranges: list[list[int]] = []
    for epoch in sorted(epochs):
        if ranges and ranges[-1][1] == epoch - 1:
            ranges[-1][1] = epoch
        else:
            ranges.append([epoch, epoch])
    return ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in ranges) or "none"
