"""What was executed here, held against what L1 holds of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from setoff.shared.dispute.game import CourtState
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.proven import ProvenCourt

TRIES: Final = 6
"""Times that the court is read: narrower, and from others, after each that its storage contradicts."""


class Verdict(NamedTuple):
    """How what was executed compares with what L1 holds; `agrees`: None where L1 holds nothing yet."""

    agrees: bool | None
    why: str

    @property
    def text(self) -> str:
        """For people."""
        if self.agrees is None:
            return "has nothing to agree with"
        return f"{'agrees' if self.agrees else 'DIFFERS'} with the chain"


class Ends(Protocol):
    """An epoch that was executed: the machine hashes before and after it."""

    @property
    def start(self) -> bytes:
        """32 bytes."""

    @property
    def end(self) -> bytes:
        """32 bytes."""


def compare(
    court: ProvenCourt, epoch: int, epoch_hash: bytes, execution: Ends, is_claimed: Callable[[], bool]
) -> Verdict:
    """Whether what L1 holds of the epoch agrees with its true start and end.

    `is_claimed`: whether it was ever claimed, on whatever start.
    """
    confirmed = court.start_of(epoch + 1)
    if any(confirmed):
        if confirmed == execution.end:
            return Verdict(True, "L1 has confirmed this end")
        return Verdict(False, f"L1 has confirmed another end: 0x{confirmed.hex()}")
    claim = court.claim(epoch_hash, execution.start)
    if not claim.is_claimed:
        if is_claimed():
            what = "it is claimed from another start only, which is not the true one"
            return Verdict(False, f"L1 has not confirmed an end yet; {what}")
        return Verdict(None, "L1 has not confirmed an end yet, and nobody has claimed one")
    how = "installed by a dispute" if any(claim.result) else "claimed"
    if claim.stands == execution.end:
        return Verdict(True, f"L1 has not confirmed an end yet; this one is {how}")
    return Verdict(False, f"L1 has not confirmed an end yet; another one is {how}: 0x{claim.stands.hex()}")


def is_claimed(reader: ChainReader, epoch: int) -> bool:
    """Whether it was ever claimed, by the court's events as they agree with its storage. Raises ChainError."""
    return any(claim.epoch == epoch for claim in read_court(reader).claims.values())


def read_court(reader: ChainReader) -> CourtState:
    """The court as its events leave it, held against its storage. Raises ChainError."""
    court = CourtReader(CourtContract(reader.l1, reader.deployment.court), reader.deployment.block)
    for tries_left in reversed(range(TRIES)):
        try:
            court.poll()
            break
        except ChainError:
            if not tries_left:
                raise
    return court.court
