"""The L1 queue as the sequencer sees it: which messages wait, and what time it is on L1.

The operator's own clock counts for nothing: a batch's timestamp is L1's, and only events deep enough in the chain are
taken. A node that leaves out a message, or puts one in, is noticed, by the proofs of every block and by the queue's own
storage.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple, NoReturn, Protocol

from setoff.shared.codec.records import MESSAGE_BYTES
from setoff.shared.errors import DataError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.chain import ChainReader, QueuedMessage
from setoff.shared.l1.doubt import Doubt
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.lower import LowerHead
from setoff.shared.l1.stretch import MARKS, PROVEN, OtherChain, Stretch, read_stretch
from setoff.shared.l1.survey import find_agreed
from setoff.shared.machine.batch import extend_queue_hash
from setoff.shared.machine.data import ZERO

IDLE_CHAIN: Final = 60
"""Seconds after which a latest block counts as the last one of a chain that only makes blocks on demand."""


class L1View(NamedTuple):
    """One look at L1: `time` is the highest timestamp a batch may have; `messages` wait, from queue index `first` on.

    `due`: for each message the timestamp (unix seconds, never falling) from which on no batch may leave it out.
    """

    first: int
    time: int
    messages: Sequence[bytes]
    due: Sequence[int]

    def pending(self, consumed: int) -> tuple[bytes, ...]:
        """Those that wait where `consumed` of the queue are consumed; none if the view begins after that."""
        return tuple(self.messages[consumed - self.first :]) if consumed >= self.first else ()

    def count_due(self, timestamp: int, consumed: int) -> int:
        """How many of these a batch of this timestamp has to consume."""
        if consumed < self.first:
            return 0
        skipped = min(consumed - self.first, len(self.due))
        return bisect_right(self.due, timestamp, skipped) - skipped


NOTHING_SEEN: Final = L1View(0, 0, (), ())
"""Before the first look."""


class MessageSource(Protocol):
    """Where messages and time come from."""

    async def look(self, first: int, queue_hash: bytes) -> L1View:
        """The messages from index `first` on; `queue_hash` is that of the queue before that one.

        Raises ChainError if L1 cannot be read now, DataError if it contradicts `queue_hash`.
        """
        ...


class QueueMessages:
    """The messages of the queue contract, read from its events."""

    def __init__(self, reader: ChainReader, confirmations: int) -> None:
        """`confirmations`: blocks that must lie on top of an event."""
        self._reader = reader
        self._l1 = reader.l1
        self._confirmations = confirmations
        self._delay: int | None = None  # not read yet
        self._first = 0  # of the last look: what lies before is not kept
        self._doubt = Doubt(reader.l1)
        self._lower = LowerHead()
        self._forget()

    async def look(self, first: int, queue_hash: bytes) -> L1View:
        """See `MessageSource`."""
        return await asyncio.to_thread(self._look, first, queue_hash)

    def _look(self, first: int, queue_hash: bytes) -> L1View:
        if first < self._first:
            self._forget()  # a reset: what was consumed, and so is not kept here, waits again
        self._first = first
        head = self._l1.head()
        self._read(head.number - self._confirmations)
        for index in [index for index in self._found if index < first - 1]:
            del self._found[index]
        messages = self._check(first, queue_hash)
        delay = self._get_delay()
        due = [self._found[index].timestamp + delay for index in range(first, first + len(messages))]
        return L1View(first, self._time(head), messages, due)

    def _get_delay(self) -> int:
        """Seconds for which the inbox lets a message wait."""
        if self._delay is None:
            self._delay = Inbox(self._l1, self._reader.deployment).force_delay()
        return self._delay

    def _forget(self) -> None:
        self._marks: dict[int, bytes] = {}  # number to hash of blocks up to which everything was read, ascending
        self._found: dict[int, QueuedMessage] = {}  # by index
        self._next = 0  # index of the first message that was not read

    def _read(self, until: int) -> None:
        """Everything up to that block. Raises ChainError if the node leaves something out."""
        if until < self._reader.deployment.block:
            return
        if not self._marks:
            anchor = self._l1.block(max(self._reader.deployment.block - 1, 0))
            self._marks[anchor.number] = anchor.hash
        last = self._l1.block(until)
        while (stretch := self._read_stretch(last)) is not None:
            if stretch.fork < next(reversed(self._marks)):
                self._rewind(stretch.fork)
                continue
            for message in self._reader.decode(stretch.logs)[0]:
                if message.index != self._next:
                    self._refute(f"message {self._next} is not shown")
                self._found[message.index] = message
                self._next += 1
            self._marks |= {block.number: block.hash for block in stretch.blocks}
            anchored, *rest = self._marks.items()
            self._marks = dict([anchored, *rest[-MARKS:]])
            self._doubt.take_in(stretch)
        if self._doubt.is_open and self._marks.get(last.number) == last.hash:
            self._audit(last)

    def _read_stretch(self, last: Block) -> Stretch | None:
        """See `read_stretch`. What is of another chain than the queue is given up."""
        try:
            return read_stretch(self._reader.events, self._marks, last, self._lower, self._doubt.gaps)
        except OtherChain:
            self._forget()
            raise

    def _audit(self, last: Block) -> None:
        """Hold what was read against the queue's storage. Raises ChainError."""
        block = find_agreed(self._l1, last, self._marks.get, PROVEN)
        if block.number < self._reader.deployment.block:
            return  # nothing can be proven of so young a queue; the doubt stays
        shown = [message for _, message in sorted(self._found.items()) if message.block_number <= block.number]
        if not shown and self._found.get(0) is None and self._next:
            return  # what came before is not kept: later
        for before, message in pairwise(shown):
            if message.queue_hash != extend_queue_hash(before.queue_hash, message.body):
                self._refute(f"message {message.index} does not follow on the one before")
        if shown and shown[0].index == 0 and shown[0].queue_hash != extend_queue_hash(ZERO, shown[0].body):
            self._refute("message 0 is not the first one")
        count, queue_hash = (shown[-1].index + 1, shown[-1].queue_hash) if shown else (0, ZERO)
        gap = self._reader.find_gap_in_queue(block, count, queue_hash, is_all=True)
        if gap:
            self._refute(gap)
        self._doubt.settle()

    def _rewind(self, number: int) -> None:
        """A reorg: what came after that block is read again."""
        self._marks = {mark: block_hash for mark, block_hash in self._marks.items() if mark <= number}
        self._found = {index: message for index, message in self._found.items() if message.block_number <= number}
        self._next = max(self._found, default=-1) + 1
        if not self._found:  # how many there were before is not known any more
            self._marks = dict([next(iter(self._marks.items()))])

    def _refute(self, what: str) -> NoReturn:
        """Read everything again, narrower. Raises ChainError."""
        self._forget()
        raise self._doubt.refute(what)

    def _check(self, first: int, queue_hash: bytes) -> list[bytes]:
        """The messages from `first` on, each checked to continue the queue hash."""
        before = self._found.get(first - 1)  # none after a reorg that took it back, as long as it does not come again
        if before is not None and before.queue_hash != queue_hash:
            self._forget()
            raise DataError("data_mismatch", f"the L1 queue has other messages before message {first}")
        messages: list[bytes] = []
        while (message := self._found.get(first + len(messages))) is not None:
            queue_hash = extend_queue_hash(queue_hash, message.body)
            if queue_hash != message.queue_hash or len(message.body) != MESSAGE_BYTES:
                self._forget()
                raise DataError(
                    "data_mismatch",
                    f"message {first + len(messages)} of the L1 queue does not continue the messages before it",
                )
            messages.append(message.body)
        return messages

    def _time(self, head: Block) -> int:
        """The latest block's timestamp: no later block can have an earlier one."""
        pending = self._l1.now()
        return pending if pending - head.timestamp > IDLE_CHAIN else head.timestamp
