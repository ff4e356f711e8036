"""How far batches are behind on their way: closed, posted, claimed, confirmed."""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.dispute.game import CourtState

STAGES: Final = ("posted", "claimed", "confirmed")
"""What a closed batch becomes, in this order."""


def measure_lag(outbox: Outbox, court: CourtState, claimant: bytes, epoch_batches: int, now: int) -> dict[str, Any]:
    """`batches`: how many are `closed`, and so on; `lag`: by stage, seconds from the time of the first closed batch
    that is not there yet until `now`, 0 if all are. `claimant`: whose claims count."""
    claims = (claim.epoch + 1 for claim in court.unfinished() if claim.claimant == claimant)
    reached = {
        "posted": outbox.posted(),
        "claimed": max([court.confirmed, *claims]) * epoch_batches,
        "confirmed": court.confirmed * epoch_batches,
    }
    closed, kept_from = outbox.latest() + 1, outbox.kept_from()
    lag = {}
    for stage, count in reached.items():
        # Of a batch that is no longer kept, the oldest one that is says how old it is at least.
        header = outbox.header(max(count, kept_from)) if count < closed else None
        lag[stage] = 0 if header is None else max(now - header.timestamp, 0)
    return {"batches": {"closed": closed, **reached}, "lag": lag}
