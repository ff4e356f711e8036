# pragma version 0.4.3
"""
@title Receipts
@license MIT
@notice What the operator signs for a record that it has taken: record number `sequence`, counted from 0 over all
        batches, has this hash, all records up to it have this running hash, and a batch that reaches it is posted by
        the deadline. Typed data in the records' own domain. Twin: `shared/codec/receipts.py`.
"""

from codec import signatures

RECEIPT_TYPE: constant(String[71]) = "Receipt(uint64 sequence,bytes32 record,bytes32 running,uint64 deadline)"


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
def digest(domain: bytes32, receipt: Receipt) -> bytes32:
    """
    @return Digest that the operator signs: keccak(0x1901 || domain || hashStruct).
    """
    return keccak256(concat(0x1901, domain, keccak256(abi_encode(keccak256(RECEIPT_TYPE), receipt))))


@internal
@pure
def recover(domain: bytes32, receipt: Receipt, signature: Bytes[64]) -> address:
    """
    @return The address that signed the receipt, zero where the 64-byte signature is not valid.
    """
    return signatures.recover(self.digest(domain, receipt), signature)
