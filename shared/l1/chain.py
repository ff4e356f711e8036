"""Batches and messages as L1 has them: events, calldata, and the hashes that prove both.

A batch's records are with its data availability module (`da`), its messages are events of the queue; what is put
together from them is checked against the batch hash that the inbox holds, and that is proven (`proven.py`). What an
endpoint shows otherwise is read again, from others first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from setoff.shared.codec.records import stamp_message
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, DataError, InputError
from setoff.shared.l1.abi import EventType
from setoff.shared.l1.answers import Block, Log
from setoff.shared.l1.block_logs import BlockLogs
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, QUEUE, Contract
from setoff.shared.l1.da.module import DataPlaces, DataSource
from setoff.shared.l1.da.registry import get_module
from setoff.shared.l1.doubt import Doubt
from setoff.shared.l1.endpoint import Endpoint
from setoff.shared.l1.inbox import BATCH_POSTED, PostedBatch, decode_batch
from setoff.shared.l1.proven import Proven
from setoff.shared.l1.rpc import LOG_BLOCKS
from setoff.shared.l1.storage import Fact, find_difference, load_layout
from setoff.shared.l1.stretch import NEAR, Stretch
from setoff.shared.machine.batch import Batch, extend_queue_hash
from setoff.shared.machine.data import ZERO

MESSAGE_QUEUED: Final = QUEUE.events["MessageQueued"]

INBOX_STORAGE: Final = load_layout("inbox")
QUEUE_STORAGE: Final = load_layout("queue")

SPANS: Final = (LOG_BLOCKS, 128, 8)
"""Blocks in one query for logs: narrower each time that something was missing."""

FEW: Final = 8
"""Blocks that are read with proof rather than through the node's filter."""

