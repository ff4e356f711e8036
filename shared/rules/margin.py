"""Margin: what an account is worth, what it must hold, and which changes are legal.

Twin: ``contracts/rules/margin.vy``. Cross margin over all positions at their mark prices, in token units:
equity = collateral + sum of size * mark * unit;
requirement = sum of |exposure| * mark * unit * initial_margin, rounded up.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_ceil, div_up
from setoff.shared.rules import phases
from setoff.shared.rules.positions import expire_orders, get_position, release
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def compute_value(size: int, price: int, market: Market) -> int:
    """Signed worth of `size` lots at `price` ticks, token units, exact."""
    return size * price * market.unit


def compute_fee(value: int, rate: int) -> int:
    """Fee on a fill worth `value` >= 0 at `rate` ppm: charges round up, rebates (negative) round toward zero."""
    return div_ceil(value * rate, PPM)


def compute_requirement(exposure: int, market: Market) -> int:
    """Initial margin of `exposure` lots (>= 0), token units, rounded up."""
    return div_up(compute_value(exposure, market.mark, market) * market.initial_margin, PPM)


def get_worst_exposure(position: Position) -> int:
    """Largest |size| the position can reach if the open orders of either side fill, lots."""
    return max(abs(position.size + position.bids), abs(position.size - position.asks))


def compute_health(state: State, account: Account) -> tuple[int, int]:
    """(equity, requirement with open orders) in token units. Leaves: the market of each position, in place order."""
    equity = account.collateral
    requirement = 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            equity += compute_value(position.size, market.mark, market)
            requirement += compute_requirement(get_worst_exposure(position), market)
    return equity, requirement


def is_fill_legal(state: State, account: Account, market_id: int, delta: int, price: int, is_taker: bool) -> bool:
    """Whether the account may take a fill of `delta` lots (signed) at `price` ticks, as taker or as maker.

    Legal if the positions after it (open orders aside) are funded, or if it strictly lowers the requirement and does
    not worsen the ratio of equity to requirement (compared by cross-multiplication).
    Leaves: the market of each position, in place order; `market_id` is among them.
    """
    equity = account.collateral
    change = 0
    before = 0
    after = 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            size = position.size
            equity += compute_value(size, market.mark, market)
            before += compute_requirement(abs(size), market)
            if position.market == market_id:
                size += delta
                change = compute_value(delta, market.mark - price, market)
                rate = market.taker_fee if is_taker else market.maker_fee
                change -= compute_fee(compute_value(abs(delta), price, market), rate)
            after += compute_requirement(abs(size), market)
    if equity + change >= after:
        return True
    return after < before and (equity + change) * before >= equity * after


def is_order_legal(regs: Registers, state: State, account: Account) -> bool:
    """Whether the order in the registers, already reserved, may enter. Leaves: as `compute_health`.

    Funded if equity covers the requirement with every open order, after the fee and the loss of filling at the limit;
    an order that can only close is judged as the fill it would be.
    """
    equity, requirement = compute_health(state, account)
    market = state.market(regs.market)
    delta = regs.size if regs.side == records.BUY else -regs.size
    loss = max(0, compute_value(delta, regs.price - market.mark, market))
    fee = compute_fee(compute_value(regs.size, regs.price, market), market.taker_fee)
    if equity - loss - fee >= requirement:
        return True
    position = get_position(account, regs.market)
    closing = position.size + position.bids <= 0 if regs.side == records.BUY else position.size - position.asks >= 0
    return closing and is_fill_legal(state, account, regs.market, delta, regs.price, is_taker=True)


def step_margin(regs: Registers, state: State) -> None:
    """Check the account in flight before its order, transfer or withdrawal goes on.

    Leaves: account, the market of each of its positions. A refused order gives its reservation back.
    """
    account = state.account(regs.account)
    if regs.kind in (records.TRANSFER, records.WITHDRAW):
        expire_orders(account, regs.time)
        equity, requirement = compute_health(state, account)
        if equity - regs.amount < requirement:
            regs.reject(errors.INSUFFICIENT_MARGIN)
        else:
            regs.phase = phases.TRANSFER if regs.kind == records.TRANSFER else phases.WITHDRAW
    elif is_order_legal(regs, state, account):
        regs.sequence += 1
        regs.scanning = 1 if regs.flags & records.TIME_IN_FORCE == records.FOK else 0
        regs.phase = phases.MATCH
    else:
        release(get_position(account, regs.market), regs.side, regs.size)
        regs.reject(errors.INSUFFICIENT_MARGIN)
