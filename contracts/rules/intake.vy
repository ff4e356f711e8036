# pragma version 0.4.3
"""
@title Fetch: the first step of a slot takes its input
@license MIT
@notice A message is applied here and now. A record is decoded, checked as far as it can be without the book, its
        signature recovered, its nonce used; what is left to do goes into the registers. An input that cannot be taken
        is a reject: the machine is idle again, and `outcome` says why. Twin: `shared/rules/intake.py`. Leaves: a
        message the one it changes; a record of an account that account; a report and an early reject none.
"""

import errors
from codec import eip712
from codec import records
from codec import signatures
from rules import funds
from rules import listing
from rules import oracle
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store

# Nonces below the highest seen that can still be used, in any order.
NONCE_WINDOW: constant(uint256) = 256


@internal
@pure
def step_fetch(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES], is_message: bool
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take the 124-byte input `body`; `is_message` says whether the slot belongs to the L1 queue.
    """
    regs: registers.Registers = registers.clear(pre)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    kind: uint256 = convert(slice(body, 0, 1), uint256)
    outcome: uint256 = errors.ACCEPTED
    regs.kind = kind
    regs.phase = phases.IDLE
    if not records.is_canonical(body) or (kind >= records.FIRST_MESSAGE and not is_message):
        store.check_count(w, 0)
        outcome = errors.MALFORMED_RECORD
    elif kind >= records.FIRST_MESSAGE:
        regs, values, outcome = self.apply_message(regs, w, body)
    else:
        regs, values, outcome = self.check_record(regs, w, body, is_message)
    regs.outcome = outcome
    return regs, values


@internal
@pure
def apply_message(
    regs: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Apply a message of the L1 queue.
    @return The registers, the new values and the outcome.
    """
    if regs.kind == records.DEPOSIT:
        return funds.apply_deposit(regs, w, body)
    if regs.kind == records.LIST_MARKET:
        return listing.apply_listing(regs, w, body)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = []
    outcome: uint256 = 0
    values, outcome = oracle.apply_signer(w, body)
    return regs, values, outcome


@internal
@pure
def check_record(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES], is_message: bool
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Decode a record into the registers, check signature and nonce, set the phase.
    @return The registers, the new values and the outcome.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    outcome: uint256 = errors.STEP_CAP
    if is_message or regs.steps + phases.RECORD_STEP_BOUND <= phases.BATCH_STEP_CAP:
        regs, outcome = self.decode_record(regs, body)
    if outcome != errors.ACCEPTED:
        store.check_count(w, 0)
        return regs, values, outcome
    signer: address = signatures.recover(
        eip712.digest(regs.domain, body), slice(body, records.BODY_BYTES, records.SIGNATURE_BYTES)
    )
    if signer == empty(address):
        store.check_count(w, 0)
        return regs, values, errors.BAD_SIGNATURE
    regs.signer = signer
    if regs.kind != records.REPORT:
        store.check_count(w, 1)
        account: leaves.Account = store.account(w, 0, regs.account)
        if account.owner != signer:
            return regs, values, errors.BAD_SIGNATURE
        account, outcome = self.use_nonce(account, regs.nonce)
        if outcome != errors.ACCEPTED:
            return regs, values, outcome
        values[0] = leaves.encode_account(account)
    else:
        store.check_count(w, 0)
    regs.phase = self.get_first_phase(regs.kind)
    return regs, values, errors.ACCEPTED


