"""The inbox as those who post see it: who may, what waits, and the call that posts.

The operator posts what its sequencer closed; when it is silent, anybody may post what waits in the queue. Both make the
same call, and say in it which batch it is to make, so that after a reorg it makes that one or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError
from setoff.shared.l1.answers import Log
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, QUEUE, Contract
from setoff.shared.machine.batch import Header
from setoff.shared.machine.data import CALLDATA, ZERO

POST: Final = INBOX.functions["post"]
BATCH_POSTED: Final = INBOX.events["BatchPosted"]

RESERVE: Final = INBOX.encode("reserve")
"""Calldata of the inbox's `reserve`, by which the operator keeps others out while it comes back."""

_WORD: Final = 32
_RECORDS_OFFSET: Final = 4 + 4 * _WORD
"""Index in calldata of the word that says where the records are."""
_RECORDS_LENGTH: Final = 4 + 5 * _WORD
"""Index in calldata of the word that says how many bytes they have."""


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """A batch as its event shows it: all but its inputs."""

    header: Header
    transaction: bytes
    """Hash of the transaction that posted it."""
    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class InboxState:
    """How far the inbox is, as of the latest block."""

    count: int
    """Batches posted."""
    timestamp: int
    """Unix seconds, of the last batch; 0 before the first."""
    messages_consumed: int
    records_posted: int
    queued: int
    """Messages in the queue, consumed ones included."""
    parent: bytes
    """Hash of the last batch, zero before the first."""

    @property
    def waiting(self) -> int:
        """Messages that no batch has consumed."""
        return max(0, self.queued - self.messages_consumed)


class Inbox:
    """Reads one deployment's inbox. Raises ChainError if L1 cannot be read."""

    def __init__(self, l1: L1, deployment: Deployment) -> None:
        self._inbox = Contract(l1, INBOX, deployment.inbox)
        self._queue = Contract(l1, QUEUE, deployment.queue)

    def operator(self) -> bytes:
        """The operator's address, 20 bytes."""
        return bytes(self._inbox.view("OPERATOR"))

    def operator_posted_at(self) -> int:
        """Block time (unix seconds) of the operator's last own post, at first of the deployment."""
        return self._read("operator_posted_at")

    def silence(self) -> int:
        """Seconds without a post of the operator's, or without an epoch completed, until anybody may."""
        return self._read("SILENCE")

    def force_delay(self) -> int:
        """Seconds after which no batch may leave a message out."""
        return self._read("FORCE_DELAY")

    def max_skew(self) -> int:
        """Seconds for which L1 takes a batch after its timestamp."""
        return self._read("MAX_SKEW")

    def epoch_interval(self) -> int:
        """Least seconds between the beginnings of two epochs."""
        return self._read("EPOCH_INTERVAL")

    def paced_until(self) -> int:
        """Unix seconds from which on the next batch may be posted, as far as the pace of epochs goes; 0: it begins
        none."""
        return self._read("paced_until")

    def opens_at(self) -> int:
        """Unix seconds from which on anybody may post messages, unless the operator posts before."""
        return self._read("opens_at")

    def wind_down(self) -> int:
        """Seconds without a post of the operator's after which anybody may end the exchange."""
        return int(self._queue.view("WIND_DOWN"))

    def is_winding_down(self) -> bool:
        """Whether somebody has."""
        return bool(self._queue.view("is_winding_down"))

    def state(self) -> InboxState:
        """How far it is. A batch that comes while it is read makes it wrong, and the inbox refuses a posting."""
        count = self._read("count")
        return InboxState(
            count,
            self._read("timestamp"),
            self._read("messages_consumed"),
            self._read("records_posted"),
            int(self._queue.view("count")),
            bytes(self._inbox.view("batch_hash", count - 1)) if count else ZERO,
        )

    def next_header(self, state: InboxState, timestamp: int, message_count: int, records: bytes = b"") -> Header:
        """What the inbox makes of the next `message_count` messages and these records, posted as calldata."""
        end = state.messages_consumed + message_count
        return Header(
            state.parent,
            state.count,
            timestamp,
            state.messages_consumed,
            message_count,
            state.records_posted,
            len(records) // RECORD_BYTES,
            CALLDATA.number,
            CALLDATA.commit(records) if records else ZERO,
            bytes(self._queue.view("queue_hash", end)) if end else ZERO,
        )

    def _read(self, function: str) -> int:
        return int(self._inbox.view(function))


def encode_post(header: Header, records: bytes = b"") -> bytes:
    """Calldata of the inbox's `post` that makes the batch with this header; `records` are concatenated.

    The inbox takes no other encoding of it, and refuses it where it would make another batch.
    """
    return INBOX.encode("post", header.number, header.timestamp, header.message_count, header.hash(), records)


def decode_post(calldata: bytes) -> bytes:
    """The records in the input of a posting transaction, 124 bytes each, concatenated.

    The inbox takes a single encoding of its arguments, so this one is read and no other. Raises DataError if it is no
    call of `post`, or one that the inbox would have refused.
    """
    length = int.from_bytes(calldata[_RECORDS_LENGTH : _RECORDS_LENGTH + _WORD], "big")
    start = _RECORDS_LENGTH + _WORD
    is_post = calldata[:4] == POST.selector and int.from_bytes(calldata[_RECORDS_OFFSET:][:_WORD], "big") == 5 * _WORD
    if not is_post or len(calldata) != start + -(-length // _WORD) * _WORD or length % RECORD_BYTES:
        raise DataError("data_mismatch", "the transaction is no call of the inbox's post")
    return calldata[start : start + length]


def encode_post_data(headers: Sequence[Header], told: Iterable[bytes] = ()) -> bytes:
    """Calldata of the inbox's `post_data` that makes the batches with these headers, 1 to 6 of one module.

    `told`: what the module wants to know of each batch that has records, in their order, at most 1,024 bytes.
    """
    first, last, words = headers[0], headers[-1], iter(told)
    postings = [
        (header.timestamp, header.message_count, header.record_count, next(words) if header.record_count else b"")
        for header in headers
    ]
    return INBOX.encode("post_data", first.module, first.number, last.hash(), postings)


def decode_batch(log: Log) -> PostedBatch:
    """A BatchPosted event. Raises DataError("data_mismatch") if its header does not hash to the batch hash in it."""
    fields = BATCH_POSTED.decode(log)
    batch_hash = fields.pop("batch_hash")
    header = Header(**fields)
    if header.hash() != batch_hash:
        raise DataError("data_mismatch", f"the header of batch {header.number} does not hash to its batch hash")
    return PostedBatch(header, log.transaction, log.block_number, log.block_hash)
