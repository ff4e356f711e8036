"""The one seam between the contract tests and what executes bytecode for them.

`tests/support/evm.py` speaks to an `Engine` and to nothing else; `choice.py` says which one there is.
Addresses are checksummed strings, byte strings `bytes`, money in wei, time in unix seconds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Protocol

GAS_LIMIT: Final = 30_000_000
"""Gas of a transaction, unless it says otherwise."""

HARDFORK: Final = "cancun"
"""The rules of gas and opcodes that every engine follows."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A call, or without `to` the creation of a contract by the code `data`; `blobs` are versioned hashes.

    Contracts see the gas price of a call; nobody pays it, so that balances are what contracts have made them.
    """

    sender: str
    to: str | None
    data: bytes = b""
    value: int = 0
    gas: int = GAS_LIMIT
    gas_price: int = 0
    blobs: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log as the EVM writes it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction returned, cost (refunds taken off) and logged; `created` is a new contract's address."""

    output: bytes
    gas_used: int
    logs: tuple[RawLog, ...]
    created: str | None = None


class Failed(Exception):
    """A transaction that did not go through: what it reverted with, or None and what the EVM says."""

    def __init__(self, output: bytes | None, said: str) -> None:
        super().__init__(said)
        self.output = output
        self.said = said


class Engine(Protocol):
    """Accounts, their code and storage, and a clock that stands still. The base fee is zero."""

    def send(self, transaction: Transaction) -> Outcome:
        """Execute a transaction. Raises Failed, and then nothing has changed, not even a nonce."""

    def ask(self, transaction: Transaction) -> bytes:
        """What a call would return; nothing changes. Raises Failed."""

    def set_time(self, timestamp: int) -> None:
        """Timestamp of the blocks from now on; it may be an earlier one."""

    def nonce(self, account: str) -> int:
        """Decides the address of the contract that the account creates next."""

    def balance(self, account: str) -> int: ...

    def set_balance(self, account: str, amount: int) -> None: ...

    def code(self, account: str) -> bytes: ...

    def set_code(self, account: str, code: bytes) -> None:
        """Make an account that was not used before a contract with this code."""

    def snapshot(self) -> Hashable:
        """The state now, the clock apart."""

    def restore(self, snapshot: Hashable) -> None:
        """Take back all transactions since a snapshot, which is used up by that."""

    def cool(self) -> None:
        """Make everything cold, as for the next transaction on a real chain: before one whose gas is measured."""
