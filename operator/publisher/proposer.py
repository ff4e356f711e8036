"""What is to be claimed: each epoch whose batches L1 holds, run as soon as they are there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch, epoch_hash

EPOCHS_A_ROUND: Final = 8
"""Epochs run between two rounds at the court, so that catching up never makes the defender miss a clock."""

log = logging.getLogger(__name__)


class Proposer:
    """Keeps `epochs` up to date with the batches on L1; what it `executed`s is claimed and defended (`defender.py`)."""

    def __init__(self, chain: ChainReader, outbox: Outbox, epochs: ClaimedEpochs) -> None:
        self.epochs = epochs
        self._chain = chain
        self._outbox = outbox
        self._epoch_batches = chain.deployment.epoch_batches

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """An epoch as the player at the court asks for it, None if it is not run yet or let go."""
        if not self.epochs.first <= epoch < self.epochs.next:
            return None
        claimed = self.epochs[epoch]
        last = claimed.batches[-1].header
        return ExecutedEpoch(epoch_hash(epoch, self._epoch_batches, last.hash()), last.timestamp, claimed.run)

    def follow(self) -> None:
        """Drop epochs whose batches a reorg replaced, run those that are posted. Raises ChainError, DataError."""
        epochs, count = self.epochs, self._epoch_batches
        while epochs.next > epochs.first:
            header = epochs[epochs.next - 1].batches[-1].header
            if self._chain.batch_hash(header.number) == header.hash():
                break
            log.warning("a reorg replaced batch %d", header.number)
            epochs.cut(epochs.next - 1)
        posted = self._chain.batch_count() // count
        for epoch in range(epochs.next, min(posted, epochs.next + EPOCHS_A_ROUND)):
            epochs.extend([self._read(number) for number in range(epoch * count, (epoch + 1) * count)])

    def check(self, confirmed: Mapping[int, bytes]) -> None:
        """Compare with the starts of epochs that L1 has confirmed. Raises DataError, see `ClaimedEpochs.check`."""
        for epoch in range(self.epochs.first + 1, self.epochs.next + 1):
            if epoch in confirmed:
                self.epochs.check(epoch, confirmed[epoch])

    def _read(self, number: int) -> Batch:
        """A posted batch: our own copy if that is what L1 holds, else L1's."""
        sealed = self._outbox.get(number)
        if sealed is not None and sealed.batch.header.hash() == self._chain.batch_hash(number):
            return sealed.batch
        return self._chain.batch(number)
