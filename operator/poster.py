"""Closed batches, from the outbox to the inbox on L1: in order, each once, and never one that L1 would read otherwise.

What is on L1 is asked of L1 every time, so a restart or a reorg needs no memory: the next batch is the one whose number
the inbox has reached. At most one posting is under way; a dropped one is sent again by the account's sender.
"""

from __future__ import annotations

import logging
from typing import Final

from eth_abi.abi import encode

from setoff.operator.outbox import Outbox, Stuck
from setoff.shared.adapters.chain import POST, ChainReader
from setoff.shared.adapters.l1 import L1, Reverted
from setoff.shared.errors import ChainError, DataError, SetoffError
from setoff.shared.machine.batch import ZERO, Batch

#: Refusals that pass by themselves: the posting under way is in the pending block, or L1's clock is behind.
PASSING: Final = ("batch_number", "batch_timestamp", "no_such_message")
#: Refusals of this batch for good; so is "batch_timestamp" where the block is later than the batch.
FINAL: Final = ("message_left_out",)

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

        Raises DataError if L1 holds another batch than the outbox, or would compute another header, ChainError if it
        refuses the batch; the outbox tells the sequencer, who makes new batches where this one will never be taken.
        """
        count = self._chain.batch_count()
        self._outbox.set_posted(count)
        if self._is_under_way(count):
            return count
        sealed = self._outbox.get(count)
        if sealed is not None:
            try:
                self._post(sealed.batch)
            except SetoffError as refusal:
                if refusal.reason != "rpc_unreachable":
                    self._tell(sealed.batch, refusal)
                raise
            self._tell(sealed.batch, None)
        return count

    def _post(self, batch: Batch) -> None:
        """Send a batch, unless it has to wait a little. Raises SetoffError if L1 does not take it."""
        number = batch.header.number
        self.check(batch)
        try:
            self._sent = number, self._l1.send(self._chain.deployment.inbox, encode_post(batch))
            log.info("posting batch %d: %d inputs", number, batch.header.inputs)
        except Reverted as refusal:
            if refusal.reason not in PASSING or is_final(refusal, batch, self._l1.head().timestamp):
                raise
            log.info("batch %d has to wait: %s", number, refusal.reason)

    def _tell(self, batch: Batch, refusal: SetoffError | None) -> None:
        """Let the sequencer know why this batch cannot be posted, or that it can."""
        stuck: Stuck | None = None
        if refusal is not None:
            final = is_final(refusal, batch, self._l1.head().timestamp)
            stuck = Stuck(batch.header.hash().hex(), batch.header.number, refusal.reason, refusal.detail, final)
        if stuck != self._outbox.stuck():
            self._outbox.set_stuck(stuck)

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


def is_final(refusal: SetoffError, batch: Batch, now: int) -> bool:
    """Whether L1 will never take this batch: it is too late for it, or L1 has gone another way."""
    if isinstance(refusal, Reverted):
        return refusal.reason in FINAL or (refusal.reason == "batch_timestamp" and batch.header.timestamp <= now)
    return isinstance(refusal, DataError)


def encode_post(batch: Batch) -> bytes:
    """Calldata of the inbox's `post`."""
    header = batch.header
    return POST + encode(
        ["uint256", "uint256", "uint256", "bytes"],
        [header.number, header.timestamp, header.message_count, b"".join(batch.records)],
    )