@internal
@pure
def decode_record(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Load the registers from a record and check every field that needs no leaf.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    kind: uint256 = 0
    kind, regs.account, regs.nonce = records.get_head(body)
    if kind == records.REPORT:
        return self.decode_report(regs, body)
    if regs.account < 1 or regs.account > regs.accounts:
        return regs, errors.UNKNOWN_ACCOUNT
    if kind == records.ORDER:
        return self.decode_order(regs, body)
    if kind == records.CANCEL:
        cancel: records.CancelBody = records.decode_cancel(body)
        regs.place = cancel.place
        if regs.place > keys.MAX_SLOT:
            return regs, errors.SLOT_OUT_OF_RANGE
        regs.cursor = keys.order_handle(regs.account, regs.place)
        return regs, errors.ACCEPTED
    return self.decode_payment(regs, body)


@internal
@pure
def decode_order(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of an order.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    order: records.OrderBody = records.decode_order(body)
    regs.market = order.market
    regs.side = order.side
    regs.flags = order.flags
    regs.place = order.place
    regs.price = order.price
    regs.size = order.size
    if order.side > records.SELL or order.flags > records.POST_ONLY:
        return regs, errors.MALFORMED_RECORD
    if order.market < 1 or order.market > regs.markets:
        return regs, errors.UNKNOWN_MARKET
    if order.place > keys.MAX_SLOT:
        return regs, errors.SLOT_OUT_OF_RANGE
    if order.price < 1 or order.price > keys.MAX_TICK:
        return regs, errors.PRICE_OUT_OF_RANGE
    if order.size < 1 or order.size > phases.MAX_ORDER_SIZE:
        return regs, errors.SIZE_OUT_OF_RANGE
    return regs, errors.ACCEPTED


@internal
@pure
def decode_payment(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of a transfer or withdrawal.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    if regs.kind == records.TRANSFER:
        transfer: records.TransferBody = records.decode_transfer(body)
        regs.peer = transfer.peer
        regs.amount = transfer.amount
        if regs.peer < 1 or regs.peer > regs.accounts:
            return regs, errors.UNKNOWN_ACCOUNT
        if regs.peer == regs.account:
            return regs, errors.SAME_ACCOUNT
    else:
        withdraw: records.WithdrawBody = records.decode_withdraw(body)
        regs.amount = withdraw.amount
    if regs.amount < 1 or regs.amount >= phases.MAX_AMOUNT:
        return regs, errors.AMOUNT_OUT_OF_RANGE
    return regs, errors.ACCEPTED


@internal
@pure
def decode_report(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of an oracle report.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    report: records.ReportBody = records.decode_report(body)
    regs.market = report.market
    regs.price = report.price
    if report.market < 1 or report.market > regs.markets:
        return regs, errors.UNKNOWN_MARKET
    if report.price < 1 or report.price > keys.MAX_TICK:
        return regs, errors.PRICE_OUT_OF_RANGE
    return regs, errors.ACCEPTED


@internal
@pure
def get_first_phase(kind: uint256) -> uint256:
    """
    @return Phase in which a checked record of this type starts.
    """
    if kind == records.ORDER:
        return phases.ADMIT
    if kind == records.CANCEL:
        return phases.UNLINK
    if kind == records.REPORT:
        return phases.REPORT
    return phases.MARGIN


@internal
@pure
def use_nonce(account: leaves.Account, nonce: uint256) -> (leaves.Account, uint256):
    """
    @notice Mark `nonce` used. Anti-replay window in the manner of RFC 6479, 256 wide: nonces may come in any order; one
            that lies NONCE_WINDOW or more below the highest seen is too old.
    @return The account and the outcome.
    """
    used: leaves.Account = account
    if nonce > account.nonce_top:
        jump: uint256 = nonce - account.nonce_top
        used.nonce_bitmap = account.nonce_bitmap << jump if jump < NONCE_WINDOW else 0
        used.nonce_bitmap |= 1
        used.nonce_top = nonce
        return used, errors.ACCEPTED
    age: uint256 = account.nonce_top - nonce
    if age >= NONCE_WINDOW:
        return account, errors.NONCE_TOO_OLD
    if account.nonce_bitmap >> age & 1 == 1:
        return account, errors.NONCE_USED
    used.nonce_bitmap |= 1 << age
    return used, errors.ACCEPTED
