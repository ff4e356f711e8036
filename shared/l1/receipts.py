"""The receipts contract: the operator's bond, and the calls that take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from setoff.shared.codec.receipts import Receipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, RECEIPTS, Contract
from setoff.shared.machine.batch import Header


class Bond(NamedTuple):
    """`held`, `needed`: wei; `exit_at`: unix seconds from which it can leave, 0 if that is not announced;
    `exit_delay`: seconds from the announcement to then."""

    held: int
    needed: int
    exit_at: int
    exit_delay: int

    @property
    def stands(self) -> bool:
        """Whether the whole bond is there to stay."""
        return self.held >= self.needed and self.exit_at == 0


class ReceiptsContract:
    """Reads it, and makes the calls that `l1`'s account sends."""

    def __init__(self, l1: L1, address: str) -> None:
        self.l1 = l1
        self.address = address
        self._contract = Contract(l1, RECEIPTS, address)

    def operator(self) -> bytes:
        """The address whose signature counts, 20 bytes."""
        return bytes(self._contract.view("OPERATOR"))

    def bond(self) -> Bond:
        """The bond as it is now."""
        return Bond(*(int(self._contract.view(name)) for name in ("bond", "BOND", "exit_at", "EXIT_DELAY")))

    def max_skew(self) -> int:
        """Seconds for which L1 takes a batch after its timestamp."""
        return int(Contract(self.l1, INBOX, self._contract.view("INBOX")).view("MAX_SKEW"))

    def slashings(self, first_block: int) -> int:
        """How often the bond was taken since that block."""
        return len(self._contract.logs("Slashed", first_block, self.l1.head().number))

    def has_won(self, prosecutor: bytes, sequence: int, first_block: int) -> bool:
        """Whether a 20-byte address took the bond since that block for a receipt of that sequence number."""
        topics = [prosecutor.rjust(32, b"\0"), sequence.to_bytes(32, "big")]
        return bool(self._contract.logs("Slashed", first_block, self.l1.head().number, topics))

    def owed(self, owner: bytes) -> int:
        """Wei that `collect` would send to a 20-byte address."""
        return int(self._contract.view("owed", owner))


def deposit_bond() -> bytes:
    """Calldata; the value is what is put up."""
    return RECEIPTS.encode("deposit_bond")


def announce_exit() -> bytes:
    """Calldata."""
    return RECEIPTS.encode("announce_exit")


def withdraw_bond() -> bytes:
    """Calldata."""
    return RECEIPTS.encode("withdraw_bond")


def collect(owner: bytes) -> bytes:
    """Calldata that sends a 20-byte address what it is owed."""
    return RECEIPTS.encode("collect", owner)


def prosecute_conflict(first: Receipt, first_signature: bytes, second: Receipt, second_signature: bytes) -> bytes:
    """Calldata."""
    return RECEIPTS.encode("prosecute_conflict", first, first_signature, second, second_signature)


def prosecute_contradiction(
    receipt: Receipt, signature: bytes, header: Header, record_page: bytes, siblings: Sequence[bytes]
) -> bytes:
    """Calldata; `record_page` and `siblings` as the inbox's `check_record` takes them."""
    return RECEIPTS.encode("prosecute_contradiction", receipt, signature, header.words, record_page, siblings)


def prosecute_omission(receipt: Receipt, signature: bytes, header: Header) -> bytes:
    """Calldata."""
    return RECEIPTS.encode("prosecute_omission", receipt, signature, header.words)
