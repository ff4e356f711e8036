"""Records in EIP-4844 blobs: one batch, one blob. Twin of ``contracts/da/blobs.vy``.

A blob is 4096 field elements of 32 bytes, the values of a polynomial at the 4096th roots of unity in bit-reversed
order. Record i is in the elements 4·i to 4·i + 3, 31 bytes in each; the first byte of an element means nothing. The
data root is the blob's versioned hash, so a blob of the same records with other first bytes, or with anything after
the last record, has another: whoever wants to prove a record needs the blob itself.

The trusted setup of the KZG commitments comes with eth-account. It takes seconds to load, and is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import ckzg

from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, WitnessError

ELEMENT: Final = 32
ELEMENTS: Final = 4096
BLOB_BYTES: Final = ELEMENTS * ELEMENT
VERSION: Final = b"\x01"
MODULUS: Final = 52435875175126190479447740508185965837690552500527637822603658699938581184513
"""Of BLS12-381's scalars."""

GENERATOR: Final = 7
"""Generator of the field's multiplicative group."""
ROOT: Final = pow(GENERATOR, (MODULUS - 1) // ELEMENTS, MODULUS)
USED: Final = ELEMENT - 1
"""Bytes of an element that hold data: the first one means nothing."""
PER_RECORD: Final = RECORD_BYTES // USED
COMMITMENT: Final = 48
PROOF: Final = 48
RECORD_PAGE: Final = COMMITMENT + PER_RECORD * (ELEMENT + PROOF)
_INDEX_BITS: Final = 12


def find_setup() -> Path:
    """The file of the trusted setup."""
    package = find_spec("eth_account")  # where it is, without the second that importing it takes
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "typed_transactions" / "blob_transactions" / "kzg_trusted_setup.txt"


@cache
def load_setup() -> Any:
    """The trusted setup, for the functions of ckzg. Loaded once a process, in some seconds."""
    return ckzg.load_trusted_setup(str(find_setup()), 0)


def pack(records: bytes) -> bytes:
    """The blob (BLOB_BYTES bytes) of concatenated records; what is left over is zero."""
    if len(records) > ELEMENTS * USED:
        raise ValueError(f"a blob has no room for {len(records)} bytes")
    elements = (b"\0" + records[at : at + USED] for at in range(0, len(records), USED))
    return b"".join(elements).ljust(BLOB_BYTES, b"\0")


def unpack(blob: bytes, record_count: int) -> bytes:
    """The first records of a blob, concatenated, whatever its elements' first bytes are.

    Raises DataError("data_mismatch") if it is no blob, or has no room for so many.
    """
    if len(blob) != BLOB_BYTES or not 0 <= record_count * PER_RECORD <= ELEMENTS:
        raise DataError("data_mismatch", f"{len(blob)} bytes are no blob of {record_count} records")
    end = record_count * PER_RECORD * ELEMENT
    return b"".join(blob[at + 1 : at + ELEMENT] for at in range(0, end, ELEMENT))


def commit(blob: bytes) -> bytes:
    """The KZG commitment, 48 bytes. Raises DataError("data_mismatch") if it is no blob of canonical field elements."""
    try:
        return bytes(ckzg.blob_to_kzg_commitment(blob, load_setup()))
    except (ValueError, RuntimeError):
        raise DataError("data_mismatch", "the data is no blob of canonical field elements") from None


def hash_commitment(commitment: bytes) -> bytes:
    """The versioned hash, 32 bytes, of a blob with this commitment."""
    return VERSION + sha256(commitment).digest()[1:]


def point(element: int) -> bytes:
    """Where the polynomial has element number `element` as its value: a root of unity, 32 bytes."""
    reverse = int(f"{element:0{_INDEX_BITS}b}"[::-1], 2)
    return pow(ROOT, reverse, MODULUS).to_bytes(ELEMENT, "big")


def prove_cells(blob: bytes) -> tuple[bytes, ...]:
    """The 128 cell proofs (EIP-7594), 48 bytes each, that nodes want with a blob."""
    _, proofs = ckzg.compute_cells_and_kzg_proofs(blob, load_setup())
    return tuple(bytes(proof) for proof in proofs)


class Blobs:
    """The machine's side of the module; see `DataModule`."""

    number: Final = 1
    record_limit: Final = ELEMENTS // PER_RECORD

    def encode(self, records: bytes) -> bytes:
        """The blob of these records."""
        return pack(records)

    def decode(self, data: bytes, record_count: int) -> bytes:
        """The records of a blob. Raises DataError("data_mismatch")."""
        return unpack(data, record_count)

    def commit(self, data: bytes) -> bytes:
        """The blob's versioned hash. Raises DataError("data_mismatch")."""
        return hash_commitment(commit(data))

    def prove(self, data: bytes, record_count: int, index: int) -> tuple[bytes, list[bytes]]:
        """Commitment, and value and proof of each of the record's elements; no siblings."""
        if not 0 <= index < record_count:
            raise IndexError(f"no record {index}")
        record_page = commit(data)
        for element in range(index * PER_RECORD, (index + 1) * PER_RECORD):
            proof, value = ckzg.compute_kzg_proof(data, point(element), load_setup())
            record_page += bytes(value) + bytes(proof)
        return record_page, []

    def verify(
        self, data_root: bytes, record_count: int, index: int, record_page: bytes, siblings: Sequence[bytes]
    ) -> bytes:
        """The record at `index`. Raises WitnessError("wrong_input")."""
        if not 0 <= index < record_count or len(record_page) != RECORD_PAGE or siblings:
            raise WitnessError("wrong_input", f"no page of record {index} in a blob")
        commitment = record_page[:COMMITMENT]
        if hash_commitment(commitment) != data_root:
            raise WitnessError("wrong_input", "the commitment is not that of the batch's blob")
        record = b""
        for place in range(PER_RECORD):
            at = COMMITMENT + place * (ELEMENT + PROOF)
            value, proof = record_page[at : at + ELEMENT], record_page[at + ELEMENT : at + ELEMENT + PROOF]
            if not _evaluates(commitment, index * PER_RECORD + place, value, proof):
                raise WitnessError("wrong_input", f"element {place} of record {index} is not proven")
            record += value[1:]
        return record


BLOBS: Final = Blobs()


def _evaluates(commitment: bytes, element: int, value: bytes, proof: bytes) -> bool:
    try:
        return bool(ckzg.verify_kzg_proof(commitment, point(element), value, proof, load_setup()))
    except (ValueError, RuntimeError):
        return False  # a value or a point that is none
