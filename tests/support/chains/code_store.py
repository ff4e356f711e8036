"""A third party data availability module, records in code; its contract is `tests/support/contracts/code_store.vy`."""

from collections.abc import Sequence

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError

STOP = b"\0"
MAX_RECORDS = (24_576 - 1) // RECORD_BYTES


class CodeStore:
    """The machine's side of it, a `DataModule`."""

    def encode(self, records: bytes) -> bytes:
        return STOP + records

    def decode(self, data: bytes, record_count: int) -> bytes:
        if len(data) != 1 + record_count * RECORD_BYTES or data[:1] != STOP:
            raise DataError("data_mismatch", "the code is not that of so many records")
        return data[1:]

    def commit(self, data: bytes) -> bytes:
        return keccak(data)

    def prove(self, data: bytes, record_count: int, index: int) -> tuple[bytes, list[bytes]]:
        if not 0 <= index < record_count:
            raise IndexError(f"no record {index}")
        return b"", []

    def verify(
        self, data_root: bytes, record_count: int, index: int, record_page: bytes, siblings: Sequence[bytes]
    ) -> bytes:
        raise WitnessError("wrong_input", "the records are in a contract's code, which takes a chain to look at")


def init_code(data: bytes) -> bytes:
    """Creates a contract with this code: copies what follows these 12 bytes, and returns it."""
    return bytes.fromhex(f"61{len(data):04x}80600c6000396000f3") + data
