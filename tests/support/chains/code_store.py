"""A third party's data availability module, records in code; its contract is `tests/support/contracts/code_store.vy`.

Both of its sides are here, the machine's and L1's, as they would be in one file of `shared/l1/da`. Its number is the
first after the project's own.
"""

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import decode

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX
from setoff.shared.l1.da.module import DataAvailability, DataPlaces, Posting
from setoff.shared.l1.da.registry import MODULES
from setoff.shared.l1.inbox import PostedBatch, encode_post_data
from setoff.shared.l1.rpc import Address
from setoff.shared.machine.batch import Batch

STOP: Final = b"\0"


class CodeStore:
    """The machine's side, a `DataModule`."""

    number: Final = max(MODULES) + 1
    record_limit: Final = (24_576 - 1) // RECORD_BYTES

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


class CodeSource:
    """Reads the code that a posting names, a `DataSource`."""

    def __init__(self, l1: L1, places: DataPlaces) -> None:
        self._l1 = l1

    def read(self, posted: PostedBatch) -> bytes:
        arguments = self._l1.transaction_in(posted.transaction, posted.block_hash).input[4:]
        _, first, _, postings = decode(INBOX.functions["post_data"].inputs, arguments)
        return self._l1.code(postings[posted.header.number - first][3][12:])


def make_posting(l1: L1, inbox: Address, batches: Sequence[Batch]) -> Posting:
    """The records first, each batch's in a contract of its own; then the posting that names them."""
    created = [l1.transact(None, init_code(batch.module_data)).contract for batch in batches if batch.records]
    told = [(address or b"").rjust(32, b"\0") for address in created]
    return Posting(encode_post_data([batch.header for batch in batches], told))


def init_code(data: bytes) -> bytes:
    """Creates a contract with this code: copies what follows these 12 bytes, and returns it."""
    return bytes.fromhex(f"61{len(data):04x}80600c6000396000f3") + data


CODE: Final = CodeStore()
MODULE: Final = DataAvailability("code", CODE, "", CodeSource, make_posting, batch_limit=3)
