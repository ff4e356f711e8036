"""Posted batches whose data a watcher could not get from anybody, and how long that can still be mended.

What is claimed of such a batch cannot be checked. It can be disputed until a challenge period after the claim, by
whoever has the data; after that it is final, true or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from setoff.shared.dispute.game import CourtState
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.inbox import PostedBatch
from setoff.watcher.store import Store

ALARM_PART: Final = 2
"""The alarm is raised when one part in so many of the challenge period is gone."""


@dataclass(frozen=True, slots=True)
class WithheldBatch:
    """One of them. Times are unix seconds."""

    batch: int
    epoch: int
    module: int
    """Data availability module; 1: a blob."""
    data_root: str
    """0x-string; of a blob the versioned hash."""
    since: int
    """When it was posted."""
    claimed_at: int
    """When its epoch was first claimed; 0: it is not."""
    disputable_until: int
    """Before when a dispute of that claim can begin. Without a claim: of one that came in the block of the batch, so
    that no claim ends earlier."""


def find_withheld(store: Store, reader: ChainReader, court: CourtState) -> list[WithheldBatch]:
    """The batches on L1 whose data is missing here, oldest first. Raises ChainError, RedisError."""
    found = []
    for root, (number, block) in store.wanted().items():
        # After a reorg batch and block may be gone; the follower says anew where it is.
        if (posted_in := reader.l1.find_block(block)) is None:
            continue
        posted = next((each for each in reader.batches(block, block) if each.header.number == number), None)
        if posted is None or posted.header.data_root != root:
            continue
        epoch = number // store.epoch_batches
        claimed = [claim.claimed_at for claim in court.unfinished() if claim.epoch == epoch]
        if epoch < court.confirmed:
            closed = [claim.claimed_at for claim in court.claims.values() if claim.epoch == epoch]
            claimed = closed or [posted_in.timestamp]
        claimed_at = min(claimed, default=0)
        until = (claimed_at or posted_in.timestamp) + court.terms.challenge_period
        shown = "0x" + root.hex()
        found.append(WithheldBatch(number, epoch, posted.header.module, shown, posted_in.timestamp, claimed_at, until))
    return sorted(found, key=lambda each: each.batch)


class Withheld:
    """Tells of a batch whose data nobody has, louder as the time to dispute what is claimed of it runs out.

    A claim may be there as soon as its batch is; one that nobody can check is final a challenge period later.
    """

    def __init__(self, l1: L1, court: str) -> None:
        self._l1 = l1
        self._court = CourtContract(l1, court)

    def describe(self, posted: PostedBatch) -> tuple[bool, str]:
        """Whether to raise the alarm, and what there is to say. Raises ChainError."""
        period = self._court.terms.challenge_period
        block = self._l1.block(posted.block_number)
        since = max(0, self._l1.head().timestamp - block.timestamp)
        left = period - since
        text = (
            f"the data of batch {posted.header.number} (0x{posted.header.data_root.hex()}) is withheld for {since} s: "
            + (f"what is claimed of it can be final in {left} s" if left > 0 else "what is claimed of it may be final")
            + ", and nobody can check it. Name `peers` or a `beacon_url` that has it, or hand it in: "
            "`setoff watcher blob FILE`"
        )
        return since * ALARM_PART >= period, text
