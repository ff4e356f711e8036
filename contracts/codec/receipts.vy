# pragma version 0.4.3
"""
@title Receipts
@license MIT
@notice What the operator signs for a record that it has taken: record number `sequence`, counted from 0 over all
        batches, has this hash, all records up to it have this running hash, and a batch that reaches it is posted by
        the deadline. Typed data in the records' own domain. Twin: `shared/codec/receipts.py`.
@dev One signature does for a group: it is on the root of a tree over the receipts' struct hashes, in which a node
     hashes its two children, the lesser first. A receipt's signature is the 64 bytes and behind them the siblings on its way
     to the root, from below. A group of one is signed as a receipt by itself. A leaf is the hash of 160 bytes and a
     node that of 64, so that neither is ever taken for the other.
"""

from codec import signatures

RECEIPT_TYPE: constant(String[71]) = "Receipt(uint64 sequence,bytes32 record,bytes32 running,uint64 deadline)"
MAX_PATH: constant(uint256) = 10
MAX_SIGNATURE: constant(uint256) = 64 + 32 * MAX_PATH


struct Receipt:
    sequence: uint64
    record: bytes32      # keccak of the 124 bytes
    running: bytes32     # see `extend`
    deadline: uint64     # unix seconds


@internal
@pure
def extend(running: bytes32, record: bytes32) -> bytes32:
    """
    @return The running hash (zero at first) after one more record with this hash.
    """
    return keccak256(concat(running, record))


@internal
@pure
def hash_receipt(receipt: Receipt) -> bytes32:
    """
    @return Its EIP-712 struct hash: a leaf of its group's tree.
    """
    return keccak256(abi_encode(keccak256(RECEIPT_TYPE), receipt))


@internal
@pure
def digest(domain: bytes32, receipt: Receipt) -> bytes32:
    """
    @return Digest of a receipt by itself: keccak(0x1901 || domain || hashStruct). It names the receipt.
    """
    return self.digest_root(domain, self.hash_receipt(receipt))


@internal
@pure
def digest_root(domain: bytes32, root: bytes32) -> bytes32:
    """
    @return Digest that the operator signs for the group with this root.
    """
    return keccak256(concat(0x1901, domain, root))


@internal
@pure
def is_signature(signature: Bytes[MAX_SIGNATURE]) -> bool:
    """
    @return Whether it has the length of one: 64 bytes, and up to MAX_PATH hashes.
    """
    return len(signature) >= 64 and len(signature) % 32 == 0


@internal
@pure
def recover(domain: bytes32, receipt: Receipt, signature: Bytes[MAX_SIGNATURE]) -> address:
    """
    @return The address that signed the receipt's group, zero where the signature is not valid.
    """
    if not self.is_signature(signature):
        return empty(address)
    node: bytes32 = self.hash_receipt(receipt)
    for i: uint256 in range((len(signature) - 64) // 32, bound=MAX_PATH):
        node = self.hash_sorted(node, extract32(signature, 64 + 32 * i))
    return signatures.recover(self.digest_root(domain, node), slice(signature, 0, 64))


@internal
@pure
def hash_sorted(one: bytes32, other: bytes32) -> bytes32:
    """
    @return The node above two, the lesser first.
    """
    if convert(one, uint256) < convert(other, uint256):
        return keccak256(concat(one, other))
    return keccak256(concat(other, one))
