"""The backstop vault: anyone may put money in, and it takes over what the book does not.

Twin: ``contracts/rules/backstop.vy``. It is an account of its own (keys.BACKSTOP) under the same margin rules as any,
so it can lose no more than was put into it; its shares are worth its equity. At every crank it offers a part of its
position.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import div_up
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import begin_deleveraging, trade_across
from setoff.shared.rules.holders import enrol
from setoff.shared.rules.margin import compute_health, is_fill_legal, settle_account
from setoff.shared.rules.marks import is_fresh, settle_funding
from setoff.shared.rules.positions import find_position, reserve
from setoff.shared.rules.work import begin_order
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_takeover(regs: Registers, state: State) -> None:
    """Move the position in liquidation to the backstop at the zero price, if its margin allows; else deleverage.

    Leaves: account, backstop, the market of each of the backstop's positions in place order (the market in liquidation
    counts as one, where a place for it is free).
    """
    account = state.account(regs.account)
    backstop = state.account(keys.BACKSTOP)
    position = find_position(backstop, regs.market) if regs.account != keys.BACKSTOP else None
    if position is not None:
        is_opening = position.size == 0
        position.market = regs.market
        settle_account(state, backstop, regs.time)
        delta = -regs.size if regs.side == records.BUY else regs.size
        if is_fill_legal(state, backstop, regs.market, delta, regs.price, 0):
            trade_across(regs, state.market(regs.market), account, backstop, regs.size, regs.price)
            regs.drawn_until = regs.time + phases.DRAWN_TIME
            regs.phase = phases.WORK
            if is_opening:
                enrol(regs, keys.BACKSTOP)
            return
        position.clear_if_empty()
    begin_deleveraging(regs)


def step_unwind(regs: Registers, state: State) -> None:
    """Offer a part of the backstop's position to the book, at the mark or better; not in a wind-down.

    Leaves: backstop, market.
    """
    backstop = state.account(keys.BACKSTOP)
    market = state.market(regs.unwind)
    position = find_position(backstop, regs.unwind)
    market_id = regs.unwind
    regs.unwind = 0
    if position is None or position.size == 0 or regs.winding_since or not is_fresh(market, regs.time):
        regs.phase = phases.WORK
        return
    settle_funding(backstop, position, market)
    side = records.SELL if position.size > 0 else records.BUY
    size = div_up(abs(position.size), phases.UNWIND_SLICES)
    reserve(position, side, size)
    begin_order(regs, keys.BACKSTOP, market_id, side, market.mark, size, phases.WORK)


def step_shares(regs: Registers, state: State) -> None:
    """Put money into the backstop for shares, or take money out for them.

    Leaves: account, backstop, the market of each of the backstop's positions, in place order.
    """
    account = state.account(regs.account)
    backstop = state.account(keys.BACKSTOP)
    fresh = settle_account(state, backstop, regs.time)
    equity, requirement = compute_health(regs, state, backstop)
    if not fresh:
        regs.reject(errors.STALE_PRICE)
    elif regs.kind == records.BACKSTOP_DEPOSIT:
        apply_backstop_deposit(regs, account, backstop, equity)
    else:
        apply_backstop_withdraw(regs, account, backstop, equity - requirement, equity)


def apply_backstop_deposit(regs: Registers, account: Account, backstop: Account, equity: int) -> None:
    """Shares for the amount in the registers, at the backstop's equity; rounded down."""
    shares = regs.amount
    if backstop.shares:
        if equity <= 0:
            regs.reject(errors.INSUFFICIENT_MARGIN)
            return
        shares = regs.amount * backstop.shares // equity
    if shares == 0 or backstop.shares + shares >= phases.MAX_SHARES:
        regs.reject(errors.AMOUNT_OUT_OF_RANGE)
        return
    account.collateral -= regs.amount
    backstop.collateral += regs.amount
    account.shares += shares
    backstop.shares += shares
    regs.finish()


def apply_backstop_withdraw(regs: Registers, account: Account, backstop: Account, free: int, equity: int) -> None:
    """Money for the shares in the registers, rounded down, as far as the backstop's margin leaves it `free`."""
    if regs.amount > account.shares:
        regs.reject(errors.INSUFFICIENT_MARGIN)
        return
    amount = max(0, equity) * regs.amount // backstop.shares
    if amount > free:
        regs.reject(errors.INSUFFICIENT_MARGIN)
        return
    account.shares -= regs.amount
    backstop.shares -= regs.amount
    account.collateral += amount
    backstop.collateral -= amount
    regs.finish()
