"""Signed transactions, as nodes take them: with fees (EIP-1559), and with blobs beside them (EIP-4844)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import rlp
from coincurve import PrivateKey

from setoff.shared.codec.hashing import keccak

FEE_TRANSACTION: Final = 2
"""EIP-2718 type of a transaction with a fee cap and a tip."""
BLOB_TRANSACTION: Final = 3
"""EIP-2718 type of one that carries blobs, too."""


class Unsigned(NamedTuple):
    """What there is to sign. With `blob_hashes` it is a blob transaction, without its sidecar. `tip`, `fee` and
    `blob_fee` are wei a unit of gas, the highest that it pays; `to` is None to create a contract."""

    chain_id: int
    nonce: int
    tip: int
    fee: int
    gas: int
    to: bytes | None
    value: int
    data: bytes
    blob_fee: int = 0
    blob_hashes: Sequence[bytes] = ()

    @property
    def digest(self) -> bytes:
        """The 32 bytes that its account signs."""
        return keccak(self._prefix + bytes(rlp.encode(self._members)))

    def put_together(self, r: int, s: int, parity: int) -> bytes:
        """The bytes of the transaction with this signature; their keccak256 is its hash."""
        return self._prefix + bytes(rlp.encode([*self._members, parity, r, s]))

    @property
    def _prefix(self) -> bytes:
        return bytes([BLOB_TRANSACTION if self.blob_hashes else FEE_TRANSACTION])

    @property
    def _members(self) -> list[Any]:
        fields: list[Any] = [*self[:5], self.to or b"", self.value, self.data, []]
        if self.blob_hashes:
            fields += [self.blob_fee, list(self.blob_hashes)]
        return fields


def sign_transaction(key: PrivateKey, unsigned: Unsigned) -> bytes:
    """The bytes of the transaction."""
    signature = key.sign_recoverable(unsigned.digest, hasher=None)
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    return unsigned.put_together(r, s, signature[64])
