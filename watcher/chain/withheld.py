"""Posted batches whose data a watcher could not get from anybody, and how long that can still be mended.

What is claimed of such a batch cannot be checked. It can be disputed until a challenge period after the claim, by
whoever has the data; after that it is final, true or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from setoff.shared.dispute.game import CourtState
from setoff.shared.l1.chain import ChainReader
from setoff.watcher.chain.blobs import ALARM_PART
from setoff.watcher.monitor.alerts import CRITICAL, WARNING, Alert
from setoff.watcher.store import Store


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
        if (posted_in := reader.l1.block(block)) is None:
            continue
        posted = next((each for each in reader.batches(block, block) if each.header.number == number), None)
        if posted is None or posted.header.data_root != root:
            continue
        epoch = number // store.epoch_batches
        claimed = [claim.claimed_at for claim in court.unfinished() if claim.epoch == epoch]
        if epoch < court.confirmed:
            claimed = [court.first_claimed_at.get(epoch, posted_in.timestamp)]
        claimed_at = min(claimed, default=0)
        until = (claimed_at or posted_in.timestamp) + court.terms.challenge_period
        shown = "0x" + root.hex()
        found.append(WithheldBatch(number, epoch, posted.header.module, shown, posted_in.timestamp, claimed_at, until))
    return sorted(found, key=lambda each: each.batch)


def alert_withheld(withheld: Sequence[WithheldBatch], period: int, now: int) -> Iterator[Alert]:
    """One of each; critical when half of the challenge period is gone."""
    for each in withheld:
        left = each.disputable_until - now
        level = CRITICAL if left * ALARM_PART <= period else WARNING
        what = f"the data of batch {each.batch} ({each.data_root}) is withheld for {now - each.since} s"
        if not each.claimed_at:
            fate = "is not claimed yet" + (f"; no claim of it is final before {left} s from now" if left > 0 else "")
        else:
            fate = f"is claimed: a dispute can begin for {left} s more" if left > 0 else "is claimed, past all dispute"
        yield Alert(level, "", f"{what}; epoch {each.epoch} {fate}")
