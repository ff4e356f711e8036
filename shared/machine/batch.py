"""Batches: what the operator posts, and how L1 commits to it.

A batch is a header and up to 2^10 inputs: first the L1 messages it consumes, then its records. The
batch hash commits to everything a step may read:

    batch hash = keccak(the header's 10 words), and in it
      data_root = what the batch's data availability module commits to (0 without records),
      queue_hash = the hash of the L1 queue after the batch's last message,
      parent = the batch hash before.

So any record is proven by a page and siblings, as its module has them (`data.py`), any message by the queue hash.
Twin: `contracts/inbox.vy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, Self

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.records import MESSAGE_BYTES, RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError
from setoff.shared.machine.data import CALLDATA, ZERO, DataModule

MAX_INPUTS: Final = 1 << 10

HeaderWords = tuple[bytes, int, int, int, int, int, int, int, bytes, bytes]
"""The fields of a header in their order: a step's proof has them so."""

_HEADER: Final = Struct(">32s" + "24xQ" * 7 + "32s32s")
HEADER_BYTES: Final = _HEADER.size


def encode_words(*values: int | bytes) -> bytes:
    """The ABI encoding of static words: unsigned integers and 32-byte strings, 32 bytes each, big-endian."""
    return b"".join(value if isinstance(value, bytes) else value.to_bytes(32, "big") for value in values)


def extend_queue_hash(queue_hash: bytes, message: bytes) -> bytes:
    """The hash of the L1 queue (32 bytes, zero at first) after one more message (MESSAGE_BYTES)."""
    return hash_pair(queue_hash, keccak(message))


def epoch_hash(epoch: int, batch_count: int, last_batch_hash: bytes) -> bytes:
    """Commitment of an epoch: its number, its number of batches and, through the parents, each batch up to its last."""
    return keccak(encode_words(epoch, batch_count, last_batch_hash))


@dataclass(frozen=True, slots=True)
class Header:
    """What L1 keeps of a batch, in hashed form: ten 32-byte words."""

    parent: bytes
    """Hash of the batch before, 32 zero bytes for batch 0."""
    number: int
    """Batches are numbered from 0 without gaps."""
    timestamp: int
    """Unix seconds; never less than the parent's."""
    first_message: int
    """Queue index of the first message consumed: all before it were consumed by earlier batches."""
    message_count: int
    first_record: int
    """Number of records in all batches before."""
    record_count: int
    module: int
    """Where the records are: 0 calldata, n the inbox's data availability module n."""
    data_root: bytes
    """The module's commitment to the records, zero without any."""
    queue_hash: bytes
    """The hash of the L1 queue after the last message consumed so far."""

    @property
    def words(self) -> HeaderWords:
        """The ten words, as the ABI has the struct."""
        return (
            self.parent,
            self.number,
            self.timestamp,
            self.first_message,
            self.message_count,
            self.first_record,
            self.record_count,
            self.module,
            self.data_root,
            self.queue_hash,
        )

    def encode(self) -> bytes:
        """The ten words as HEADER_BYTES bytes."""
        return encode_words(*self.words)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        return cls(*_HEADER.unpack(data))

    @property
    def inputs(self) -> int:
        """Number of its inputs: their indices are 0 to this less one."""
        return self.message_count + self.record_count

    def hash(self) -> bytes:
        """The batch hash, 32 bytes."""
        return keccak(self.encode())


def verify_record(
    header: Header, input_index: int, record_page: bytes, siblings: Sequence[bytes], module: DataModule = CALLDATA
) -> bytes:
    """The record at `input_index` of the batch, proven by a page and siblings as its module has them.

    Twin of the inbox's `check_record`. Raises WitnessError("wrong_input") if the proof does not show that record.
    """
    index = input_index - header.message_count
    if header.module != module.number or not 0 <= index < header.record_count:
        raise WitnessError("wrong_input", f"input {input_index} holds no record of module {module.number}")
    return module.verify(header.data_root, header.record_count, index, record_page, siblings)


