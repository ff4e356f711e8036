"""Which epochs may be run ahead of those before them, and from where. Pure.

A segment begins at a claimed start whose machine somebody has, and ends where the next one begins. Short segments keep
all workers at work until the end, long ones save machines that are fetched and hashed: a part of what is left, and of
that a part for each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from setoff.shared.dispute.game import Claim, ClaimState, CourtState

PARTS: Final = 4
"""Segments for each worker, about."""

LONGEST: Final = 16
"""Epochs of a segment, where machines are at hand so close to each other."""

WORTH: Final = 3
"""Epochs that have to be left."""


class Segment(NamedTuple):
    """Epochs that are run one after the other."""

    first: int
    start: bytes
    """The machine hash before the first, as it is claimed."""
    epochs: int
    """How many."""


def find_path(court: CourtState, first: int, start: bytes, end: int) -> dict[int, bytes]:
    """Machine hashes at the starts of the epochs from `first`, which begins with `start`, to `end` at most: those that
    L1 has confirmed, and those that are claimed from there on, as long as there is a claim."""
    path = {first: start}
    for epoch in range(first, end):
        claim = court.latest(epoch, start)
        if court.start_of.get(epoch) == start and epoch + 1 in court.start_of:
            start = court.start_of[epoch + 1]
        elif claim is not None and claim.state is not ClaimState.VOID:
            start = _find_end(claim)
        else:
            break
        path[epoch + 1] = start
    return path


def plan_segments(
    path: Mapping[int, bytes],
    posted: int,
    at_hand: Collection[bytes],
    is_taken: Callable[[int, bytes], bool],
    workers: int,
) -> list[Segment]:
    """The segments that may be begun now, the nearest first; `path` begins at the epoch that comes next in order.

    `posted`: epochs on L1. `at_hand`: hashes of the machines that somebody has. `is_taken`: whether an epoch was run
    from that start, is being run, or is not to be.
    """
    first = min(path)
    left = posted - first
    if left < WORTH or workers < 2:
        return []
    length = max(1, min(LONGEST, left // (PARTS * workers)))
    starts = [epoch for epoch in sorted(path) if first + length <= epoch < posted and path[epoch] in at_hand]
    found = []
    while starts:
        begin = starts[0]
        rest = [epoch for epoch in starts if epoch >= begin + length]
        end = rest[0] if rest else posted
        free = _find_free(path, range(begin, end), at_hand, is_taken)
        if free is not None:
            found.append(Segment(free, path[free], end - free))
        starts = rest
    return found


def _find_free(
    path: Mapping[int, bytes], epochs: Sequence[int], at_hand: Collection[bytes], is_taken: Callable[[int, bytes], bool]
) -> int | None:
    """The first of these epochs that can be begun with."""
    for epoch in epochs:
        if epoch in path and path[epoch] in at_hand and not is_taken(epoch, path[epoch]):
            return epoch
    return None


def _find_end(claim: Claim) -> bytes:
    is_decided = claim.state in (ClaimState.INSTALLED, ClaimState.SETTLED) and any(claim.result)
    return claim.result if is_decided else claim.end
