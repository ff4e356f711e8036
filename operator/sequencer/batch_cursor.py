"""The end of the chain of batches: what the next batch continues, and the running numbers. Snapshots hold it."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from setoff.shared.machine.batch import Header
from setoff.shared.machine.data import ZERO

_PACKED: Final = Struct(">32s32s32sQQQQQ")


@dataclass(slots=True)
class BatchCursor:
    """Where the next batch begins.

    parent: hash of the last batch; queue_hash: that of the L1 queue after it; running: the running hash of all records
    (`shared/codec/receipts.py`); number: of the next batch; messages: L1 messages consumed; records, fills: accepted
    and made so far; proven: withdrawals whose proofs were made.
    """

    parent: bytes = ZERO
    queue_hash: bytes = ZERO
    running: bytes = ZERO
    number: int = 0
    messages: int = 0
    records: int = 0
    fills: int = 0
    proven: int = 0

    def advance(self, header: Header) -> None:
        """Continue after the batch with this header."""
        self.parent = header.hash()
        self.queue_hash = header.queue_hash
        self.number += 1
        self.messages += header.message_count

    def encode(self) -> bytes:
        """136 bytes: the three hashes, then the numbers."""
        hashes = (self.parent, self.queue_hash, self.running)
        return _PACKED.pack(*hashes, self.number, self.messages, self.records, self.fills, self.proven)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        return cls(*_PACKED.unpack(data))
