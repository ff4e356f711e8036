"""Signed transactions, as nodes take them: with fees (EIP-1559), and with blobs beside them (EIP-4844)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import rlp
from coincurve import PrivateKey

from setoff.shared.codec.hashing import keccak

FEE_TRANSACTION: Final = 2
"""EIP-2718 type of a transaction with a fee cap and a tip."""
BLOB_TRANSACTION: Final = 3
"""EIP-2718 type of one that carries blobs, too."""


def sign_transaction(
    key: PrivateKey,
    *,
    chain_id: int,
    nonce: int,
    tip: int,
    fee: int,
    gas: int,
    to: bytes | None,
    value: int,
    data: bytes,
    blob_fee: int = 0,
    blob_hashes: Sequence[bytes] = (),
) -> bytes:
    """The bytes of a transaction; their keccak256 is its hash.

    With `blob_hashes` it is a blob transaction, without its sidecar. `tip`, `fee` and `blob_fee` are wei a unit of gas,
    the highest that it pays; `to` is None to create a contract.
    """
    fields: list[Any] = [chain_id, nonce, tip, fee, gas, to or b"", value, data, []]
    if blob_hashes:
        fields += [blob_fee, list(blob_hashes)]
    prefix = bytes([BLOB_TRANSACTION if blob_hashes else FEE_TRANSACTION])
    signature = key.sign_recoverable(keccak(prefix + bytes(rlp.encode(fields))), hasher=None)
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    return prefix + bytes(rlp.encode([*fields, signature[64], r, s]))
