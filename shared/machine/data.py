"""Where the records of batches are: the machine's side of a data availability module, and the first one, calldata.

A module turns records into what it keeps (its *data*: the records themselves, or a blob), commits to that, and proves
single records to the commitment. The judge asks the module's contract for the same (`contracts/interfaces`). How the
data comes to L1 and back, and which modules there are, is told in `shared/l1/da`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_path, merkle_root
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError

RECORDS_PER_PAGE: Final = 8
RECORD_PAGE_BYTES: Final = RECORDS_PER_PAGE * RECORD_BYTES
ZERO: Final = bytes(32)


class DataModule(Protocol):
    """What the machine needs of a module; records and data are never empty here."""

    @property
    def number(self) -> int:
        """The inbox's number of it."""

    @property
    def record_limit(self) -> int:
        """Records that a batch of it holds at most, 1,024 where nothing in it limits them."""

    def encode(self, records: bytes) -> bytes:
        """The data that holds these concatenated records."""

    def decode(self, data: bytes, record_count: int) -> bytes:
        """The concatenated records that data holds. Raises DataError("data_mismatch") if it cannot hold so many."""

    def commit(self, data: bytes) -> bytes:
        """The data root, 32 bytes, never zero. Raises DataError("data_mismatch") if this is no data of the module's."""

    def prove(self, data: bytes, record_count: int, index: int) -> tuple[bytes, list[bytes]]:
        """Page (at most 992 bytes) and siblings (at most 7) of the record at `index`. Raises IndexError."""

    def verify(
        self, data_root: bytes, record_count: int, index: int, record_page: bytes, siblings: Sequence[bytes]
    ) -> bytes:
        """The record at `index`, 124 bytes. Raises WitnessError("wrong_input") if the proof does not show one."""


class Calldata:
    """Module 0: the data is the records, committed as a Merkle root over pages of 8."""

    number: Final = 0
    record_limit: Final = 1 << 10

    def encode(self, records: bytes) -> bytes:
        """The records as they are."""
        return records

    def decode(self, data: bytes, record_count: int) -> bytes:
        """The records as they are. Raises DataError("data_mismatch") if there are more or fewer."""
        if len(data) != record_count * RECORD_BYTES:
            raise DataError("data_mismatch", f"{len(data)} bytes are not {record_count} records")
        return data

    def commit(self, data: bytes) -> bytes:
        """The Merkle root. A page is 124·n bytes and a node 64, so neither can pass for the other."""
        return merkle_root(_record_page_hashes(data))

    def prove(self, data: bytes, record_count: int, index: int) -> tuple[bytes, list[bytes]]:
        """The page that the record is on, and its path."""
        return prove_record(data, index)

    def verify(
        self, data_root: bytes, record_count: int, index: int, record_page: bytes, siblings: Sequence[bytes]
    ) -> bytes:
        """The record at `index`. Raises WitnessError("wrong_input")."""
        first = index // RECORDS_PER_PAGE * RECORDS_PER_PAGE
        record_page_count = -(-record_count // RECORDS_PER_PAGE)
        if not 0 <= index < record_count:
            raise WitnessError("wrong_input", f"there is no record {index}")
        if len(record_page) != min(RECORDS_PER_PAGE, record_count - first) * RECORD_BYTES:
            raise WitnessError("wrong_input", f"the page of record {index} does not have {len(record_page)} bytes")
        if 1 << len(siblings) != _padded(record_page_count):
            raise WitnessError("wrong_input", f"{len(siblings)} siblings for {record_page_count} pages")
        if climb(keccak(record_page), index // RECORDS_PER_PAGE, siblings) != data_root:
            raise WitnessError("wrong_input", f"the page of record {index} is not under the data root")
        start = (index - first) * RECORD_BYTES
        return record_page[start : start + RECORD_BYTES]


CALLDATA: Final = Calldata()


def record_pages(records: bytes) -> list[bytes]:
    """Concatenated records in pages of 8 (992 bytes), the last one as short as what is left."""
    return [records[start : start + RECORD_PAGE_BYTES] for start in range(0, len(records), RECORD_PAGE_BYTES)]


def data_root(records: bytes) -> bytes:
    """Module 0's commitment of concatenated records, zero without any."""
    return merkle_root(_record_page_hashes(records)) if records else ZERO


def prove_record(records: bytes, index: int) -> tuple[bytes, list[bytes]]:
    """Module 0's page and siblings of the record at `index`, counted among the records (input index - message_count).

    Raises IndexError if there is no such record.
    """
    if not 0 <= index * RECORD_BYTES < len(records):
        raise IndexError(f"no record {index}")
    record_page = index // RECORDS_PER_PAGE
    return record_pages(records)[record_page], merkle_path(_record_page_hashes(records), record_page)


def _record_page_hashes(records: bytes) -> list[bytes]:
    """The leaves of the data root: a hash a page, then zeros up to a power of two."""
    hashes = [keccak(record_page) for record_page in record_pages(records)]
    return hashes + [ZERO] * (_padded(len(hashes)) - len(hashes))


def _padded(record_page_count: int) -> int:
    return 1 << (record_page_count - 1).bit_length()
