"""How fast L1 takes epochs, and what that leaves room for.

The inbox lets an epoch begin no sooner than the epoch interval after the last one began. So in each interval it takes
the batches of one epoch, and whoever fills them faster has to wait. L1 takes no batch that is older than its skew, so
an operator takes records for the epoch that has begun, and for the next one from a quarter of the skew before that may
begin: a closed batch waits for no longer, and has as much time to spare (`shared/params.py`, `Params.check`). Before
that it takes none, and says until when.
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
    patience: int = 0
    """Seconds that a closed batch may wait for its turn."""

    def postable_at(self, number: int, now: int) -> int:
        """The earliest time at which L1 can take batch `number`, as far as the pace goes."""
        begun = -(-self.posted // self.epoch_batches)
        ahead = number // self.epoch_batches - begun
        if ahead < 0 or not self.interval:
            return now
        first = max(now, self.began_at + self.interval) if begun else now
        return first + ahead * self.interval

    def opens_at(self, number: int, now: int) -> int:
        """When batch `number` may be opened, so that it does not wait for too long once it is closed."""
        return max(now, self.postable_at(number, now) - self.patience)

    def obstacle(self, number: int, now: int) -> StateError | None:
        """Why no record can be taken into batch `number` now, if so."""
        opens_at = self.opens_at(number, now)
        if opens_at <= now:
            return None
        return StateError(
            "paced", f"L1 takes {self.epoch_batches} batches every {self.interval} s: again at {opens_at}"
        )


def get_patience(max_skew: int) -> int:
    """Seconds that a closed batch may wait for its turn, of those in which L1 takes it.

    It was open for as long at most, and the other half is to spare.
    """
    return max_skew // 4
