"""Batches and messages as L1 has them: events, calldata, and the hashes that prove both.

Nothing here trusts anybody but the node. A batch's records are with its data availability module (`da`), its messages
are events of the queue; what is put together from them is checked against the batch hash on L1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, DataError, InputError
from setoff.shared.l1.abi import EventType
from setoff.shared.l1.answers import Block, Log
from setoff.shared.l1.block_logs import BlockLogs
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, QUEUE, Contract
from setoff.shared.l1.da.module import DataPlaces, DataSource
from setoff.shared.l1.da.registry import get_module
from setoff.shared.l1.inbox import BATCH_POSTED, PostedBatch, decode_batch
from setoff.shared.l1.rpc import LOG_BLOCKS
from setoff.shared.l1.storage import Fact, find_difference, load_layout
from setoff.shared.l1.stretch import NEAR
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO

MESSAGE_QUEUED: Final = QUEUE.events["MessageQueued"]

INBOX_STORAGE: Final = load_layout("inbox")
QUEUE_STORAGE: Final = load_layout("queue")

SPANS: Final = (LOG_BLOCKS, 128, 8)
"""Blocks in one query for logs: narrower each time that something was missing."""

FEW: Final = 8
"""Blocks that are read with proof rather than through the node's filter."""

_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message of the L1 queue."""

    index: int
    body: bytes
    """124 bytes."""
    queue_hash: bytes
    """The hash of the queue after this message."""
    timestamp: int
    """Unix seconds at which it was queued."""
    block_number: int
    block_hash: bytes


class ChainReader:
    """Reads one deployment's batches and messages."""

    def __init__(self, l1: L1, deployment: Deployment, places: DataPlaces | None = None) -> None:
        """`places`: where else the data of modules may be had from."""
        self.l1 = l1
        self.deployment = deployment
        self._inbox = Contract(l1, INBOX, deployment.inbox)
        self._queue = Contract(l1, QUEUE, deployment.queue)
        self._places = places or DataPlaces()
        self._sources: dict[int, DataSource] = {}
        self.events = BlockLogs(l1, [self._inbox.address, self._queue.address])
        """All events of inbox and queue, block by block."""

    # --- events ---

    def decode(self, logs: Iterable[Log]) -> tuple[list[QueuedMessage], list[PostedBatch]]:
        """The messages and the batches among log entries of inbox and queue, in their order."""
        messages, batches = [], []
        for entry in logs:
            if entry.address == self._queue.address and entry.topics[:1] == (MESSAGE_QUEUED.topic,):
                messages.append(_decode_message(entry))
            elif entry.address == self._inbox.address and entry.topics[:1] == (BATCH_POSTED.topic,):
                batches.append(decode_batch(entry))
        return messages, batches

    def batches(self, first: int, last: int) -> list[PostedBatch]:
        """The batches posted in the blocks `first` to `last`, in order. Raises ChainError if the node has gaps."""
        return [decode_batch(log) for log in self._read_whole(self._inbox, BATCH_POSTED, first, last)]

    def messages(self, first: int, last: int) -> list[QueuedMessage]:
        """The messages queued in the blocks `first` to `last`, in order. Raises as `batches`."""
        return [_decode_message(log) for log in self._read_whole(self._queue, MESSAGE_QUEUED, first, last)]

    def data(self, posted: PostedBatch) -> bytes:
        """What its module keeps of a batch, checked against its header's data root by `assemble`.

        Raises ChainError if the node no longer has it (a reorg) or it is withheld, DataError if it is no such data.
        """
        header = posted.header
        if not header.record_count:
            return b""
        source = self._sources.get(header.module)
        if source is None:
            source = self._sources[header.module] = get_module(header.module).open_source(self.l1, self._places)
        return source.read(posted)

    # --- whole batches ---

    def batch(self, number: int, block: int | None = None) -> Batch:
        """Batch `number` with its inputs, checked against its hash on L1.

        `block` is where it was posted, as far as the caller knows: the search begins there. Raises
        InputError("not_found") if there is no such batch, DataError("data_mismatch"), ChainError.
        """
        posted = self.find(number, block)
        if posted.header.hash() != self.batch_hash(number):
            raise DataError("data_mismatch", f"batch {number} is not the one that L1 holds")
        return self.assemble(posted, self.messages_of(posted))

    def assemble(self, posted: PostedBatch, messages: Sequence[bytes], queue_hash: bytes | None = None) -> Batch:
        """The batch of these messages and its module's records, checked against its header; `queue_hash`: the queue's
        before its messages, by default as L1 says.

        Raises ChainError as `data` does, DataError("data_mismatch") if the header commits to other inputs.
        """
        module = get_module(posted.header.module).codec
        batch = Batch.read(posted.header, messages, self.data(posted), module)
        batch.check(self.queue_hash_at(posted.header.first_message) if queue_hash is None else queue_hash)
        return batch

    def find(self, number: int, block: int | None = None) -> PostedBatch:
        """Where batch `number` was posted; `block` as in `batch`. Raises InputError("not_found"), ChainError."""
        if block is not None:
            for posted in self.batches(block, block):
                if posted.header.number == number:
                    return posted
        if number >= self.batch_count():
            raise InputError("not_found", f"batch {number} is not on L1")
        topics, last = [number.to_bytes(_WORD, "big")], self.l1.head().number
        for span in SPANS:
            if logs := self._inbox.logs(BATCH_POSTED.name, self.deployment.block, last, topics, span=span):
                return decode_batch(logs[-1])
        raise ChainError("rpc_unreachable", f"{self.l1.hosts} does not show batch {number}, which is posted")

    def messages_of(self, posted: PostedBatch) -> list[bytes]:
        """The bodies of the messages that a batch consumes. Raises ChainError if the node does not show them all."""
        header = posted.header
        wanted = range(header.first_message, header.first_message + header.message_count)
        found: dict[int, bytes] = {}
        for span in SPANS:
            # Most often they were queued shortly before the batch: nearer blocks come first.
            width, last = 256, posted.block_number
            while len(found) < len(wanted) and last >= self.deployment.block:
                first = max(last - width + 1, self.deployment.block)
                logs = self._queue.logs(MESSAGE_QUEUED.name, first, last, span=span)
                found |= {each.index: each.body for each in map(_decode_message, logs) if each.index in wanted}
                width, last = 4 * width, first - 1
        last = posted.block_number
        while len(found) < len(wanted) and last >= self.deployment.block:
            messages, _ = self.decode(self.events.read(self.l1.block(last)))
            found |= {message.index: message.body for message in messages if message.index in wanted}
            last -= 1
        if len(found) < len(wanted):
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has not all messages of batch {header.number}")
        return [found[index] for index in wanted]

    def _read_whole(self, contract: Contract, event: EventType, first: int, last: int) -> list[Log]:
        """All events of a kind that are numbered by their first topic; a few blocks with proof, more as long as no
        number is missing, also not at the end."""
        if last - first < FEW:
            blocks = [self.l1.block(number) for number in range(first, last + 1)]
            logs = [entry for block in blocks for entry in self.events.read(block)]
            return [entry for entry in logs if entry.address == contract.address and entry.topics[0] == event.topic]
        is_recent = last > self.l1.head().number - NEAR  # nodes forget older states
        count = int(contract.view("count", block=last)) if is_recent else None
        for span in SPANS:
            logs = contract.logs(event.name, first, last, span=span)
            numbers = [int.from_bytes(entry.topics[1], "big") for entry in logs]
            begin = 0 if first <= self.deployment.block else min(numbers, default=0)
            end = count if count is not None else max(numbers, default=-1) + 1
            if numbers == list(range(begin, end)) or (not numbers and first > self.deployment.block):
                return logs
        raise ChainError("rpc_unreachable", f"{self.l1.hosts} leaves out events of blocks {first} to {last}")

    # --- what L1 keeps ---

    def find_gap_in_inbox(self, block: Block, batches: int, batch_hash: bytes, *, is_all: bool) -> str:
        """In what the inbox's storage after `block` is otherwise than so many batches (one at least if it is not all),
        the last with this hash; empty if in nothing. `is_all`: there are to be no more of them. Raises ChainError.

        The one hash binds all of them: it is that of a header, in which are the hash of the batch before, the root of
        the records, and the queue hash after the messages, which binds these and the queue hash before.
        """
        facts = []
        if batches:
            slot, value = INBOX_STORAGE.slot("batch_hash", batches - 1), int.from_bytes(batch_hash, "big")
            facts.append(Fact(slot, value, f"the hash of batch {batches - 1}"))
        if is_all:
            facts.append(Fact(INBOX_STORAGE.slot("count"), batches, "the number of batches"))
        return find_difference(self.l1, self._inbox.address, block, facts)

    def find_gap_in_queue(self, block: Block, messages: int, queue_hash: bytes, *, is_all: bool) -> str:
        """The same of the queue: so many messages, and the hash after them. Raises ChainError."""
        slot, value = QUEUE_STORAGE.slot("queue_hash", messages), int.from_bytes(queue_hash, "big")
        facts = [Fact(slot, value, f"the queue hash after {messages} messages")]
        if is_all:
            facts.append(Fact(QUEUE_STORAGE.slot("count"), messages, "the number of messages"))
        return find_difference(self.l1, self._queue.address, block, facts)

    def batch_count(self, block: int | str = "latest") -> int:
        """Number of batches posted so far, or up to a block."""
        return int(self._inbox.view("count", block=block))

    def batch_hash(self, number: int) -> bytes:
        """Hash of batch `number`, which somebody has seen.

        Raises ChainError where L1 shows none: the node is behind, or a reorg took the batch back, which then comes
        again, or is missed by whoever reads the blocks.
        """
        found = bytes(self._inbox.view("batch_hash", number))
        if found == ZERO:
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has no batch {number} now")
        return found

    def message_count(self, block: int | str = "latest") -> int:
        """Number of messages queued so far, or up to a block."""
        return int(self._queue.view("count", block=block))

    def queue_hash_at(self, index: int) -> bytes:
        """The queue hash before message `index`, which somebody has seen. Raises ChainError as `batch_hash`."""
        if not index:
            return ZERO
        found = bytes(self._queue.view("queue_hash", index))
        if found == ZERO:
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has no message {index - 1} now")
        return found


def _decode_message(log: Log) -> QueuedMessage:
    fields = MESSAGE_QUEUED.decode(log)
    return QueuedMessage(
        fields["index"], fields["body"], fields["queue_hash"], fields["timestamp"], log.block_number, log.block_hash
    )
