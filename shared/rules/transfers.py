"""Money in, out and across: deposit, transfer, withdraw. Twin: ``contracts/rules/transfers.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def apply_deposit(regs: Registers, state: State, body: bytes) -> int:
    """Credit a deposit of the L1 queue; a new account gets its owner. Leaves: account. Returns the outcome.

    Registers of an input in flight stay as they are: the machine may be in the middle of work of its own.
    """
    deposit = records.decode_deposit(body)
    if not 1 <= deposit.account <= keys.MAX_ACCOUNT:
        return errors.UNKNOWN_ACCOUNT
    if not 1 <= deposit.amount < phases.MAX_AMOUNT:
        return errors.AMOUNT_OUT_OF_RANGE
    account = state.account(deposit.account)
    if account.owner == bytes(20):
        account.owner = deposit.owner
    account.collateral += deposit.amount
    regs.owed += deposit.amount
    regs.accounts = max(regs.accounts, deposit.account)
    return errors.ACCEPTED


def step_transfer(regs: Registers, state: State) -> None:
    """Move the amount, margin already checked. Leaves: payer's account, payee's account."""
    state.account(regs.account).collateral -= regs.amount
    state.account(regs.peer).collateral += regs.amount
    regs.finish()


def step_withdraw(regs: Registers, state: State) -> None:
    """Turn collateral into a withdrawal that L1 will pay. Leaves: account, the next withdrawal."""
    account = state.account(regs.account)
    withdrawal = state.withdrawal(regs.withdrawals)
    account.collateral -= regs.amount
    withdrawal.account = regs.account
    withdrawal.owner = account.owner
    withdrawal.amount = regs.amount
    regs.withdrawals += 1
    regs.owed -= regs.amount
    regs.finish()
