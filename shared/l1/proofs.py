"""What a block's hash binds, proven with py-trie's `HexaryTrie`: its receipts, and the state after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import rlp
from trie.exceptions import BadTrieProof
from trie.hexary import HexaryTrie

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.answers import (
    Lacking,
    Malformed,
    TransactionReceipt,
    take_bytes,
    take_list,
    take_object,
    take_receipt,
)

EMPTY_ROOT: Final = keccak(rlp.encode(b""))
NO_CODE: Final = keccak(b"")
"""Of a trie without entries."""


class AccountProof(NamedTuple):
    """A contract as of one block."""

    has_code: bool
    """Whether there is a contract."""
    storage_root: bytes
    """Of all its storage: as long as it stays, nothing in the contract has changed."""
    values: tuple[int, ...]
    """Of the slots that were asked for, in their order."""


def compute_receipts_root(receipts: Sequence[TransactionReceipt]) -> bytes:
    """The root that a block with these receipts has, in their order."""
    trie = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        logs = [[log.address, list(log.topics), log.data] for log in receipt.logs]
        body = rlp.encode([int(receipt.succeeded), receipt.cumulative_gas, receipt.bloom, logs])
        trie.set(rlp.encode(index), bytes([receipt.kind]) + body if receipt.kind else body)  # type: ignore[no-untyped-call]
    return bytes(trie.root_hash)


def take_receipts(value: Any, root: bytes) -> list[TransactionReceipt]:
    """All receipts of the block with this receipts root. Raises Lacking for null, Malformed if they are others."""
    receipts = [take_receipt(entry) for entry in take_list(value)]
    if compute_receipts_root(receipts) != root:
        raise Malformed("receipts that do not hash to the block's receipts root")
    return receipts


def take_account(value: Any, address: bytes, slots: Sequence[int], state_root: bytes) -> AccountProof:
    """The answer of `eth_getProof` about a contract, checked against the state root of the block asked for.

    Raises Lacking for null, Malformed if it proves nothing.
    """
    found = take_object(value)
    try:
        account = _walk(state_root, address, take_list(found.get("accountProof")))
        storage_root, code_hash = _take_roots(account) if account else (EMPTY_ROOT, NO_CODE)
        entries = {}
        for entry in map(take_object, take_list(found.get("storageProof"))):
            entries[_take_key(entry)] = entry
        values = []
        for slot in slots:
            if slot not in entries:
                raise Malformed("a proof without a slot that was asked for")
            proven = _walk(storage_root, slot.to_bytes(32, "big"), take_list(entries[slot].get("proof")))
            values.append(int.from_bytes(_decode(proven), "big") if proven else 0)
    except Lacking:
        raise Malformed("a proof without one of its parts") from None
    return AccountProof(code_hash != NO_CODE, storage_root, tuple(values))


def _walk(root: bytes, key: bytes, proof: Sequence[Any]) -> bytes:
    """What a trie of this root has at the hash of a key, empty for nothing. Raises Malformed, Lacking."""
    if root == EMPTY_ROOT:
        return b""
    try:
        nodes = [rlp.decode(take_bytes(node)) for node in proof]
        return bytes(HexaryTrie.get_from_proof(root, keccak(key), nodes))  # type: ignore[no-untyped-call]
    except (BadTrieProof, rlp.exceptions.RLPException, TypeError, KeyError, IndexError) as error:
        raise Malformed(f"a proof that does not lead to the block's root ({type(error).__name__})") from None


def _take_roots(account: bytes) -> tuple[bytes, bytes]:
    """Of its storage and, the hash, of its code."""
    fields = _decode(account)
    if not isinstance(fields, list) or len(fields) != 4:
        raise Malformed("an account of another form")
    return bytes(fields[2]), bytes(fields[3])


def _decode(data: bytes) -> Any:
    try:
        return rlp.decode(data)
    except rlp.exceptions.RLPException:
        raise Malformed("a value of another form") from None


def _take_key(entry: Mapping[str, Any]) -> int:
    """Nodes write the slot with or without leading zeros."""
    key = entry.get("key")
    if not isinstance(key, str):
        raise Malformed("a proof without a slot")
    try:
        return int(key, 16)
    except ValueError:
        raise Malformed("a proof without a slot") from None
