"""The inputs of an epoch and the machine before it: from Redis where that is sound, from L1 where it is not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, Self

from setoff.shared.errors import ChainError, DataError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch, epoch_hash
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.watcher.context import Context
from setoff.watcher.store import Store

log = logging.getLogger(__name__)


class EpochInputs(NamedTuple):
    """All that the steps of an epoch read; it hashes to what L1 holds."""

    epoch_hash: bytes
    batches: tuple[Batch, ...]
    queue_hash: bytes
    """The queue hash before the first batch."""


class Archive:
    """Reads through the store, and mends it on the way."""

    def __init__(self, store: Store, reader: ChainReader) -> None:
        self.store = store
        self.reader = reader

    @classmethod
    def of(cls, context: Context) -> Self:
        """Over what the process is connected to."""
        return cls(context.store, context.reader)

    def inputs(self, epoch: int) -> EpochInputs:
        """The inputs of `epoch`, each batch checked against its hash on L1, whatever Redis holds.

        Raises StateError("not_ready") if not all its batches are read yet, DataError if neither Redis nor the node has
        what L1 commits to, ChainError if L1 cannot be read.
        """
        count = self.store.epoch_batches
        batches = tuple(self.batch(number) for number in range(epoch * count, (epoch + 1) * count))
        queue_hash = self.reader.queue_hash_at(batches[0].header.first_message)
        return EpochInputs(epoch_hash(epoch, count, batches[-1].header.hash()), batches, queue_hash)

    def batch(self, number: int) -> Batch:
        """Batch `number`, checked; raises as `inputs` does."""
        place = self.store.batch_place(number)
        if place is None:
            raise StateError("not_ready", f"batch {number} is not read yet")
        if self.reader.batch_hash(number) != place.hash:
            # A reorg, or a damaged list: in both cases the follower has to read these blocks again.
            self.store.rollback(place.block - 1)
            raise StateError("not_ready", f"L1 now has another batch {number}")
        batch = self.store.batch(place.hash)
        if batch is not None:
            try:
                if batch.header.hash() != place.hash:
                    raise DataError("data_mismatch", "the header does not hash to the batch hash")
                batch.check(self.reader.queue_hash_at(batch.header.first_message))
                return batch
            except DataError as error:
                # Its blob may be sound all the same, and nobody else may have it: nothing is dropped.
                log.warning("batch %d in Redis is damaged, L1 has it: %s", number, error)
        try:
            batch = self.reader.batch(number, place.block)
        except ChainError as error:
            if error.reason == "data_withheld":
                # It was here once; others may still have it.
                self.store.want_blob(self.reader.find(number, place.block).header.data_root, number, place.block)
            raise
        self.store.put_batch(batch)
        return batch

    def machine_before(self, epoch: int, cached: Callable[[bytes], Machine | None] = lambda _: None) -> Machine:
        """The machine at the start of `epoch`: from the nearest snapshot, the epochs since then run again.

        `cached` gives a machine by its hash, to be used up, or None. Raises StateError("not_ready") if the epochs
        before are not executed or were just found to be damaged, and what `inputs` raises.
        """
        first, machine = self._nearest(epoch, cached)
        is_plain = bool(self.store.alarm())
        for earlier in range(first, epoch):
            known = self.store.epoch(earlier)
            for batch in self.inputs(earlier).batches:
                for input_index in range(used_inputs(batch)):
                    (run_plainly if is_plain else Machine.run_input)(machine, batch, input_index)
            if known is None or machine.hash() != known.end:
                self.store.drop_epochs(earlier)
                raise StateError("not_ready", f"epoch {earlier} has to be executed again")
            self.store.put_snapshot(machine)  # a kill on the way costs one epoch, not all of them
        return machine

    def _nearest(self, epoch: int, cached: Callable[[bytes], Machine | None]) -> tuple[int, Machine]:
        """The newest machine at hand before `epoch`, and the epoch it is the start of."""
        for candidate in range(epoch, 0, -1):
            result = self.store.epoch(candidate - 1)
            if result is None:
                raise StateError("not_ready", f"epoch {candidate - 1} is not executed yet")
            machine = cached(result.end) or self.store.snapshot(result.end)
            if machine is not None:
                return candidate, machine
        return 0, Machine.genesis(*self.reader.deployment.genesis)
