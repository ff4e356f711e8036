"""How fast L1 takes epochs, and what that leaves room for.

The inbox lets an epoch begin no sooner than the epoch interval after the last one began. So in each interval it takes
the batches of one epoch, and whoever fills them faster has to wait. An operator takes records for the epoch that has
begun, and for the next one, which then waits for an interval at most: a closed batch is never older than that when its
turn comes, and L1 takes batches that are twice as old (`shared/params.py`, `Params.check`). For the epoch after that it
takes none, and says until when.
"""

from __future__ import annotations

from typing import NamedTuple

from setoff.shared.errors import StateError


class Pace(NamedTuple):
    """Of an inbox, at one look; times are unix seconds."""

    epoch_batches: int = 1
    interval: int = 0
    """Least seconds between the beginnings of two epochs; 0: there is no pace."""
    posted: int = 0
    """Batches posted."""
    began_at: int = 0
    """When the last epoch began."""

    def postable_at(self, number: int, now: int) -> int:
        """The earliest time at which L1 can take batch `number`, as far as the pace goes."""
        begun = -(-self.posted // self.epoch_batches)
        ahead = number // self.epoch_batches - begun
        if ahead < 0 or not self.interval:
            return now
        first = max(now, self.began_at + self.interval) if begun else now
        return first + ahead * self.interval

    def opens_at(self, number: int, now: int) -> int:
        """When batch `number` may be opened, so that it does not wait for longer than an interval once it is closed."""
        return max(now, self.postable_at(number, now) - self.interval)

    def obstacle(self, number: int, now: int) -> StateError | None:
        """Why no record can be taken into batch `number` now, if so."""
        opens_at = self.opens_at(number, now)
        if opens_at <= now:
            return None
        return StateError(
            "paced", f"L1 takes {self.epoch_batches} batches every {self.interval} s: again at {opens_at}"
        )
