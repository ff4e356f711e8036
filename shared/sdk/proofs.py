"""What L1 has confirmed, held against what anybody shows: the proof of a withdrawal, an account's money."""

from __future__ import annotations

from typing import NamedTuple

from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.vault import Vault
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Withdrawal, encode_withdrawal
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.store import State
from setoff.shared.state.tree import Path, fold
from setoff.shared.wire.withdrawals import WithdrawalProof


class ConfirmedAccount(NamedTuple):
    """An account under the end that L1 has confirmed of an epoch; later ones may still be disputed."""

    epoch: int
    time: int
    """Of the epoch's last batch, unix seconds."""
    leaf: Account


def check_withdrawal(proof: WithdrawalProof, vault: Vault) -> None:
    """Hold the proof of a withdrawal, whoever made it, against the end of its epoch that L1 has confirmed.

    Raises InputError("not_confirmed") before there is one, DataError("bad_witness") for no proof of it, ChainError.
    """
    confirmed = vault.confirmed(proof.epoch)
    if not any(confirmed):
        raise InputError("not_confirmed", f"L1 has not confirmed the end of epoch {proof.epoch} yet")
    leaf = encode_withdrawal(Withdrawal(proof.account, proof.owner, proof.amount))
    root = fold(keys.withdrawal_key(proof.index), leaf, Path(proof.bitmap, proof.siblings))
    if root != proof.state_root or machine_hash(proof.state_root, proof.registers_hash) != confirmed:
        what = f"of withdrawal {proof.index} does not lead to the end of epoch {proof.epoch} that L1 has confirmed"
        raise DataError("bad_witness", f"the proof {what}")


def replay_confirmed(reader: ChainReader, vault: Vault, batches: int) -> tuple[int, Replay]:
    """The newest epoch that L1 has confirmed of the first `batches`, and the machine at its end, run from L1 alone.

    Raises InputError("not_found") before the first, DataError("data_mismatch") if L1 has confirmed another end than the
    posted batches lead to: then nobody has disputed a lie in time. ChainError.
    """
    count = reader.deployment.epoch_batches
    epoch = batches // count - 1
    while epoch >= 0 and not vault.is_confirmed(epoch):
        epoch -= 1
    if epoch < 0:
        raise InputError("not_found", "L1 has confirmed no epoch yet")
    replay = Replay(reader)
    replay.advance((epoch + 1) * count)
    if replay.machine.hash() != vault.confirmed(epoch):
        raise DataError("data_mismatch", f"L1 has confirmed another end of epoch {epoch} than its batches have")
    return epoch, replay


def find_confirmed_account(reader: ChainReader, vault: Vault, account: int, batches: int) -> ConfirmedAccount:
    """An account as L1 has confirmed it. Raises as `replay_confirmed`."""
    epoch, replay = replay_confirmed(reader, vault, batches)
    machine = replay.machine
    machine.state.commit()
    return ConfirmedAccount(epoch, machine.regs.time, State(machine.state.tree).account(account))