@dataclass(frozen=True, slots=True)
class Batch:
    """A header with the inputs it commits to: messages with their time (MESSAGE_BYTES each), records of 124 bytes."""

    header: Header
    messages: tuple[bytes, ...]
    records: tuple[bytes, ...]
    data: bytes = b""
    """What the module keeps, if that is not simply the records: a blob."""
    module: DataModule = field(default=CALLDATA, compare=False, repr=False)
    """Where the records are: the one whose number the header has."""

    def __post_init__(self) -> None:
        """Raises DataError("data_mismatch") if the header has another module's number."""
        if self.header.module != self.module.number:
            raise DataError("data_mismatch", f"batch {self.header.number} is of module {self.header.module}")

    @classmethod
    def seal(
        cls,
        parent: bytes,
        number: int,
        timestamp: int,
        first_message: int,
        first_record: int,
        queue_hash: bytes,
        messages: Sequence[bytes],
        records: Sequence[bytes],
        module: DataModule = CALLDATA,
    ) -> Self:
        """The batch of these inputs, with its records in `module`.

        `parent` is the batch hash before, `queue_hash` the queue's after that batch, `first_record` the number of
        records up to there.
        """
        for message in messages:
            queue_hash = extend_queue_hash(queue_hash, message)
        joined = b"".join(records)
        data = module.encode(joined) if joined else b""
        root = module.commit(data) if joined else ZERO
        counts = (first_message, len(messages), first_record, len(records))
        header = Header(parent, number, timestamp, *counts, module.number, root, queue_hash)
        return cls(header, tuple(messages), tuple(records), b"" if data == joined else data, module)

    @classmethod
    def read(cls, header: Header, messages: Sequence[bytes], data: bytes, module: DataModule = CALLDATA) -> Self:
        """The batch with this header, its records taken from its module's data (empty if it has none); unchecked.

        Raises DataError("data_mismatch") if the data cannot hold its records.
        """
        if data and not header.record_count:
            raise DataError("data_mismatch", f"batch {header.number} has data and no records")
        joined = module.decode(data, header.record_count) if header.record_count else b""
        records = tuple(joined[at : at + RECORD_BYTES] for at in range(0, len(joined), RECORD_BYTES))
        return cls(header, tuple(messages), records, b"" if data == joined else data, module)

    @property
    def module_data(self) -> bytes:
        """All that the module keeps of the batch; empty without records."""
        joined = b"".join(self.records)
        return self.data or (self.module.encode(joined) if joined else b"")

    def check(self, queue_hash: bytes) -> None:
        """Check the inputs against the header; `queue_hash` is the queue's after the batch before.

        Raises DataError("data_mismatch") if the header commits to other inputs.
        """
        header = self.header
        if {*map(len, self.messages)} - {MESSAGE_BYTES} or {*map(len, self.records)} - {RECORD_BYTES}:
            raise DataError("data_mismatch", f"batch {header.number} has an input of a wrong length")
        for message in self.messages:
            queue_hash = extend_queue_hash(queue_hash, message)
        found = (len(self.messages), len(self.records), self._data_root(), queue_hash)
        if found != (header.message_count, header.record_count, header.data_root, header.queue_hash):
            raise DataError("data_mismatch", f"the inputs of batch {header.number} are not those of its header")

    def _data_root(self) -> bytes:
        """The data root of the records. Raises DataError("data_mismatch") if they are not what the module keeps."""
        if not self.records:
            return ZERO
        module, data = self.module, self.module_data
        if module.decode(data, len(self.records)) != b"".join(self.records):
            raise DataError("data_mismatch", f"the data of batch {self.header.number} holds other records")
        return module.commit(data)

    def body(self, input_index: int) -> bytes:
        """The 124 bytes of an input (of a message without its time). Raises IndexError if the index is unused."""
        if not 0 <= input_index < self.header.inputs:
            raise IndexError(f"input {input_index} of batch {self.header.number} is unused")
        messages = len(self.messages)
        if input_index < messages:
            return self.messages[input_index][:RECORD_BYTES]
        return self.records[input_index - messages]

    def prove(self, input_index: int) -> tuple[bytes, list[bytes]]:
        """Page and siblings of the record at `input_index`. Raises IndexError if there is none."""
        index = input_index - len(self.messages)
        if not 0 <= index < len(self.records):
            raise IndexError(f"input {input_index} of batch {self.header.number} holds no record")
        return self.module.prove(self.module_data, len(self.records), index)
