"""The operator's batches as L1 holds them: how many, which, and the inputs of those that somebody else has posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.pace import Pace, get_patience
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.machine.batch import Batch


class PostedBatches(Protocol):
    """What the inbox knows. Every method raises ChainError if L1 cannot be read now."""

    @property
    def max_skew(self) -> int:
        """Seconds that a batch's timestamp may lie behind the block that takes it."""
        ...

    def batch_count(self) -> int:
        """Number of batches posted so far."""
        ...

    def pace(self) -> Pace:
        """How fast it takes epochs."""
        ...

    def batch_hash(self, number: int) -> bytes:
        """Hash of batch `number`, zero if it is not posted."""
        ...

    def batch(self, number: int) -> Batch:
        """Batch `number` with its inputs, checked against its hash. Raises DataError."""
        ...


class InboxBatches:
    """The inbox of a deployment."""

    def __init__(self, reader: ChainReader) -> None:
        """Raises ChainError if L1 cannot be read."""
        self._reader = reader
        self._inbox = Inbox(reader.l1, reader.deployment)
        self.max_skew = self._inbox.max_skew()
        self._interval = self._inbox.epoch_interval()

    def batch_count(self) -> int:
        """See `PostedBatches`."""
        return self._reader.batch_count()

    def pace(self) -> Pace:
        """See `PostedBatches`."""
        if not self._interval:
            return Pace()
        count, began_at = self._reader.pace()
        patience = get_patience(self.max_skew)
        return Pace(self._reader.deployment.epoch_batches, self._interval, count, began_at, patience)

    def batch_hash(self, number: int) -> bytes:
        """See `PostedBatches`."""
        return self._reader.batch_hash(number)

    def batch(self, number: int) -> Batch:
        """See `PostedBatches`."""
        return self._reader.batch(number)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the operator's batches stand on L1."""

    count: int
    """Batches on L1."""
    common: int
    """How many of the first ones are the operator's own."""

    def is_diverged(self, ours: int) -> bool:
        """Whether L1 holds batches that are not among the operator's `ours`."""
        return self.common < min(self.count, ours) or self.count > ours


def compare(posted: PostedBatches, outbox: Outbox, count: int, ours: int) -> Standing:
    """Compare L1's first `count` batches with the `ours` in the outbox, from the last one back."""
    common = min(count, ours)
    while common:
        header = outbox.header(common - 1)
        if header is not None and header.hash() == posted.batch_hash(common - 1):
            break
        common -= 1
    return Standing(count, common)
