"""Receipts: what the operator signs for a record that it has taken. Twin: ``contracts/codec/receipts.vy``.

Records are numbered from 0 over all batches. A receipt says: record number `sequence` has this hash, all records up to
it have this running hash, and a batch that reaches it is posted by the deadline. It is signed as EIP-712 typed data in
the records' own domain, with the key that posts.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import hash_pair, keccak

RECEIPT_TYPE: Final = "Receipt(uint64 sequence,bytes32 record,bytes32 running,uint64 deadline)"
_TYPE_HASH: Final = keccak(RECEIPT_TYPE.encode())
_STRUCT: Final = Struct(">32s24xQ32s32s24xQ")


class Receipt(NamedTuple):
    """`record`: keccak of the 124 bytes; `running`: see `extend`, 32 bytes each; `deadline`: unix seconds."""

    sequence: int
    record: bytes
    running: bytes
    deadline: int


def extend(running: bytes, record: bytes) -> bytes:
    """The running hash (32 bytes, zero at first) after one more record with this hash."""
    return hash_pair(running, record)


def digest(domain: bytes, receipt: Receipt) -> bytes:
    """32-byte digest that the operator signs: keccak(0x1901 || domain || hashStruct)."""
    return keccak(b"\x19\x01" + domain + keccak(_STRUCT.pack(_TYPE_HASH, *receipt)))


def recover(domain: bytes, receipt: Receipt, signature: bytes) -> bytes | None:
    """20-byte address that signed the receipt, None where the 64-byte signature is not valid."""
    return signatures.recover(digest(domain, receipt), signature)
