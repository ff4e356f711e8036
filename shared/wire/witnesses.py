"""What a server says of the machines between the batches of an epoch, before anybody draws one: as JSON, and read as if
it meant harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from setoff.shared.errors import WitnessError
from setoff.shared.wire.json_text import read_json

PATH: Final = "/v1/witnesses"

HASH_BYTES: Final = 32

MOST_BATCHES: Final = 32
"""Of an epoch: a history has room for so many."""

MOST_BYTES: Final = 1 << 14
"""Of the JSON."""


def show_boundaries(epoch: int, commitment: bytes, boundaries: Sequence[bytes]) -> dict[str, Any]:
    """The JSON: of an epoch of these inputs, the machine hash before each batch and after the last."""
    hashes = ["0x" + each.hex() for each in boundaries]
    return {"epoch": epoch, "epoch_hash": "0x" + commitment.hex(), "boundaries": hashes}


def read_boundaries(data: bytes, commitment: bytes, batches: int) -> list[bytes]:
    """Its inverse, for an epoch of so many batches. Raises WitnessError("bad_witness") for what is none, or is of other
    inputs than L1 commits to."""
    try:
        told = read_json(data)
        found = [_read_hash(each) for each in told["boundaries"]]
        inputs = _read_hash(told["epoch_hash"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise WitnessError("bad_witness", "no list of machine hashes") from None
    if inputs != commitment:
        raise WitnessError("bad_witness", f"hashes of an epoch of other inputs: 0x{inputs.hex()}")
    if len(found) != batches + 1:
        raise WitnessError("bad_witness", f"{len(found)} machine hashes; {batches} batches have {batches + 1}")
    return found


def _read_hash(text: object) -> bytes:
    if not isinstance(text, str) or len(text) != 2 + 2 * HASH_BYTES or not text.startswith("0x"):
        raise ValueError("no hash")
    return bytes.fromhex(text[2:])
