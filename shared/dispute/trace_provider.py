"""What a player knows by itself: the epochs it executed. The strategy compares L1 with this, and takes nobody's word.

`EpochRun` of the machine layer is the `TraceProvider` of an honest player, and with a lying stepper that of a liar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from setoff.shared.dispute.game import Claim
from setoff.shared.errors import SetoffError


class TraceProvider(Protocol):
    """One epoch, executed from its start. All but `start_hash` and `end` may be costly, and is asked for only in a
    dispute. What takes long may raise StateError("not_ready") while it is worked on: asked again later, it is there."""

    @property
    def start_hash(self) -> bytes:
        """Machine hash before the epoch."""

    @property
    def end(self) -> bytes:
        """Machine hash after it."""

    @property
    def root(self) -> bytes:
        """The history commitment."""

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """The history's opening of a node: 32 nodes, or at level 7 the leaf alone."""

    def leaf(self, position: int) -> bytes:
        """Machine hash after a position."""

    def path(self, position: int) -> Sequence[bytes]:
        """The leaf's 35 siblings, lowest first."""

    def last_path(self) -> Sequence[bytes]:
        """The last leaf's 30 siblings below the last child of level 0."""

    def proof(self, position: int) -> bytes:
        """What L1's judge needs to run the step at a position."""


@dataclass(frozen=True, slots=True)
class ExecutedEpoch:
    """An executed epoch and where its inputs are."""

    epoch_hash: bytes
    """Commitment to its inputs: a claim on other inputs (after a reorg) is not one this knowledge is about."""
    posted_at: int
    """When its last batch was posted, unix seconds."""
    run: TraceProvider


class Epochs(Protocol):
    """All that a player has executed."""

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """The epoch from its true start, None while it is not executed."""


def find_executed(epochs: Epochs, claim: Claim) -> ExecutedEpoch | None:
    """The claim's epoch, None unless it was executed from the claim's start over the claim's inputs."""
    executed = epochs.executed(claim.epoch)
    if executed is None or executed.epoch_hash != claim.epoch_hash or executed.run.start_hash != claim.start:
        return None
    return executed


def find_true_root(executed: ExecutedEpoch | None, claim: Claim) -> bytes | None:
    """Root of the claim's true history; None if it is not known, not yet, or if nobody has joined at all."""
    if executed is None or not claim.histories:
        return None
    try:
        return executed.run.root
    except SetoffError:
        return None
