# pragma version 0.4.3
"""
@title Money in, out and across: deposit, transfer, withdraw
@license MIT
@notice Twin: `shared/rules/transfers.py`.
@dev Deposits are below 2**112 in all and a collateral within 128 bits (see margin.vy), so no sum here comes near 256 bits.
     `owed` is deposits less withdrawals, of which none is more than is owed: it does not underflow.
"""

import errors
from codec import records
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def apply_deposit(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Credit a deposit of the L1 queue; a new account gets its owner. Leaves: account. Registers of an input in flight
            stay as they are: the machine may be in the middle of work of its own.
    @return The registers, the new values and the outcome.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    deposit: records.DepositBody = records.decode_deposit(body)
    if deposit.account < 1 or deposit.account > keys.MAX_ACCOUNT:
        store.check_count(w, 0)
        return regs, values, errors.UNKNOWN_ACCOUNT
    if deposit.amount < 1 or deposit.amount >= phases.MAX_AMOUNT:
        store.check_count(w, 0)
        return regs, values, errors.AMOUNT_OUT_OF_RANGE
    store.check_count(w, 1)
    account: leaves.Account = store.account(w, 0, deposit.account)
    if account.owner == empty(address):
        account.owner = deposit.owner
    account.collateral += convert(deposit.amount, int256)
    regs.owed += deposit.amount
    regs.accounts = max(regs.accounts, deposit.account)
    values[0] = leaves.encode_account(account)
    return regs, values, errors.ACCEPTED


@internal
@pure
def step_transfer(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Move the amount, margin already checked. Leaves: payer's account, payee's account.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 2)
    payer: leaves.Account = store.account(w, 0, regs.account)
    payee: leaves.Account = store.account(w, 1, regs.peer)
    payer.collateral -= convert(regs.amount, int256)
    payee.collateral += convert(regs.amount, int256)
    values[0] = leaves.encode_account(payer)
    values[1] = leaves.encode_account(payee)
    return registers.finish(regs), values


@internal
@pure
def step_withdraw(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Turn collateral into a withdrawal that L1 will pay. Leaves: account, the next withdrawal.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 2)
    account: leaves.Account = store.account(w, 0, regs.account)
    withdrawal: leaves.Withdrawal = store.withdrawal(w, 1, regs.withdrawals)
    account.collateral -= convert(regs.amount, int256)
    withdrawal.account = regs.account
    withdrawal.owner = account.owner
    withdrawal.amount = regs.amount
    regs.withdrawals += 1
    regs.owed -= regs.amount
    values[0] = leaves.encode_account(account)
    values[1] = leaves.encode_withdrawal(withdrawal)
    return registers.finish(regs), values