_WORD: Final = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message of the L1 queue."""

    index: int
    body: bytes
    """Stamped: its 124 bytes and the time at which it was queued."""
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
        self.proven = Proven(l1)
        """Where what L1 keeps is read."""

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
        """The batches posted in the blocks `first` to `last`, in order, as the inbox has them if `last` is recent.

        Raises ChainError if no endpoint shows them so.
        """
        return self._read_whole(self._inbox, BATCH_POSTED, first, last, decode_batch, self._find_gap_in_batches)

    def messages(self, first: int, last: int) -> list[QueuedMessage]:
        """The messages queued in the blocks `first` to `last`, in order. Raises as `batches`."""
        return self._read_whole(self._queue, MESSAGE_QUEUED, first, last, _decode_message, self._find_gap_in_messages)

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
        return self.assemble(posted, self.messages_of(posted))

    def assemble(self, posted: PostedBatch, messages: Sequence[bytes], queue_hash: bytes | None = None) -> Batch:
        """The batch of these messages and its module's records, checked against its header; `queue_hash`: the queue's
        before its messages, by default as L1 says.

        Raises ChainError as `data` does, DataError("data_mismatch") if the header commits to other inputs.
        """
        before = self.queue_hash_at(posted.header.first_message) if queue_hash is None else queue_hash
        try:
            return self._assemble(posted, messages, before)
        except DataError:
            # Of an event that a filter has shown, all but the transaction is bound by the header's hash.
            found, wanted = self.decode(self.events.read(self.l1.block(posted.block_number)))[1], posted.header.hash()
            proven = next((each for each in found if each.header.hash() == wanted), posted)
            if proven.transaction == posted.transaction:
                raise
            return self._assemble(proven, messages, before)

    def _assemble(self, posted: PostedBatch, messages: Sequence[bytes], queue_hash: bytes) -> Batch:
        batch = Batch.read(posted.header, messages, self.data(posted), get_module(posted.header.module).codec)
        batch.check(queue_hash)
        return batch

    def find(self, number: int, block: int | None = None) -> PostedBatch:
        """Batch `number` as the inbox has it; `block` as in `batch`. Raises InputError("not_found"), ChainError."""
        if number >= self.batch_count():
            raise InputError("not_found", f"batch {number} is not on L1")
        wanted = self.batch_hash(number)
        if block is not None:
            for posted in self.decode(self.events.read(self.l1.block(block)))[1]:
                if posted.header.hash() == wanted:
                    return posted
        doubt, topics, last = Doubt(self.l1), [number.to_bytes(_WORD, "big")], self.l1.head().number
        for span in SPANS:
            told_by: set[Endpoint] = set()
            logs = self._inbox.logs(BATCH_POSTED.name, self.deployment.block, last, topics, span=span, told_by=told_by)
            for posted in self._decode_each(logs, decode_batch)[0]:
                if posted.header.hash() == wanted:
                    return posted
            error = _refute(doubt, told_by, f"batch {number}")
        raise error

    def messages_of(self, posted: PostedBatch) -> list[bytes]:
        """The bodies of the messages that a batch consumes, as the queue has them. Raises ChainError if the node does
        not show them so."""
        header = posted.header
        wanted = range(header.first_message, header.first_message + header.message_count)
        before = self.queue_hash_at(header.first_message)
        doubt = Doubt(self.l1)
        for span in SPANS:
            found: dict[int, bytes] = {}
            told_by: set[Endpoint] = set()
            # Most often they were queued shortly before the batch: nearer blocks come first.
            width, last = 256, posted.block_number
            while len(found) < len(wanted) and last >= self.deployment.block:
                first = max(last - width + 1, self.deployment.block)
                logs = self._queue.logs(MESSAGE_QUEUED.name, first, last, span=span, told_by=told_by)
                messages, _ = self._decode_each(logs, _decode_message)
                found |= {each.index: each.body for each in messages if each.index in wanted}
                width, last = 4 * width, first - 1
            if _binds(before, found, wanted, header.queue_hash):
                return [found[index] for index in wanted]
            _refute(doubt, told_by, f"the messages of batch {header.number}")
        found, last = {}, posted.block_number
        while len(found) < len(wanted) and last >= self.deployment.block:
            messages, _ = self.decode(self.events.read(self.l1.block(last)))
            found |= {message.index: message.body for message in messages if message.index in wanted}
            last -= 1
        if not _binds(before, found, wanted, header.queue_hash):
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has not all messages of batch {header.number}")
        return [found[index] for index in wanted]

    def _read_whole(
        self,
        contract: Contract,
        event: EventType,
        first: int,
        last: int,
        decode: Callable[[Log], T],
        find_gap: Callable[[Sequence[T], Block | None, bool], str],
    ) -> list[T]:
        """All events of a kind: a few blocks with proof, more through the node's filter, narrower as long as
        `find_gap` tells of something missing, or put in: of what was read, the block after which it was to be so
        (None: states so old are not kept), and whether it was read from the first one on.
        """
        block, doubt, few = self._find_provable(last), Doubt(self.l1), [0] if last - first < FEW else []
        for span in (*few, *SPANS):
            told_by: set[Endpoint] = set()
            if span:
                logs = contract.logs(event.name, first, last, span=span, told_by=told_by)
            else:
                blocks = [self.l1.block(number) for number in range(first, last + 1)]
                logs = [entry for each in blocks for entry in self.events.read(each)]
                logs = [entry for entry in logs if entry.address == contract.address and entry.topics[0] == event.topic]
            found, gap = self._decode_each(logs, decode)
            gap = gap or find_gap(found, block, first <= self.deployment.block)
            if not gap:
                return found
            error = _refute(doubt, told_by, gap)
        raise error

    def _find_provable(self, last: int) -> Block | None:
        """The block, `last` or one before, by whose state what was read up to `last` can be proven."""
        agreed = self.proven.block()
        if agreed.number > last:
            return self.l1.block(last) if agreed.number < last + NEAR else None
        return agreed if agreed.number >= self.deployment.block else None

    def _decode_each(self, logs: Iterable[Log], decode: Callable[[Log], T]) -> tuple[list[T], str]:
        """What these are, as far as they are anything, and what is wrong with the others."""
        found, gap = [], ""
        for entry in logs:
            try:
                found.append(decode(entry))
            except DataError as error:
                gap = error.detail
        return found, gap

    def _find_gap_in_batches(self, posted: Sequence[PostedBatch], block: Block | None, is_first: bool) -> str:
        """See `_read_whole`: each binds the one before, the inbox's storage the last."""
        headers = [each.header for each in posted]
        for before, header in pairwise(headers):
            if header.number != before.number + 1 or header.parent != before.hash():
                return f"batch {header.number} does not follow on batch {before.number}"
        if is_first and headers and (headers[0].number, headers[0].parent) != (0, ZERO):
            return f"batch {headers[0].number} is the first"
        shown = [each.header for each in posted if block and each.block_number <= block.number]
        if block is None or not (shown or is_first):
            return ""
        count, last = (shown[-1].number + 1, shown[-1].hash()) if shown else (0, ZERO)
        return self.find_gap_in_inbox(block, count, last, is_all=True)

    def _find_gap_in_messages(self, messages: Sequence[QueuedMessage], block: Block | None, is_first: bool) -> str:
        """See `_read_whole`."""
        for before, message in pairwise(messages):
            follows = extend_queue_hash(before.queue_hash, message.body)
            if (message.index, message.queue_hash) != (before.index + 1, follows):
                return f"message {message.index} does not follow on message {before.index}"
        first = messages[0] if messages else None
        if is_first and first and (first.index, first.queue_hash) != (0, extend_queue_hash(ZERO, first.body)):
            return f"message {first.index} is the first"
        shown = [each for each in messages if block and each.block_number <= block.number]
        if block is None or not (shown or is_first):
            return ""
        count, queue_hash = (shown[-1].index + 1, shown[-1].queue_hash) if shown else (0, ZERO)
        return self.find_gap_in_queue(block, count, queue_hash, is_all=True)

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

    def batch_count(self) -> int:
        """Number of batches posted so far. Raises ChainError."""
        return self.proven.read(self._inbox.address, [INBOX_STORAGE.slot("count")])[0]

    def pace(self) -> tuple[int, int]:
        """Number of batches posted so far, and the block time (unix seconds) of the first one of the last epoch begun.
        Raises ChainError."""
        slots = [INBOX_STORAGE.slot("count"), INBOX_STORAGE.slot("epoch_began_at")]
        count, began_at = self.proven.read(self._inbox.address, slots)
        return count, began_at

    def batch_hash(self, number: int) -> bytes:
        """Hash of batch `number`, which somebody has seen.

        Raises ChainError where L1 holds none: the nodes are behind, or a reorg took the batch back, which then comes
        again, or is missed by whoever reads the blocks.
        """
        found = self.proven.read(self._inbox.address, [INBOX_STORAGE.slot("batch_hash", number)])[0]
        if not found:
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has no batch {number} now")
        return found.to_bytes(_WORD, "big")

    def message_count(self) -> int:
        """Number of messages queued so far. Raises ChainError."""
        return self.proven.read(self._queue.address, [QUEUE_STORAGE.slot("count")])[0]

    def queue_hash_at(self, index: int) -> bytes:
        """The queue hash before message `index`, which somebody has seen. Raises ChainError as `batch_hash`."""
        if not index:
            return ZERO
        found = self.proven.read(self._queue.address, [QUEUE_STORAGE.slot("queue_hash", index)])[0]
        if not found:
            raise ChainError("rpc_unreachable", f"{self.l1.hosts} has no message {index - 1} now")
        return found.to_bytes(_WORD, "big")


def _refute(doubt: Doubt, told_by: set[Endpoint], what: str) -> ChainError:
    """Those who told of events that are otherwise are asked last from now on; the error to raise in the end."""
    doubt.take_in(Stretch(0, (), [], False, frozenset(told_by)))
    return doubt.refute(what)


def _binds(before: bytes, found: dict[int, bytes], wanted: range, after: bytes) -> bool:
    """Whether all that are wanted are found, and lead from the queue hash before them to the one after."""
    for index in wanted:
        if index not in found:
            return False
        before = extend_queue_hash(before, found[index])
    return before == after


def _decode_message(log: Log) -> QueuedMessage:
    fields = MESSAGE_QUEUED.decode(log)
    time = fields["timestamp"]
    message = stamp_message(fields["body"], time)
    return QueuedMessage(fields["index"], message, fields["queue_hash"], time, log.block_number, log.block_hash)
