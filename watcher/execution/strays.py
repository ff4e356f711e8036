"""Histories on disk that belong to no epoch any more: a reorg took its batches back, or its start was never true.

What is needed stays: the history of every epoch that is executed, of every claim on L1 that is not settled and paid,
and all of them while anything that is posted is still to be executed. Reorgs come and go, so a stray goes only after it
has been one for a while, in the chain's time.
"""

from __future__ import annotations

from collections.abc import Iterable

from setoff.shared.dispute.game import CourtState
from setoff.watcher.execution.retention import find_patience


class Strays:
    """What was seen to belong to nothing, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def find(self, there: Iterable[str], needed: Iterable[str], court: CourtState, now: int) -> list[str]:
        """Of the histories `there` those that may go, by the names of their folders; `needed` of what is executed, and
        of open claims; `now` in the chain's unix seconds."""
        strays = set(there) - set(needed)
        self._since = {name: min(self._since.get(name, now), now) for name in strays}
        return sorted(name for name, since in self._since.items() if now - since >= find_patience(court))

    def clear(self) -> None:
        """Nothing is known to be one: not all that is posted is executed."""
        self._since.clear()
