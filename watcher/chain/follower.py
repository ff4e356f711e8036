"""Follows L1: messages and batches go into the store as they come, and go out again when a reorg takes them back.

What counts is the chain as the node shows it now: nothing waits for confirmations, since a batch that disappears leaves
only a few hashes behind. The operator is never asked. After a restart it goes on where it stopped, with an empty store
at the block of the deployment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.machine.batch import Batch
from setoff.watcher.store import Place, Store

CHUNK: Final = 2000
"""Blocks taken over at once when catching up."""

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
        self.withheld: PostedBatch | None = None
        """The batch whose data nobody had at the last look."""

    def step(self) -> Progress:
        """Look at L1 once and take over at most `CHUNK` blocks.

        Raises ChainError if L1 cannot be read, DataError if the node contradicts itself.
        """
        self.withheld = None
        head = self._l1.head()
        base = self._find_base()
        start = self._reader.deployment.block - 1 if base is None else base.block
        until = self._l1.block(min(head.number, start + CHUNK))
        if until is not None and until.number > start:
            end = Place(until.number, until.hash)
            try:
                self._take_over(base, start + 1, end)
            except (ChainError, DataError):
                if self._are_canonical(base, end):
                    raise
                log.info("a reorg came in between, reading again")
        newest = next(iter(self._store.checkpoints()), None)
        return Progress(newest.block if newest else start, head.number, self._store.batch_count())

    def _find_base(self) -> Place | None:
        """The newest block that was read and is still on the chain; what came after it is forgotten."""
        checkpoints = self._store.checkpoints()
        for checkpoint in checkpoints:
            if self._is_canonical(checkpoint):
                break
        else:
            checkpoint = None
        if checkpoints and checkpoint != checkpoints[0]:
            block = -1 if checkpoint is None else checkpoint.block
            log.warning("reorg: everything after block %d is read again", block)
            self._store.rollback(block)
        return checkpoint

    def _is_canonical(self, place: Place) -> bool:
        block = self._l1.block(place.block)
        return block is not None and block.hash == place.hash

    def _are_canonical(self, *places: Place | None) -> bool:
        return all(place is None or self._is_canonical(place) for place in places)

    def _take_over(self, base: Place | None, first: int, end: Place) -> None:
        messages = self._reader.messages(first, end.block)
        posted = self._reader.batches(first, end.block)
        count = self._store.batch_count()
        if [batch.header.number for batch in posted] != list(range(count, count + len(posted))):
            raise DataError("data_mismatch", f"the node does not show the batches from {count} on without gaps")
        bodies = {message.index: message.body for message in messages}
        batches = [(Place(item.block_number, item.header.hash()), self._assemble(item, bodies)) for item in posted]
        # Both ends still there: so what was read in between is of one chain.
        blocks = {Place(message.block_number, message.block_hash) for message in messages}
        blocks |= {Place(batch.block_number, batch.block_hash) for batch in posted} | {end}
        if self._are_canonical(base, end) and self._store.advance(base, blocks, messages, batches):
            self._forget_messages(batches)

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
