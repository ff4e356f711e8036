"""Closed batches, from the outbox to the inbox on L1: in order, each once, and never one that L1 would read otherwise.

What is on L1 is asked of L1 every time, so a restart or a reorg needs no memory: the next batch is the one whose number
the inbox has reached. At most one posting is under way; a dropped one is sent again by the account's sender.

What a posting costs that goes out twice (the node was on another chain, another process has the key): its gas up to
where the inbox refuses a number that it has. No batch is there twice, and no money moves with it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from setoff.operator.sequencer.outbox import Outbox, Stuck
from setoff.shared.errors import ChainError, DataError, SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import Posting
from setoff.shared.l1.da.registry import get_module
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.inbox import RESERVE, Inbox
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO

PASSING: Final = ("batch_number", "batch_timestamp", "no_such_message", "epoch_too_early")
"""Refusals that pass by themselves: the posting under way is in the pending block, L1's clock is behind, or the batch
begins an epoch before its time."""
FINAL: Final = ("batch_hash", "message_left_out")
"""Refusals of this batch for good; so is "batch_timestamp" where the block is later than the batch."""
NO_BLOB: Final = "data_commitment"
"""What a posting is refused for whose blobs are not there."""

log = logging.getLogger(__name__)


class Batcher:
    """Posts from `outbox`; `l1` has the operator's key."""

    def __init__(self, l1: L1, chain: ChainReader, outbox: Outbox) -> None:
        self._l1 = l1
        self._chain = chain
        self._outbox = outbox
        self._inbox = Inbox(l1, chain.deployment)
        self._sent: tuple[int, bytes] | None = None
        self._said: tuple[int, str] | None = None  # batch and reason of the wait told last
        self._sent_blindly: bytes | None = None  # hash of the last batch of a posting that no estimate was for
        self._interval: int | None = None  # of epochs; not read yet
        self._made: tuple[bytes, Posting] | None = None  # hash of the last batch of a posting that is still to be taken

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
            self._take_right_back()
            try:
                self._post(sealed.batch)
            except SetoffError as refusal:
                self._made = None
                if refusal.reason != "rpc_unreachable":
                    self._tell(sealed.batch, refusal)
                raise
            self._tell(sealed.batch, None)
        return count

    def _take_right_back(self) -> None:
        """Where others may post, close the inbox to them: else whoever posts in every block takes each number first."""
        if self._inbox.opens_at() > self._l1.head().timestamp:
            return
        try:
            self._l1.transact(self._chain.deployment.inbox, RESERVE)
            log.warning("others could post: the inbox is closed to them again, for this operator to come back")
        except Reverted as refusal:
            if refusal.reason != "too_early":  # resumed before, and not posted since
                raise

    def _post(self, first: Batch) -> None:
        """Send the next batches, unless they have to wait a little. Raises SetoffError if L1 does not take them."""
        batches = self._gather(first)
        posting = self._make_posting(batches)
        try:
            sent = self._send(posting, batches[-1].header.hash())
            self._made, self._sent = None, (batches[-1].header.number, sent)
            for batch in batches:
                number, inputs = batch.header.number, batch.header.inputs
                log.info("posting batch %d: %d inputs", number, inputs, extra={"batch": number, "inputs": inputs})
        except Reverted as refusal:
            if refusal.reason not in PASSING or is_final(refusal, first, self._l1.head().timestamp):
                raise
            self._say_wait(first.header.number, refusal.reason)

    def _send(self, posting: Posting, last: bytes) -> bytes:
        """Send the posting whose last batch has this hash; returns the transaction's hash. Raises as `L1.send`."""
        inbox = self._chain.deployment.inbox
        try:
            return self._l1.send(inbox, posting.data, sidecar=posting.sidecar)
        except Reverted as refusal:
            # The blobs are asked for last: a node whose estimates do not see them has found all before in order.
            if posting.sidecar is None or refusal.reason != NO_BLOB or last == self._sent_blindly:
                raise
        if self._sent_blindly is None:
            log.warning("the node's estimates do not see blobs: the gas of postings is computed instead")
        # Once for the same batches: should it fail in its block, only more of them are a reason to pay again.
        self._sent_blindly = last
        return self._l1.send(inbox, posting.data, gas=posting.gas, sidecar=posting.sidecar)

    def _say_wait(self, number: int, reason: str) -> None:
        """Say why the batch waits, once."""
        if self._said != (number, reason):
            self._said = number, reason
            until = f" until {self._inbox.paced_until()}" if reason == "epoch_too_early" else ""
            log.info("batch %d has to wait%s: %s", number, until, reason)

    def _make_posting(self, batches: Sequence[Batch]) -> Posting:
        """What posts these batches, made once however long they have to wait."""
        last = batches[-1].header.hash()
        if self._made is None or self._made[0] != last:
            module, inbox = get_module(batches[0].header.module), self._chain.deployment.inbox
            self._made = last, module.make_posting(self._l1, inbox, batches)
        return self._made[1]

    def _tell(self, batch: Batch, refusal: SetoffError | None) -> None:
        """Let the sequencer know why this batch cannot be posted, or that it can."""
        stuck: Stuck | None = None
        if refusal is not None:
            final = is_final(refusal, batch, self._l1.head().timestamp)
            stuck = Stuck(batch.header.hash().hex(), batch.header.number, refusal.reason, refusal.detail, final)
        if stuck != self._outbox.stuck():
            self._outbox.set_stuck(stuck)

    def _gather(self, first: Batch) -> list[Batch]:
        """The batches to post next, checked: all that are closed, as far as their module takes them together.

        Where epochs are paced, none goes along that begins one: it would keep the others from L1 until its time.
        """
        batches: list[Batch] = []
        limit = get_module(first.header.module).batch_limit
        batch, parent = first, self._chain.batch_hash(first.header.number - 1) if first.header.number else ZERO
        while True:
            self.check(batch, parent)
            batches.append(batch)
            if len(batches) == limit:
                return batches
            sealed = self._outbox.get(batch.header.number + 1)
            if sealed is None or sealed.batch.header.module != first.header.module or self._is_paced(sealed.batch):
                return batches
            batch, parent = sealed.batch, batch.header.hash()

    def _is_paced(self, batch: Batch) -> bool:
        """Whether the batch begins an epoch that may have to wait for its time."""
        if self._interval is None:
            self._interval = self._inbox.epoch_interval()
        return self._interval > 0 and batch.header.number % self._chain.deployment.epoch_batches == 0

    def check(self, batch: Batch, parent: bytes) -> None:
        """Check that the inbox will compute this batch's own header, after the batch with the hash `parent`.

        Raises DataError("data_mismatch"), ChainError("no_such_message") if L1 does not have all its messages now.
        """
        header = batch.header
        if parent != header.parent:
            raise DataError("data_mismatch", f"batch {header.number} does not continue the last one on L1")
        end = header.first_message + header.message_count
        if self._chain.message_count() < end:  # a reorg took messages back: most often they come again as they were
            raise ChainError("no_such_message", f"L1 has lost messages that batch {header.number} consumed")
        if self._chain.queue_hash_at(end) != header.queue_hash:
            raise DataError("data_mismatch", f"L1 has other messages than batch {header.number} consumed")
        batch.check(self._chain.queue_hash_at(header.first_message))

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
