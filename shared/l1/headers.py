"""Block headers: what a node says of a block is held against the block's hash.

The hash binds every field, so with it come the bloom of the block's events, the root of its receipts and that of the
state after it. A header with fields that this program does not know cannot be checked; it is believed then, and
`Block.is_sealed` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import rlp

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.answers import (
    BLOOM_BYTES,
    Block,
    Lacking,
    Malformed,
    take_bytes,
    take_hash,
    take_list,
    take_object,
    take_quantity,
)

FIELDS: Final = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
)
"""Of every header, in the order in which they are hashed: the name in JSON, and whether it is a number."""

LATER_FIELDS: Final = (
    ("baseFeePerGas", True),  # London
    ("withdrawalsRoot", False),  # Shanghai
    ("blobGasUsed", True),  # Cancun
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),  # Prague
)
"""Added by later forks: as many of them as there are, in this order."""

_BITS: Final = 8 * BLOOM_BYTES


def take_block(value: Any) -> Block:
    """A block of the chain. Raises Lacking for null, Malformed."""
    found = take_object(value)
    try:
        block_hash = take_hash(found.get("hash"))
        transactions = tuple(_take_transaction_hash(entry) for entry in take_list(found.get("transactions")))
        block = Block(
            take_quantity(found.get("number")),
            block_hash,
            take_hash(found.get("parentHash")),
            take_quantity(found.get("timestamp")),
            take_quantity(found.get("baseFeePerGas") or "0x0"),
            take_bytes(found.get("logsBloom"), BLOOM_BYTES),
            take_hash(found.get("receiptsRoot")),
            take_hash(found.get("stateRoot")),
            transactions,
            hash_header(found) == block_hash,
            take_quantity(found.get("gasLimit") or "0x0"),
        )
    except Lacking:
        raise Malformed("a block without one of its fields") from None
    return block


def take_pending(value: Any) -> int:
    """The timestamp of a block that is not made yet. Raises Lacking for null, Malformed."""
    return take_quantity(take_object(value).get("timestamp"))


def hash_header(found: Mapping[str, Any]) -> bytes:
    """The hash that a header has, as far as its fields are known here. Raises Malformed, Lacking."""
    fields: list[bytes | int] = []
    later = [entry for entry in LATER_FIELDS if found.get(entry[0]) is not None]
    for name, is_number in (*FIELDS, *later):
        value = found.get(name)
        fields.append(take_quantity(value) if is_number else take_bytes(value))
    return keccak(rlp.encode(fields))


def may_hold(bloom: bytes, item: bytes) -> bool:
    """Whether an address or topic may be among those that went into a bloom; False is certain."""
    digest = keccak(item)
    for at in (0, 2, 4):
        bit = int.from_bytes(digest[at : at + 2], "big") % _BITS
        if not bloom[BLOOM_BYTES - 1 - bit // 8] >> bit % 8 & 1:
            return False
    return True


def _take_transaction_hash(entry: Any) -> bytes:
    return take_hash(entry.get("hash") if isinstance(entry, Mapping) else entry)
