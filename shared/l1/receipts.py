"""The receipts contract: the operator's bond, and the calls that take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode, encode

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt
from setoff.shared.l1.rpc import L1
from setoff.shared.machine.batch import Header

SLASHED: Final = keccak(b"Slashed(address,uint256,bytes32,uint256,uint256)")
_RECEIPT: Final = "(uint64,bytes32,bytes32,uint64)"
_HEADER: Final = "(bytes32,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,bytes32)"


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

    def operator(self) -> bytes:
        """The address whose signature counts, 20 bytes."""
        return bytes.fromhex(str(self._view("OPERATOR()", "address"))[2:])

    def bond(self) -> Bond:
        """The bond as it is now."""
        return Bond(*(int(self._view(name, "uint256")) for name in ("bond()", "BOND()", "exit_at()", "EXIT_DELAY()")))

    def max_skew(self) -> int:
        """Seconds for which L1 takes a batch after its timestamp."""
        inbox = str(self._view("INBOX()", "address"))
        return int.from_bytes(self.l1.call(inbox, _selector("MAX_SKEW()")), "big")

    def slashings(self, first_block: int) -> int:
        """How often the bond was taken since that block."""
        return len(self.l1.logs([self.address], first_block, self.l1.head().number, [SLASHED]))

    def has_won(self, prosecutor: bytes, sequence: int, first_block: int) -> bool:
        """Whether a 20-byte address took the bond since that block for a receipt of that sequence number."""
        topics = [SLASHED, prosecutor.rjust(32, b"\0"), sequence.to_bytes(32, "big")]
        return bool(self.l1.logs([self.address], first_block, self.l1.head().number, topics))

    def owed(self, owner: bytes) -> int:
        """Wei that `collect` would send to a 20-byte address."""
        return int(self._view("owed(address)", "uint256", bytes(12) + owner))

    def _view(self, signature: str, output: str, data: bytes = b"") -> Any:
        return decode([output], self.l1.call(self.address, _selector(signature) + data))[0]


def deposit_bond() -> bytes:
    """Calldata; the value is what is put up."""
    return _selector("deposit_bond()")


def announce_exit() -> bytes:
    """Calldata."""
    return _selector("announce_exit()")


def withdraw_bond() -> bytes:
    """Calldata."""
    return _selector("withdraw_bond()")


def collect(owner: bytes) -> bytes:
    """Calldata that sends a 20-byte address what it is owed."""
    return _call("collect", ["address"], [owner])


def prosecute_conflict(first: Receipt, first_signature: bytes, second: Receipt, second_signature: bytes) -> bytes:
    """Calldata."""
    types = [_RECEIPT, "bytes", _RECEIPT, "bytes"]
    return _call("prosecute_conflict", types, [first, first_signature, second, second_signature])


def prosecute_contradiction(
    receipt: Receipt, signature: bytes, header: Header, record_page: bytes, siblings: Sequence[bytes]
) -> bytes:
    """Calldata; `record_page` and `siblings` as the inbox's `check_record` takes them."""
    types = [_RECEIPT, "bytes", _HEADER, "bytes", "bytes32[]"]
    return _call("prosecute_contradiction", types, [receipt, signature, header.words, record_page, list(siblings)])


def prosecute_omission(receipt: Receipt, signature: bytes, header: Header) -> bytes:
    """Calldata."""
    return _call("prosecute_omission", [_RECEIPT, "bytes", _HEADER], [receipt, signature, header.words])


def _call(name: str, types: list[str], arguments: list[Any]) -> bytes:
    return _selector(f"{name}({','.join(types)})") + encode(types, arguments)


def _selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]
