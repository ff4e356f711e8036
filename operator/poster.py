"""Closed batches, from the outbox to the inbox on L1: in order, each once, and never one that L1 would read otherwise.

What is on L1 is asked of L1 every time, so a restart or a reorg needs no memory: the next batch is the one whose number
the inbox has reached. At most one posting is under way; a dropped one is sent again by the account's sender.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from setoff.operator.outbox import Outbox
from setoff.shared.adapters.chain import ChainReader
from setoff.shared.adapters.l1 import L1, Reverted
from setoff.shared.adapters.posting import encode_blob_postings, encode_post
from setoff.shared.adapters.sidecar import MAX_BLOBS, Sidecar
from setoff.shared.errors import ChainError, DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import CALLDATA, ZERO

#: Refusals that pass by themselves: the posting under way is in the pending block, or L1's clock is behind.
PASSING: Final = ("batch_number", "batch_timestamp", "no_such_message")

log = logging.getLogger(__name__)


class Poster:
    """Posts from `outbox`; `l1` has the operator's key."""

    def __init__(self, l1: L1, chain: ChainReader, outbox: Outbox) -> None:
        self._l1 = l1
        self._chain = chain
        self._outbox = outbox
        self._sent: tuple[int, bytes] | None = None

    def post_next(self) -> int:
        """Post the next batch if it is closed and nothing is under way; returns the number of batches on L1.

        Raises DataError if L1 holds another batch than the outbox, or would compute another header.
        """
        count = self._chain.batch_count()
        self._outbox.set_posted(count)
        if self._is_under_way(count):
            return count
        sealed = self._outbox.get(count)
        if sealed is not None:
            batches = self._gather(sealed.batch)
            data, sidecar = encode_batches(batches)
            try:
                sent = self._l1.send(self._chain.deployment.inbox, data, sidecar=sidecar)
                self._sent = batches[-1].header.number, sent
                for batch in batches:
                    log.info("posting batch %d: %d inputs", batch.header.number, batch.header.inputs)
            except Reverted as refusal:
                if refusal.reason not in PASSING:
                    raise
                log.info("batch %d has to wait: %s", count, refusal.reason)
        return count

    def _gather(self, first: Batch) -> list[Batch]:
        """The batches to post next, checked: one in calldata, or all that are closed and whose blobs fit."""
        batches: list[Batch] = []
        batch, parent = first, self._chain.batch_hash(first.header.number - 1) if first.header.number else ZERO
        while True:
            self.check(batch, parent)
            batches.append(batch)
            if first.header.module == CALLDATA or len(batches) == MAX_BLOBS:
                return batches
            sealed = self._outbox.get(batch.header.number + 1)
            if sealed is None or sealed.batch.header.module != first.header.module:
                return batches
            batch, parent = sealed.batch, batch.header.hash()

    def check(self, batch: Batch, parent: bytes) -> None:
        """Check that the inbox will compute this batch's own header, after the batch with the hash `parent`.

        Raises DataError("data_mismatch").
        """
        header = batch.header
        if parent != header.parent:
            raise DataError("data_mismatch", f"batch {header.number} does not continue the last one on L1")
        if self._chain.chain_at(header.first_message + header.message_count) != header.messages:
            raise DataError("data_mismatch", f"L1 has other messages than batch {header.number} consumed")
        batch.check(self._chain.chain_at(header.first_message))

    def _is_under_way(self, count: int) -> bool:
        """Whether the posting sent last is neither counted by the inbox nor failed."""
        if self._sent is None:
            return False
        number, transaction = self._sent
        try:
            receipt = self._l1.sender.look(transaction)
            is_over = count > number or (receipt is not None and not receipt.succeeded)
        except ChainError as error:
            if error.reason == "rpc_unreachable":
                raise
            is_over = True  # another transaction took its nonce
        if is_over:
            self._sent = None
        return not is_over


def encode_batches(batches: Sequence[Batch]) -> tuple[bytes, Sidecar | None]:
    """The inbox's call that posts these batches of one module, and the blobs it carries."""
    header = batches[0].header
    if header.module == CALLDATA:
        (batch,) = batches
        return encode_post(header.number, header.timestamp, header.message_count, b"".join(batch.records)), None
    blobs = [batch.module_data for batch in batches if batch.records]
    return encode_blob_postings([batch.header for batch in batches]), Sidecar.of(blobs) if blobs else None
