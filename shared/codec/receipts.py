"""Receipts: what the operator signs for a record that it has taken. Twin: ``contracts/codec/receipts.vy``.

Records are numbered from 0 over all batches. A receipt says: record number `sequence` has this hash, all records up to
it have this running hash, and a batch that reaches it is posted by the deadline. It is EIP-712 typed data in the
records' own domain, signed with the key that posts.

One signature does for a group: it is on the root of a tree over the receipts' struct hashes, in which a node hashes its
two children, the lesser first; a node without a sibling goes up as it is. A receipt's signature is the 64 bytes and
behind them the siblings on its way to the root, from below. A group of one is signed as a receipt by itself. A leaf is
the hash of 160 bytes and a node that of 64, so that neither is ever taken for the other.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import hash_pair, keccak

RECEIPT_TYPE: Final = "Receipt(uint64 sequence,bytes32 record,bytes32 running,uint64 deadline)"
_TYPE_HASH: Final = keccak(RECEIPT_TYPE.encode())
_STRUCT: Final = Struct(">32s24xQ32s32s24xQ")
_SIGNATURE: Final = 64
MAX_PATH: Final = 10
"""Siblings behind a signature: a group has at most 2^10 receipts."""
MAX_SIGNATURE: Final = 64 + 32 * MAX_PATH
_HASH: Final = 32


class Receipt(NamedTuple):
    """`record`: keccak of the 124 bytes; `running`: see `extend`, 32 bytes each; `deadline`: unix seconds."""

    sequence: int
    record: bytes
    running: bytes
    deadline: int


def extend(running: bytes, record: bytes) -> bytes:
    """The running hash (32 bytes, zero at first) after one more record with this hash."""
    return hash_pair(running, record)


def hash_receipt(receipt: Receipt) -> bytes:
    """Its EIP-712 struct hash, 32 bytes: a leaf of its group's tree."""
    return keccak(_STRUCT.pack(_TYPE_HASH, *receipt))


def digest(domain: bytes, receipt: Receipt) -> bytes:
    """32-byte digest of a receipt by itself: keccak(0x1901 || domain || hashStruct). It names the receipt on L1."""
    return digest_root(domain, hash_receipt(receipt))


def digest_root(domain: bytes, root: bytes) -> bytes:
    """32-byte digest that the operator signs for the group with this root."""
    return keccak(b"\x19\x01" + domain + root)


def is_signature(signature: bytes) -> bool:
    """Whether it has the length of one: 64 bytes, and up to MAX_PATH hashes."""
    return _SIGNATURE <= len(signature) <= MAX_SIGNATURE and len(signature) % _HASH == 0


def recover(domain: bytes, receipt: Receipt, signature: bytes) -> bytes | None:
    """20-byte address that signed the receipt's group, None where the signature is not valid."""
    if not is_signature(signature):
        return None
    node = hash_receipt(receipt)
    for at in range(_SIGNATURE, len(signature), _HASH):
        node = hash_sorted(node, signature[at : at + _HASH])
    return signatures.recover(digest_root(domain, node), signature[:_SIGNATURE])


def hash_sorted(one: bytes, other: bytes) -> bytes:
    """The node above two, the lesser first."""
    return hash_pair(one, other) if one < other else hash_pair(other, one)
