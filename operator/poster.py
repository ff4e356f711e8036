"""Closed batches, from the outbox to the inbox on L1: in order, each once, and never one that L1 would read otherwise.

What is on L1 is asked of L1 every time, so a restart or a reorg needs no memory: the next batch is the one whose number
the inbox has reached. At most one posting is under way; a dropped one is sent again by the account's sender.
"""

from __future__ import annotations

import logging
from typing import Final

from setoff.operator.outbox import Outbox
from setoff.shared.adapters.chain import ChainReader
from setoff.shared.adapters.l1 import L1, Reverted
from setoff.shared.adapters.posting import encode_post
from setoff.shared.errors import ChainError, DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO

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
            batch = sealed.batch
            self.check(batch)
            header = batch.header
            data = encode_post(header.number, header.timestamp, header.message_count, b"".join(batch.records))
            try:
                self._sent = count, self._l1.send(self._chain.deployment.inbox, data)
                log.info("posting batch %d: %d inputs", count, header.inputs)
            except Reverted as refusal:
                if refusal.reason not in PASSING:
                    raise
                log.info("batch %d has to wait: %s", count, refusal.reason)
        return count

    def check(self, batch: Batch) -> None:
        """Check that the inbox will compute this batch's own header. Raises DataError("data_mismatch")."""
        header = batch.header
        parent = self._chain.batch_hash(header.number - 1) if header.number else ZERO
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
