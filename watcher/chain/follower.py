"""Follows L1: messages and batches go into the store as they come, and go out again when a reorg takes them back.

Nothing waits for confirmations, since a batch that disappears leaves only a few hashes behind; the operator is never
asked. What a node leaves out, or puts in, is noticed, by the proofs of every new block and, of a long way, by the
storage of inbox and queue, and is read again: what is not proven to be there does not come into the store. A node that
is behind, or on another chain, is waited for: nothing is given up for it, unless it is proven to have our contracts.
After a restart it goes on where it stopped, with an empty store at the block of the deployment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.chain import ChainReader, QueuedMessage
from setoff.shared.l1.doubt import Doubt
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.l1.lower import LowerHead
from setoff.shared.l1.stretch import PROVEN, OtherChain, Stretch, read_stretch
from setoff.shared.l1.survey import find_agreed
from setoff.shared.machine.batch import Batch, Header, extend_queue_hash
from setoff.shared.machine.data import ZERO
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
        self._doubt = Doubt(reader.l1, is_open=True)  # also of what is kept from before
        self._lower = LowerHead()
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
        try:
            stretch = read_stretch(self._reader.events, known, head, self._lower, self._doubt.gaps)
        except OtherChain:
            self._begin_anew()
            raise
        if stretch is not None:
            if stretch.fork < next(reversed(known)):
                log.warning("reorg: everything after block %d is read again", stretch.fork)
                self._store.rollback(stretch.fork)
            self._doubt.take_in(stretch)
            self._take_over(stretch, head)
        newest = next(iter(self._store.checkpoints()), anchor)
        if self._doubt.is_open and newest.hash == head.hash:
            self._audit(head)
        return Progress(newest.block, max(head.number, newest.block), self._store.batch_count())

    def _begin_anew(self) -> None:
        """What is in the store is of another chain, on which the node was for a while."""
        log.warning("what was read is of another chain: everything is read again")
        self._store.rollback(-1)
        self._store.drop_anchor()
        self._doubt, self._next = Doubt(self._l1, is_open=True), None

    def _anchor(self) -> Place:
        """The block before the deployment: a node that has another one there is on another chain."""
        anchor = self._store.anchor()
        if anchor is None:
            block = self._l1.block(max(self._reader.deployment.block - 1, 0))
            anchor = Place(block.number, block.hash)
            self._store.set_anchor(anchor)
        return anchor

    def _take_over(self, stretch: Stretch, head: Block) -> None:
        """What a stretch on the way to `head` holds, all or nothing."""
        if not stretch.blocks:
            return
        base = next(iter(self._store.checkpoints()), None)
        messages, posted = self._decode(stretch)
        next_message = self._check_gaps(base, messages, posted, is_certain=stretch.is_certain)
        if not stretch.is_certain:
            self._prove(messages, posted, head)
        bodies = {message.index: message.body for message in messages}
        batches: list[tuple[Place, Batch]] = []
        queue_hash = (
            self._header(posted[0].header.number - 1).queue_hash if posted and posted[0].header.number else ZERO
        )
        for item in posted:
            batches.append((Place(item.block_number, item.header.hash()), self._assemble(item, bodies, queue_hash)))
            queue_hash = item.header.queue_hash
        blocks = {Place(message.block_number, message.block_hash) for message in messages}
        blocks |= {Place(batch.block_number, batch.block_hash) for batch in posted}
        blocks |= {Place(block.number, block.hash) for block in stretch.blocks}
        if self._store.advance(base, blocks, messages, batches):
            self._next = max(blocks), next_message
            self._forget_messages(batches)
            if recalled := self._store.recall_epochs():
                log.info("%d epochs that were executed before have come again", recalled)

    def _decode(self, stretch: Stretch) -> tuple[list[QueuedMessage], list[PostedBatch]]:
        try:
            return self._reader.decode(stretch.logs)
        except DataError as error:
            if stretch.is_certain:
                raise
            self._go_back(error.detail)

    def _prove(self, messages: Sequence[QueuedMessage], posted: Sequence[PostedBatch], head: Block) -> None:
        """Whether these are what inbox and queue hold at `head`: each is bound by the next one, the last by its slot.

        Raises ChainError if not.
        """
        block, count = self._find_agreed(head), self._store.batch_count()
        # What is newer, of a chain whose headers do not hash, waits for the audit.
        messages = [message for message in messages if message.block_number <= block.number]
        posted = [batch for batch in posted if batch.block_number <= block.number]
        parent = self._hash_of(count - 1)
        for batch in posted:
            if batch.header.parent != parent:
                self._go_back(f"batch {batch.header.number} does not follow on the one before")
            parent = batch.header.hash()
        gap = ""
        if posted:
            gap = self._reader.find_gap_in_inbox(block, count + len(posted), parent, is_all=False)
        if not gap and messages:
            queue_hash = self._queue_hash(messages[0].index, count)
            for message in messages:
                queue_hash = extend_queue_hash(queue_hash, message.body)
            gap = self._reader.find_gap_in_queue(block, messages[-1].index + 1, queue_hash, is_all=False)
        if gap:
            self._go_back(gap)

    def _check_gaps(
        self, base: Place | None, messages: Sequence[QueuedMessage], posted: Sequence[PostedBatch], *, is_certain: bool
    ) -> int:
        """Whether these follow on what is kept; else goes back to where that may have begun. Raises ChainError.

        Returns the index of the message that is to come after them.
        """
        count, first = self._store.batch_count(), self._next_message(base)
        if [batch.header.number for batch in posted] != list(range(count, count + len(posted))):
            self._go_back(f"the batches from {count} on have gaps", is_far=is_certain and self._doubt.gaps > 0)
        if [message.index for message in messages] != list(range(first, first + len(messages))):
            self._go_back(f"the messages from {first} on have gaps", is_far=is_certain and self._doubt.gaps > 0)
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
        """Hold what is kept against what inbox and queue have. Raises ChainError."""
        block = self._find_agreed(head)
        if block.number < self._reader.deployment.block:
            return  # nothing can be proven of contracts so young; the doubt stays
        batches, messages = self._count_at(block.number)
        gap = self._reader.find_gap_in_inbox(
            block, batches, self._hash_of(batches - 1), is_all=True
        ) or self._reader.find_gap_in_queue(block, messages, self._queue_hash(messages, batches), is_all=True)
        if gap:
            # What was read with proof, and is otherwise all the same, builds on something false of before.
            self._go_back(gap, is_far=self._doubt.gaps > 1)
        self._doubt.settle()

    def _find_agreed(self, head: Block) -> Block:
        """The block to prove by, whose hash is known. Raises ChainError."""
        known = {place.block: place.hash for place in self._store.checkpoints()}
        return find_agreed(self._l1, head, known.get, PROVEN)

    def _count_at(self, block: int) -> tuple[int, int]:
        """How many batches and messages there were after that block, by what is kept."""
        batches, messages = self._store.batch_count(), self._next_message(next(iter(self._store.checkpoints()), None))
        while (place := self._store.batch_place(batches - 1)) is not None and place.block > block:
            batches -= 1
        while (queued := self._store.message_block(messages - 1)) is not None and queued > block:
            messages -= 1
        return batches, messages

    def _hash_of(self, number: int) -> bytes:
        """Hash of a batch that is kept, zero for the one before the first."""
        place = self._store.batch_place(number)
        return ZERO if place is None else place.hash

    def _queue_hash(self, index: int, batches: int) -> bytes:
        """The queue hash before message `index`: what the last of so many batches binds, and the messages after it.

        Raises ChainError.
        """
        queue_hash, first = ZERO, 0
        if batches:
            header = self._header(batches - 1)
            queue_hash, first = header.queue_hash, header.first_message + header.message_count
        for waiting in range(first, index):
            body = self._store.message(waiting)
            if body is None:
                self._go_back(f"message {waiting} is not kept", is_far=True)
            queue_hash = extend_queue_hash(queue_hash, body)
        return queue_hash

    def _header(self, number: int) -> Header:
        """Of a batch that was read; from L1 again if its epoch is closed, and no longer kept. Raises ChainError."""
        place = self._store.batch_place(number)
        assert place is not None
        kept = self._store.header(place.hash)
        if kept is not None:
            return kept
        header = self._reader.find(number, place.block).header
        if header.hash() != place.hash:
            self._go_back(f"another batch {number}", is_far=True)
        return header

    def _go_back(self, what: str, *, is_far: bool = False) -> NoReturn:
        """Forget what came after the last batch and the last message that are sure, to read it again, narrower;
        `is_far`: everything, since what was sure is not. Raises ChainError.
        """
        block = -1
        last, message = self._store.batch_place(self._store.batch_count() - 1), self._newest_message()
        if not is_far and last is not None:
            block = min(last.block, last.block if message is None else message) - 1
        self._store.rollback(block)
        raise self._doubt.refute(what)

    def _newest_message(self) -> int | None:
        """Block of the last message that was read, None if that is not known any more."""
        return self._store.message_block(self._store.next_message() - 1)

    def _assemble(self, posted: PostedBatch, bodies: Mapping[int, bytes], queue_hash: bytes) -> Batch:
        """The batch, with its messages from `bodies`, the store, or (if those are damaged) L1 once more; `queue_hash`:
        the queue's before them."""
        header = posted.header
        indices = range(header.first_message, header.first_message + header.message_count)
        known = [bodies.get(index) or self._store.message(index) for index in indices]
        try:
            if None not in known:
                try:
                    return self._reader.assemble(posted, [body for body in known if body is not None], queue_hash)
                except DataError:
                    log.warning("the messages of batch %d are damaged in Redis, asking L1", header.number)
            return self._reader.assemble(posted, self._reader.messages_of(posted), queue_hash)
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
