"""What travels with a blob transaction and is in no block: its blobs, their commitments, and the proofs nodes ask for.

A transaction commits to the blobs by their versioned hashes only, so it is signed without them and wrapped with them to
be handed to a node (EIP-4844, with the cell proofs of EIP-7594). Cell proofs take a third of a second a blob: they are
made once, and kept with the transaction for when it has to be sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import rlp

from setoff.shared.machine import blobs as kzg

WRAPPER_VERSION: Final = b"\1"
"""Of EIP-7594: the sidecar has proofs of cells."""
CELLS: Final = 128
"""Of a blob (EIP-7594)."""
BLOB_GAS: Final = 1 << 17
"""Blob gas of a blob."""

MAX_BLOBS: Final = 6
"""In a transaction (EIP-7594)."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Blobs of 131,072 bytes each, and in the same order their commitments and proofs of 48 bytes."""

    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    cell_proofs: tuple[bytes, ...]
    """As many as there are cells, for each blob."""

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> Self:
        """The sidecar of 1 to 6 blobs. Raises DataError("data_mismatch") for no blob, ValueError for too many."""
        if not 1 <= len(blobs) <= MAX_BLOBS:
            raise ValueError(f"a transaction carries 1 to {MAX_BLOBS} blobs, not {len(blobs)}")
        commitments = tuple(kzg.commit(blob) for blob in blobs)
        return cls(tuple(blobs), commitments, tuple(proof for blob in blobs for proof in kzg.prove_cells(blob)))

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The versioned hashes."""
        return tuple(kzg.hash_commitment(commitment) for commitment in self.commitments)

    @property
    def gas(self) -> int:
        """Blob gas of the transaction."""
        return BLOB_GAS * len(self.blobs)

    def wrap(self, raw: bytes) -> bytes:
        """A signed blob transaction as a node's pool takes it."""
        payload: Any = rlp.decode(raw[1:])
        wrapped = [payload, WRAPPER_VERSION, list(self.blobs), list(self.commitments), list(self.cell_proofs)]
        return raw[:1] + bytes(rlp.encode(wrapped))
