"""What contracts hold now, proven: their storage after the newest block that the endpoints agree on.

For all that decides about money or truth. A view is what one node says that a contract would answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.rpc import Node
from setoff.shared.l1.storage import has_contract, is_vacant, load_layout, read_slots
from setoff.shared.l1.survey import find_agreed
from setoff.shared.machine.batch import encode_words

COURT_STORAGE: Final = load_layout("court")

REACH: Final = 32
"""Blocks that an endpoint may be behind and still be asked for its word."""

SECOND_LOOKS: Final = 2
"""Times that the head is asked for again where it is lower than it was."""


class Proven:
    """Reads through one node. May be shared by threads."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._agreed: tuple[Block, Block] | None = None  # the head for which it was found, and it

    def block(self) -> Block:
        """The newest block that the endpoints agree on (`survey.py`). Raises ChainError."""
        head, kept = self._node.head(), self._agreed
        for _ in range(SECOND_LOOKS):
            if kept is None or head.number >= kept[0].number:
                break
            head = max(head, self._node.head(), key=lambda block: block.number)  # this backend is behind, or elsewhere
        if kept is None or kept[0].hash != head.hash:
            kept = self._agreed = head, find_agreed(self._node, head, lambda _: None, REACH)
        return kept[1]

    def read(self, address: bytes, slots: Sequence[int], block: Block | None = None) -> list[int]:
        """What the contract has in these slots after that block, by default the one of `block()`.

        Raises ChainError, "wrong_deployment" if it has nothing and there is no contract at the address.
        """
        block = block or self.block()
        values = read_slots(self._node, address, block, slots)
        if not any(values) and not has_contract(self._node, address, block):
            if is_vacant(self._node, address):
                raise ChainError("wrong_deployment", f"there is no contract at 0x{address.hex()}")
            raise ChainError("rpc_unreachable", f"block {block.number} is of a branch without 0x{address.hex()}")
        return values


class ProvenClaim(NamedTuple):
    """A key of the court."""

    is_claimed: bool
    end: bytes
    """What was claimed; zero where nobody has claimed it."""
    result: bytes = bytes(32)
    """What a dispute has installed in its place, zero as long as none has."""

    @property
    def stands(self) -> bytes:
        """The end that counts for now: the installed one, else the claimed one."""
        return self.result if any(self.result) else self.end


class ProvenCourt:
    """One court. Every method raises ChainError if the nodes do not prove what it has."""

    def __init__(self, proven: Proven, address: str) -> None:
        self._proven = proven
        self._address = bytes.fromhex(address.removeprefix("0x"))

    def start_of(self, epoch: int) -> bytes:
        """The confirmed start of an epoch, zero while there is none."""
        return self._read(COURT_STORAGE.slot("claims.start_of", epoch))[0].to_bytes(32, "big")

    def claim(self, epoch_hash: bytes, start: bytes) -> ProvenClaim:
        """What is claimed of the epoch of this hash on this start, in the present round."""
        base = keccak(encode_words(epoch_hash, start))
        (round_,) = self._read(COURT_STORAGE.slot("claims.rounds", base))
        key = keccak(encode_words(epoch_hash, start, round_))
        fields = ("state", "end", "result")
        state, end, result = self._read(*(COURT_STORAGE.slot("claims.claim_of", key, field=field) for field in fields))
        return ProvenClaim(state != 0, end.to_bytes(32, "big"), result.to_bytes(32, "big"))

    def _read(self, *slots: int) -> list[int]:
        return self._proven.read(self._address, slots)
