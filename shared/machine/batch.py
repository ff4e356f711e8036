"""Batches: what the operator posts, and how L1 commits to it.

A batch is a header and up to 2^10 inputs: first the L1 messages it consumes, then its records, one input a slot. The
batch hash commits to everything a step may read:

    batch hash = keccak(the header's 10 words), and in it
      data_root = Merkle root over pages of 8 records (0 without records),
      messages  = the queue's hash chain after the batch's last message,
      parent    = the batch hash before.

So any record is proven by its page and at most 7 siblings (`prove_record`), any message by the queue's own chain.
Twin: `contracts/inbox.vy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.merkle import climb, merkle_path, merkle_root
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError

MAX_INPUTS: Final = 1 << 10
PAGE_RECORDS: Final = 8
PAGE_BYTES: Final = PAGE_RECORDS * RECORD_BYTES
ZERO: Final = bytes(32)

#: The fields of a header in their order: a step's proof has them so.
HeaderWords = tuple[bytes, int, int, int, int, int, int, int, bytes, bytes]

_HEADER: Final = Struct(">32s" + "24xQ" * 7 + "32s32s")
HEADER_BYTES: Final = _HEADER.size


def encode_words(*values: int | bytes) -> bytes:
    """The ABI encoding of static words: unsigned integers and 32-byte strings, 32 bytes each, big-endian."""
    return b"".join(value if isinstance(value, bytes) else value.to_bytes(32, "big") for value in values)


def accumulate(chain: bytes, body: bytes) -> bytes:
    """The L1 queue's hash chain (32 bytes, zero at first) after one more message of 124 bytes."""
    return hash_pair(chain, keccak(body))


def epoch_hash(epoch: int, batch_count: int, last_batch_hash: bytes) -> bytes:
    """Commitment of an epoch: its number, its number of batches and, through the parents, each batch up to its last."""
    return keccak(encode_words(epoch, batch_count, last_batch_hash))


def pages(records: bytes) -> list[bytes]:
    """Concatenated records in pages of 8 (992 bytes), the last one as short as what is left."""
    return [records[start : start + PAGE_BYTES] for start in range(0, len(records), PAGE_BYTES)]


def _page_hashes(records: bytes) -> list[bytes]:
    """The leaves of the data root: a hash a page, then zeros up to a power of two."""
    hashes = [keccak(page) for page in pages(records)]
    return hashes + [ZERO] * (_padded(len(hashes)) - len(hashes))


def _padded(page_count: int) -> int:
    return 1 << (page_count - 1).bit_length()


def data_root(records: bytes) -> bytes:
    """Commitment of concatenated records: the Merkle root over their hashed pages, zero without records.

    A page is 124·n bytes and a node 64, so neither can pass for the other.
    """
    return merkle_root(_page_hashes(records)) if records else ZERO


def prove_record(records: bytes, index: int) -> tuple[bytes, list[bytes]]:
    """Page and siblings of the record at `index`, counted among the records (slot - message_count).

    Raises IndexError if there is no such record.
    """
    if not 0 <= index * RECORD_BYTES < len(records):
        raise IndexError(f"no record {index}")
    page = index // PAGE_RECORDS
    return pages(records)[page], merkle_path(_page_hashes(records), page)


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
    messages: bytes
    """The queue's hash chain after the last message consumed so far."""

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
            self.messages,
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
        """Number of used slots."""
        return self.message_count + self.record_count

    def hash(self) -> bytes:
        """The batch hash, 32 bytes."""
        return keccak(self.encode())


def verify_record(header: Header, slot: int, page: bytes, siblings: Sequence[bytes]) -> bytes:
    """The record in `slot` of the batch, proven by the page it is on and that page's siblings.

    Twin of the inbox's `check_record`. Raises WitnessError("wrong_input") if the proof does not show that record.
    """
    index = slot - header.message_count
    first = index // PAGE_RECORDS * PAGE_RECORDS
    page_count = -(-header.record_count // PAGE_RECORDS)
    if not 0 <= index < header.record_count:
        raise WitnessError("wrong_input", f"slot {slot} holds no record")
    if len(page) != min(PAGE_RECORDS, header.record_count - first) * RECORD_BYTES:
        raise WitnessError("wrong_input", f"the page of slot {slot} does not have {len(page)} bytes")
    if 1 << len(siblings) != _padded(page_count):
        raise WitnessError("wrong_input", f"{len(siblings)} siblings for {page_count} pages")
    if climb(keccak(page), index // PAGE_RECORDS, siblings) != header.data_root:
        raise WitnessError("wrong_input", f"the page of slot {slot} is not under the data root")
    start = (index - first) * RECORD_BYTES
    return page[start : start + RECORD_BYTES]


@dataclass(frozen=True, slots=True)
class Batch:
    """A header with the inputs it commits to, 124 bytes each."""

    header: Header
    messages: tuple[bytes, ...]
    records: tuple[bytes, ...]

    @classmethod
    def seal(
        cls,
        parent: bytes,
        number: int,
        timestamp: int,
        first_message: int,
        first_record: int,
        chain: bytes,
        messages: Sequence[bytes],
        records: Sequence[bytes],
    ) -> Self:
        """The batch of these inputs; `parent` is the batch hash before, `chain` the queue's chain after that batch."""
        for body in messages:
            chain = accumulate(chain, body)
        root = data_root(b"".join(records))
        counts = (first_message, len(messages), first_record, len(records))
        header = Header(parent, number, timestamp, *counts, 0, root, chain)
        return cls(header, tuple(messages), tuple(records))

    def check(self, chain: bytes) -> None:
        """Check the inputs against the header; `chain` is the queue's chain after the batch before.

        Raises DataError("data_mismatch") if the header commits to other inputs.
        """
        header = self.header
        if {len(body) for body in self.messages + self.records} - {RECORD_BYTES}:
            raise DataError(
                "data_mismatch", f"batch {header.number} has an input that is not {RECORD_BYTES} bytes long"
            )
        place = (header.parent, header.number, header.timestamp, header.first_message, header.first_record)
        sealed = self.seal(*place, chain, self.messages, self.records)
        if sealed.header != header:
            raise DataError("data_mismatch", f"the inputs of batch {header.number} are not those of its header")

    def body(self, slot: int) -> bytes:
        """The 124 bytes of the input in `slot`. Raises IndexError if the slot is unused."""
        if not 0 <= slot < self.header.inputs:
            raise IndexError(f"slot {slot} of batch {self.header.number} is unused")
        messages = len(self.messages)
        return self.messages[slot] if slot < messages else self.records[slot - messages]

    def prove(self, slot: int) -> tuple[bytes, list[bytes]]:
        """Page and siblings of the record in `slot`. Raises IndexError if the slot holds no record."""
        return prove_record(b"".join(self.records), slot - len(self.messages))
