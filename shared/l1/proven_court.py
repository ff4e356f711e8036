"""What the court has confirmed, and what it holds of one claim: from its storage, proven (`proven.py`)."""

from __future__ import annotations

from typing import Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.proven import Proven
from setoff.shared.l1.storage import load_layout
from setoff.shared.machine.batch import encode_words

COURT: Final = load_layout("court")


class ProvenClaim(NamedTuple):
    """A key of the court."""

    is_claimed: bool
    end: bytes
    """Zero where nobody has claimed it."""


class ProvenCourt:
    """One court. Every method raises ChainError if the nodes do not prove what it has."""

    def __init__(self, proven: Proven, address: str) -> None:
        self._proven = proven
        self._address = bytes.fromhex(address.removeprefix("0x"))

    def start_of(self, epoch: int) -> bytes:
        """The confirmed start of an epoch, zero while there is none."""
        return self._read(COURT.slot("claims.start_of", epoch))[0].to_bytes(32, "big")

    def claim(self, epoch_hash: bytes, start: bytes) -> ProvenClaim:
        """What is claimed of the epoch of this hash on this start, in the present round."""
        base = keccak(encode_words(epoch_hash, start))
        (round_,) = self._read(COURT.slot("claims.rounds", base))
        key = keccak(encode_words(epoch_hash, start, round_))
        fields = ("state", "end")
        state, end = self._read(*(COURT.slot("claims.claim_of", key, field=field) for field in fields))
        return ProvenClaim(state != 0, end.to_bytes(32, "big"))

    def _read(self, *slots: int) -> list[int]:
        return self._proven.read(self._address, slots)
