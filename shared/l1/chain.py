"""Batches and messages as L1 has them: events, calldata, and the hashes that prove both.

Nothing here trusts anybody but the node. A batch's records are with its data availability module (`da`), its messages
are events of the queue; what is put together from them is checked against the batch hash on L1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, QUEUE, Contract
from setoff.shared.l1.da.module import DataPlaces, DataSource
from setoff.shared.l1.da.registry import get_module
from setoff.shared.l1.inbox import PostedBatch, decode_batch
from setoff.shared.l1.rpc import Log
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO

MESSAGE_QUEUED: Final = QUEUE.events["MessageQueued"]

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

    # --- events ---

    def batches(self, first: int, last: int) -> list[PostedBatch]:
        """The batches posted in the blocks `first` to `last`, in order."""
        return [decode_batch(log) for log in self._inbox.logs("BatchPosted", first, last)]

    def messages(self, first: int, last: int) -> list[QueuedMessage]:
        """The messages queued in the blocks `first` to `last`, in order."""
        return [_decode_message(log) for log in self._queue.logs("MessageQueued", first, last)]

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
        batch = self.assemble(posted, self.messages_of(posted))
        if batch.header.hash() != self.batch_hash(number):
            raise DataError("data_mismatch", f"batch {number} is not the one that L1 holds")
        return batch

    def assemble(self, posted: PostedBatch, messages: Sequence[bytes]) -> Batch:
        """The batch of these messages and its module's records, checked against its header.

        Raises ChainError as `data` does, DataError("data_mismatch") if the header commits to other inputs.
        """
        module = get_module(posted.header.module).codec
        batch = Batch.read(posted.header, messages, self.data(posted), module)
        batch.check(self.queue_hash_at(posted.header.first_message))
        return batch

    def find(self, number: int, block: int | None = None) -> PostedBatch:
        """Where batch `number` was posted; `block` as in `batch`. Raises InputError("not_found")."""
        ranges = [(self.deployment.block, self.l1.head().number)]
        if block is not None:
            ranges.insert(0, (block, block))
        for first, last in ranges:
            if logs := self._inbox.logs("BatchPosted", first, last, [number.to_bytes(_WORD, "big")]):
                return decode_batch(logs[-1])
        raise InputError("not_found", f"batch {number} is not on L1")

    def messages_of(self, posted: PostedBatch) -> list[bytes]:
        """The bodies of the messages that a batch consumes. Raises DataError if the node does not show them all."""
        header = posted.header
        wanted = range(header.first_message, header.first_message + header.message_count)
        found: dict[int, bytes] = {}
        # Most often they were queued shortly before the batch: nearer blocks come first.
        span, last = 256, posted.block_number
        while len(found) < len(wanted) and last >= self.deployment.block:
            first = max(last - span + 1, self.deployment.block)
            found |= {message.index: message.body for message in self.messages(first, last) if message.index in wanted}
            span, last = 4 * span, first - 1
        if len(found) < len(wanted):
            raise DataError("data_mismatch", f"the node does not show all messages of batch {header.number}")
        return [found[index] for index in wanted]

    # --- what L1 keeps ---

    def batch_count(self) -> int:
        """Number of batches posted so far."""
        return int(self._inbox.view("count"))

    def batch_hash(self, number: int) -> bytes:
        """Hash of batch `number`, zero if it is not posted."""
        return bytes(self._inbox.view("batch_hash", number))

    def message_count(self) -> int:
        """Number of messages queued so far."""
        return int(self._queue.view("count"))

    def queue_hash_at(self, index: int) -> bytes:
        """The queue hash before message `index`."""
        return bytes(self._queue.view("queue_hash", index)) if index else ZERO


def _decode_message(log: Log) -> QueuedMessage:
    fields = MESSAGE_QUEUED.decode(log)
    return QueuedMessage(
        fields["index"], fields["body"], fields["queue_hash"], fields["timestamp"], log.block_number, log.block_hash
    )
