"""What a node answers, as values: each shape is checked where it comes in.

A node that answers something else than the method has (`Malformed`) is broken, one that has nothing to show yet
(`Lacking`, a bare `null`) may be behind: neither is ever turned into a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
BLOOM_BYTES: Final = 256
MAX_QUANTITY: Final = 1 << 256
MAX_KIND: Final = 0x7F
"""Of a transaction (EIP-2718)."""


class Malformed(ValueError):
    """An answer of another shape than its method has."""


class Lacking(ValueError):
    """`null` where something should be: this node does not have it, or not yet."""


@dataclass(frozen=True, slots=True)
class Block:
    """What is needed of a block header."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    base_fee: int
    """Wei a unit of gas (EIP-1559)."""
    bloom: bytes = b"\xff" * BLOOM_BYTES
    """Of the addresses and topics of all its events, 256 bytes (`headers.may_hold`)."""
    receipts_root: bytes = b""
    state_root: bytes = b""
    transactions: tuple[bytes, ...] = ()
    """Their hashes."""
    is_sealed: bool = False
    """Whether the fields above were seen to hash to `hash`."""
    gas_limit: int = 0
    """Of all its transactions together; 0: not told."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the node stores it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction: bytes
    index: int
    """Place among the block's events."""
    timestamp: int | None
    """Of its block, if the node tells (not all do)."""
    sender: bytes | None = None
    """Who sent the transaction, where that is known, 20 bytes."""


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """How a transaction went."""

    transaction: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    """Wei a unit of gas."""
    contract: bytes | None
    """Address of the contract it created."""
    logs: tuple[Log, ...]
    sender: bytes | None = None
    """Who sent it, 20 bytes."""
    kind: int = 0
    """Its type (EIP-2718)."""
    cumulative_gas: int = 0
    """Used by it and those before it in the block."""
    bloom: bytes = b""
    blob_gas_price: int = 0
    """Wei a unit of blob gas."""


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction as it was sent."""

    hash: bytes
    sender: bytes
    nonce: int
    input: bytes
    """Its calldata."""
    block_number: int | None
    """None: it is in no block."""


def take_object(value: Any) -> Mapping[str, Any]:
    """A JSON object. Raises Lacking for null, Malformed."""
    if value is None:
        raise Lacking("null")
    if not isinstance(value, Mapping):
        raise Malformed(f"{_show(value)} is no object")
    return value


def take_list(value: Any) -> list[Any]:
    """A JSON list. Raises Lacking for null, Malformed."""
    if value is None:
        raise Lacking("null")
    if not isinstance(value, list):
        raise Malformed(f"{_show(value)} is no list")
    return value


def take_quantity(value: Any) -> int:
    """A number in hexadecimal. Raises Lacking for null, Malformed."""
    if value is None:
        raise Lacking("null")
    if not isinstance(value, str) or not value.startswith("0x"):
        raise Malformed(f"{_show(value)} is no quantity")
    try:
        number = int(value, 16)
    except ValueError:
        raise Malformed(f"{_show(value)} is no quantity") from None
    if not 0 <= number < MAX_QUANTITY:
        raise Malformed(f"{_show(value)} is no quantity")
    return number


def take_bytes(value: Any, size: int | None = None) -> bytes:
    """Bytes in hexadecimal, `size` of them if that is given. Raises Lacking for null, Malformed."""
    if value is None:
        raise Lacking("null")
    if not isinstance(value, str) or not value.startswith("0x"):
        raise Malformed(f"{_show(value)} are no bytes")
    try:
        data = bytes.fromhex(value[2:])
    except ValueError:
        raise Malformed(f"{_show(value)} are no bytes") from None
    if size is not None and len(data) != size:
        raise Malformed(f"{_show(value)} are {len(data)} bytes instead of {size}")
    return data


def take_hash(value: Any) -> bytes:
    """32 bytes. Raises Lacking for null, Malformed."""
    return take_bytes(value, HASH_BYTES)


def take_address(value: Any) -> bytes:
    """20 bytes. Raises Lacking for null, Malformed."""
    return take_bytes(value, ADDRESS_BYTES)


def take_log(value: Any) -> Log:
    """An event of a mined block. Raises Malformed."""
    try:
        entry = take_object(value)
        timestamp = entry.get("blockTimestamp")
        return Log(
            take_address(entry.get("address")),
            tuple(take_hash(topic) for topic in take_list(entry.get("topics"))),
            take_bytes(entry.get("data")),
            take_quantity(entry.get("blockNumber")),
            take_hash(entry.get("blockHash")),
            take_hash(entry.get("transactionHash")),
            take_quantity(entry.get("logIndex")),
            take_quantity(timestamp) if isinstance(timestamp, str) else None,
        )
    except Lacking:
        raise Malformed("an event without a block, or without one of its fields") from None


def take_logs(value: Any) -> list[Log]:
    """Events in their order. Raises Lacking for null, Malformed."""
    return [take_log(entry) for entry in take_list(value)]


def take_receipt(value: Any) -> TransactionReceipt:
    """The receipt of a mined transaction. Raises Lacking if it is in no block, Malformed."""
    found = take_object(value)
    if "blockHash" not in found:
        raise Malformed("a receipt without one of its fields")
    block_hash = take_hash(found["blockHash"])
    try:
        kind = take_quantity(found.get("type") or "0x0")
        if kind > MAX_KIND:
            raise Malformed(f"{kind} is no type of a transaction")
        sender, contract = found.get("from"), found.get("contractAddress")
        from_sender = None if sender is None else take_address(sender)
        logs = take_logs(found.get("logs"))
        return TransactionReceipt(
            take_hash(found.get("transactionHash")),
            take_quantity(found.get("blockNumber")),
            block_hash,
            take_quantity(found.get("status")) == 1,
            take_quantity(found.get("gasUsed")),
            take_quantity(found.get("effectiveGasPrice") or "0x0"),
            None if contract is None else take_address(contract),
            tuple(logs),
            from_sender,
            kind,
            take_quantity(found.get("cumulativeGasUsed") or "0x0"),
            take_bytes(found.get("logsBloom") or "0x"),
            take_quantity(found.get("blobGasPrice") or "0x0"),
        )
    except Lacking:
        raise Malformed("a receipt without one of its fields") from None


def take_transaction(value: Any) -> SentTransaction:
    """A transaction, mined or not. Raises Lacking for null, Malformed."""
    found = take_object(value)
    try:
        number = found.get("blockNumber")
        return SentTransaction(
            take_hash(found.get("hash")),
            take_address(found.get("from")),
            take_quantity(found.get("nonce")),
            take_bytes(found.get("input", found.get("data"))),
            None if number is None else take_quantity(number),
        )
    except Lacking:
        raise Malformed("a transaction without one of its fields") from None


def _show(value: Any) -> str:
    return repr(value)[:80]
