"""An account as L1 has confirmed it, with the hashes that lead from its leaf to what L1 holds: anybody can check it who
reads one word of the court, and nobody has to run a batch again, or to trust who made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.sdk.proofs import replay_confirmed
from setoff.shared.sdk.vault import Vault
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, decode_account
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.tree import Path, fold

_NUMBERS = ("epoch", "account", "time", "bitmap")
_HASHES = ("registers_hash", "state_root", "leaf")


@dataclass(frozen=True, slots=True)
class AccountProof:
    """At the end of `epoch`, whose last batch has the timestamp `time` (unix seconds; told, not proven): the `leaf` of
    `account` as bytes, and the siblings on the way to the state's root, of which `bitmap` says where they stand."""

    epoch: int
    account: int
    time: int
    leaf: bytes
    bitmap: int
    siblings: tuple[bytes, ...]
    state_root: bytes
    registers_hash: bytes

    def read(self) -> Account:
        """What the leaf holds."""
        return decode_account(self.leaf)

    def to_json(self) -> dict[str, Any]:
        """As a file has it."""
        shown: dict[str, Any] = {name: str(getattr(self, name)) for name in _NUMBERS}
        shown |= {name: "0x" + getattr(self, name).hex() for name in _HASHES}
        return shown | {"siblings": ["0x" + each.hex() for each in self.siblings]}

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Raises DataError("bad_witness") on anything else."""
        try:
            numbers = {name: int(shown[name]) for name in _NUMBERS}
            hashes = {name: bytes.fromhex(shown[name].removeprefix("0x")) for name in _HASHES}
            siblings = tuple(bytes.fromhex(each.removeprefix("0x")) for each in shown["siblings"])
            return cls(**numbers, **hashes, siblings=siblings)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError("bad_witness", f"it is no proof of an account: {error}") from None


def prove_account(reader: ChainReader, vault: Vault, account: int | bytes) -> AccountProof:
    """The proof of an account, by its number or its owner's 20-byte address, under the newest end that L1 has
    confirmed, made by running its batches again.

    Raises InputError("not_found") if there is no such account by then, else as `replay_confirmed`.
    """
    epoch, replay = replay_confirmed(reader, vault, reader.batch_count())
    machine = replay.machine
    machine.state.commit()
    tree = machine.state.tree
    number = account if isinstance(account, int) else 0
    if isinstance(account, bytes):
        numbers = range(1, machine.regs.accounts + 1)
        find = (each for each in numbers if decode_account(tree.get(keys.account_key(each))).owner == account)
        number = next(find, 0)
    leaf = tree.get(keys.account_key(number)) if 0 < number < 1 << keys.BODY_BITS else b""
    if not leaf:
        name = f"account {account}" if isinstance(account, int) else f"account of 0x{account.hex()}"
        raise InputError("not_found", f"at the end of epoch {epoch}, which L1 has confirmed, there is no {name}")
    bitmap, siblings = tree.prove(keys.account_key(number))
    return AccountProof(epoch, number, machine.regs.time, leaf, bitmap, siblings, tree.root, machine.regs.hash())


def check_account(proof: AccountProof, vault: Vault) -> Account:
    """What a proof shows, whoever made it, held against the end of its epoch that L1 has confirmed.

    Raises InputError("not_confirmed") before there is one, DataError("bad_witness") for no proof of it, ChainError.
    """
    confirmed = vault.confirmed(proof.epoch)
    if not any(confirmed):
        raise InputError("not_confirmed", f"L1 has not confirmed the end of epoch {proof.epoch} yet")
    try:
        root = fold(keys.account_key(proof.account), proof.leaf, Path(proof.bitmap, proof.siblings))
    except ValueError:
        root = b""
    if root != proof.state_root or machine_hash(root, proof.registers_hash) != confirmed:
        what = f"of account {proof.account} does not lead to the end of epoch {proof.epoch} that L1 has confirmed"
        raise DataError("bad_witness", f"the proof {what}")
    return proof.read()
