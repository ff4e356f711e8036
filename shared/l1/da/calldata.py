"""Records in the calldata of the posting transaction itself: module 0, the inbox's own.

The inbox takes records from nobody but an account without code, so the transaction's input is what the inbox saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from setoff.shared.errors import DataError
from setoff.shared.l1.answers import SentTransaction, take_transaction
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataAvailability, DataPlaces, Posting
from setoff.shared.l1.inbox import PostedBatch, decode_post, encode_post
from setoff.shared.l1.rpc import Address, to_hex
from setoff.shared.machine import data
from setoff.shared.machine.batch import Batch


class CalldataSource:
    """Reads the inputs of posting transactions; see `DataSource`."""

    def __init__(self, l1: L1, places: DataPlaces) -> None:
        """What the transaction has is nowhere else: `places` are not asked."""
        self._l1 = l1

    def read(self, posted: PostedBatch) -> bytes:
        """The records. Raises ChainError if no node has the transaction, DataError if none has what was posted."""
        try:
            return _decode(self._l1.transaction_in(posted.transaction, posted.block_hash), posted)
        except DataError as error:
            told = self._l1.ask_each("eth_getTransactionByHash", to_hex(posted.transaction), take=take_transaction)
            for transaction in told:
                if isinstance(transaction, SentTransaction):
                    with suppress(DataError):
                        return _decode(transaction, posted)
            raise error


def _decode(transaction: SentTransaction, posted: PostedBatch) -> bytes:
    """The records. Raises DataError if the transaction does not hold those of the header."""
    records = decode_post(transaction.input)
    if data.CALLDATA.commit(records) != posted.header.data_root:
        raise DataError("data_mismatch", f"the transaction holds other records than batch {posted.header.number}")
    return records


def make_posting(l1: L1, inbox: Address, batches: Sequence[Batch]) -> Posting:
    """The inbox's `post` with the records of the one batch."""
    (batch,) = batches
    return Posting(encode_post(batch.header, b"".join(batch.records)))


CALLDATA: Final = DataAvailability("calldata", data.CALLDATA, "", CalldataSource, make_posting, batch_limit=1)
