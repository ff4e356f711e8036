"""Follows L1: messages and batches go into the store as they come, and go out again when a reorg takes them back.

Nothing waits for confirmations, since a batch that disappears leaves only a few hashes behind; the operator is never
asked. What a node leaves out is noticed, by the proofs of every new block and, after a long way, by the counters of
inbox and queue, and is read again. A node that is behind, or on another chain, is waited for: nothing is given up for
it. After a restart it goes on where it stopped, with an empty store at the block of the deployment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.chain import ChainReader, QueuedMessage
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.l1.stretch import Stretch, read_stretch
from setoff.shared.machine.batch import Batch
from setoff.watcher.store import Place, Store

MESSAGES_KEPT: Final = 256
"""Batches for which consumed messages are kept, in case a reorg brings other batches with the same messages."""

log = logging.getLogger(__name__)


class Progress(NamedTuple):
    """How far the follower is: the last block it has read, the chain's head, and the number of batches."""

    block: int
    head: int
    batches: int

    @property
    def is_current(self) -> bool:
        """Whether everything up to the head was read."""
        return self.block >= self.head


class Follower:
    """Keeps a store in step with L1. There is one a watcher."""

    def __init__(self, reader: ChainReader, store: Store) -> None:
        self._reader = reader
        self._l1 = reader.l1
        self._store = store
        self._is_doubted = True  # what is kept is still to be held against the contracts' counters
        self._gaps = 0  # how often it was, and something was missing
        self._next: tuple[Place | None, int] | None = None  # newest checkpoint, and what `next_message` was there
        self.withheld: PostedBatch | None = None
        """The batch whose data nobody had at the last look."""

    def step(self) -> Progress:
        """Look at L1 once and take over the next stretch.

        Raises ChainError if L1 cannot be read, or leaves something out, DataError if it contradicts itself.
        """
        self.withheld = None
        head = self._l1.head()
        anchor = self._anchor()
        known = {place.block: place.hash for place in (anchor, *reversed(self._store.checkpoints()))}
        stretch = read_stretch(self._reader.events, known, head, self._gaps)
        if stretch is not None:
            if stretch.fork < next(reversed(known)):
                log.warning("reorg: everything after block %d is read again", stretch.fork)
                self._store.rollback(stretch.fork)
            self._take_over(stretch)
        newest = next(iter(self._store.checkpoints()), anchor)
        if self._is_doubted and newest.hash == head.hash:
            self._audit(head)
        return Progress(newest.block, max(head.number, newest.block), self._store.batch_count())

    def _anchor(self) -> Place:
        """The block before the deployment: a node that has another one there is on another chain."""
        anchor = self._store.anchor()
        if anchor is None:
            block = self._l1.block(max(self._reader.deployment.block - 1, 0))
            anchor = Place(block.number, block.hash)
            self._store.set_anchor(anchor)
        return anchor

    def _take_over(self, stretch: Stretch) -> None:
        """What a stretch holds, all or nothing."""
        if not stretch.blocks:
            return
        base = next(iter(self._store.checkpoints()), None)
        messages, posted = self._reader.decode(stretch.logs)
        self._is_doubted |= not stretch.is_certain
        next_message = self._check_gaps(base, messages, posted, is_certain=stretch.is_certain)
        bodies = {message.index: message.body for message in messages}
        batches = [(Place(item.block_number, item.header.hash()), self._assemble(item, bodies)) for item in posted]
        blocks = {Place(message.block_number, message.block_hash) for message in messages}
        blocks |= {Place(batch.block_number, batch.block_hash) for batch in posted}
        blocks |= {Place(block.number, block.hash) for block in stretch.blocks}
        if self._store.advance(base, blocks, messages, batches):
            self._next = max(blocks), next_message
            self._forget_messages(batches)
            if recalled := self._store.recall_epochs():
                log.info("%d epochs that were executed before have come again", recalled)

    def _check_gaps(
        self, base: Place | None, messages: Sequence[QueuedMessage], posted: Sequence[PostedBatch], *, is_certain: bool
    ) -> int:
        """Whether these follow on what is kept; else goes back to where that may have begun. Raises ChainError.

        Returns the index of the message that is to come after them.
        """
        count, first = self._store.batch_count(), self._next_message(base)
        if [batch.header.number for batch in posted] != list(range(count, count + len(posted))):
            self._go_back(f"the batches from {count} on have gaps", is_far=is_certain and self._gaps > 0)
        if [message.index for message in messages] != list(range(first, first + len(messages))):
            self._go_back(f"the messages from {first} on have gaps", is_far=is_certain and self._gaps > 0)
        next_message = first + len(messages)
        if posted and (end := posted[-1].header.first_message + posted[-1].header.message_count) > next_message:
            self._go_back(f"of {end} messages that are consumed {next_message} were shown")
        return next_message

    def _next_message(self, base: Place | None) -> int:
        """Index of the first message that is not kept; asked of the store only where somebody else has changed it."""
        if self._next is None or self._next[0] != base:
            self._next = base, self._store.next_message()
        return self._next[1]

    def _audit(self, head: Block) -> None:
        """Hold what is kept against what inbox and queue have counted up to this block. Raises ChainError."""
        batches, messages = self._reader.batch_count(head.number), self._reader.message_count(head.number)
        ours = self._store.batch_count(), self._next_message(next(iter(self._store.checkpoints()), None))
        if batches > ours[0] or messages > ours[1]:
            self._go_back(f"{batches} batches and {messages} messages are on L1, {ours[0]} and {ours[1]} were shown")
        if (batches, messages) == ours:
            self._is_doubted, self._gaps = False, 0

    def _go_back(self, what: str, *, is_far: bool = False) -> NoReturn:
        """Forget what came after the last batch and the last message that are sure, to read it again, narrower;
        `is_far`: everything, since what was sure is not. Raises ChainError.
        """
        block = -1
        last, message = self._store.batch_place(self._store.batch_count() - 1), self._store.newest_message()
        if not is_far and last is not None:
            block = min(last.block, last.block if message is None else message) - 1
        self._gaps += 1
        self._is_doubted = True
        self._store.rollback(block)
        raise ChainError(
            "rpc_unreachable", f"{self._l1.hosts} leaves something out ({what}): reading again from block {block + 1}"
        )

    def _assemble(self, posted: PostedBatch, bodies: Mapping[int, bytes]) -> Batch:
        """The batch, with its messages from `bodies`, the store, or (if those are damaged) L1 once more."""
        header = posted.header
        indices = range(header.first_message, header.first_message + header.message_count)
        known = [bodies.get(index) or self._store.message(index) for index in indices]
        try:
            if None not in known:
                try:
                    return self._reader.assemble(posted, [body for body in known if body is not None])
                except DataError:
                    log.warning("the messages of batch %d are damaged in Redis, asking L1", header.number)
            return self._reader.assemble(posted, self._reader.messages_of(posted))
        except ChainError as error:
            if error.reason == "data_withheld":
                self.withheld = posted
                self._store.want_blob(header.data_root, header.number, posted.block_number)
            raise

    def _forget_messages(self, batches: Sequence[tuple[Place, Batch]]) -> None:
        for _, batch in batches:
            old = self._store.batch_place(batch.header.number - MESSAGES_KEPT)
            gone = self._store.batch(old.hash) if old else None
            if gone is not None:
                first = gone.header.first_message
                self._store.drop_messages(range(first, first + gone.header.message_count))
