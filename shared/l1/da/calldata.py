"""Records in the calldata of the posting transaction itself: module 0, the inbox's own.

The inbox takes records from nobody but an account without code, so the transaction's input is what the inbox saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataAvailability, DataPlaces, Posting
from setoff.shared.l1.inbox import PostedBatch, decode_post, encode_post
from setoff.shared.l1.rpc import Address
from setoff.shared.machine import data
from setoff.shared.machine.batch import Batch


class CalldataSource:
    """Reads the inputs of posting transactions; see `DataSource`."""

    def __init__(self, l1: L1, places: DataPlaces) -> None:
        """What the transaction has is nowhere else: `places` are not asked."""
        self._l1 = l1

    def read(self, posted: PostedBatch) -> bytes:
        """The records. Raises ChainError if no node has the transaction, DataError if it is no posting."""
        return decode_post(self._l1.transaction_in(posted.transaction, posted.block_hash).input)


def make_posting(l1: L1, inbox: Address, batches: Sequence[Batch]) -> Posting:
    """The inbox's `post` with the records of the one batch."""
    (batch,) = batches
    return Posting(encode_post(batch.header, b"".join(batch.records)))


CALLDATA: Final = DataAvailability("calldata", data.CALLDATA, "", CalldataSource, make_posting, batch_limit=1)
