"""Proofs that pay: a withdrawal's leaf under the state root at the end of an epoch, as the vault wants to see it.

Anybody with the posted batches can make them; the operator makes them once, where it has the state at hand. The vault
checks each against a confirmed machine hash, so nobody needs to trust them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from setoff.shared.machine.machine import Machine
from setoff.shared.state import keys
from setoff.shared.state.leaves import decode_withdrawal


@dataclass(frozen=True, slots=True)
class WithdrawalProof:
    """The arguments of the vault's `withdraw`, in order."""

    epoch: int
    registers_hash: bytes
    state_root: bytes
    index: int
    account: int
    owner: bytes
    amount: int
    bitmap: int
    siblings: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """As the API shows it: bytes in hex, large integers as decimal strings."""
        return {
            "epoch": self.epoch,
            "registers_hash": "0x" + self.registers_hash.hex(),
            "state_root": "0x" + self.state_root.hex(),
            "index": self.index,
            "account": self.account,
            "owner": "0x" + self.owner.hex(),
            "amount": str(self.amount),
            "bitmap": str(self.bitmap),
            "siblings": ["0x" + sibling.hex() for sibling in self.siblings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            int(data["epoch"]),
            _bytes(data["registers_hash"]),
            _bytes(data["state_root"]),
            int(data["index"]),
            int(data["account"]),
            _bytes(data["owner"]),
            int(data["amount"]),
            int(data["bitmap"]),
            tuple(_bytes(sibling) for sibling in data["siblings"]),
        )


def prove_withdrawals(machine: Machine, epoch: int, first: int) -> tuple[WithdrawalProof, ...]:
    """Proofs of the withdrawals from index `first` on; `machine` stands at the end of `epoch`."""
    if first == machine.regs.withdrawals:
        return ()
    machine.state.commit()
    root = machine.state.tree.root
    registers_hash = machine.regs.hash()
    return tuple(
        prove_withdrawal(machine, epoch, index, registers_hash, root)
        for index in range(first, machine.regs.withdrawals)
    )


def prove_withdrawal(machine: Machine, epoch: int, index: int, registers_hash: bytes, root: bytes) -> WithdrawalProof:
    """Proof of one withdrawal; the hash and the root are the machine's own."""
    key = keys.withdrawal_key(index)
    leaf = decode_withdrawal(machine.state.tree.get(key))
    path = machine.state.tree.prove(key)
    return WithdrawalProof(
        epoch, registers_hash, root, index, leaf.account, leaf.owner, leaf.amount, path.bitmap, path.siblings
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
