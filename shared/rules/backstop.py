"""The backstop vault: anyone may put money in, and it takes over what the book does not.

Twin: ``contracts/rules/backstop.vy``. It is an account of its own (keys.BACKSTOP) under the same margin rules as any,
so it can lose no more than was put into it; its shares (`shares.py`) are worth its equity. At every crank it offers a
part of its position, the farther from the mark the longer nobody has taken any.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_up
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_calling
from setoff.shared.rules.deleveraging import begin_deleveraging, trade_across
from setoff.shared.rules.exits import note_draw
from setoff.shared.rules.fees import share_revenue
from setoff.shared.rules.holders import enrol
from setoff.shared.rules.margin import (
    compute_others,
    compute_value,
    is_change_legal,
    settle_account,
)
from setoff.shared.rules.marks import is_fresh, settle_funding
from setoff.shared.rules.positions import find_position, reserve
from setoff.shared.rules.work import begin_order, is_out_of_steps
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_takeover(regs: Registers, state: State) -> None:
    """Move what the backstop may take of the position in liquidation to it, at the zero price; deleverage the rest.

    Leaves: account, backstop, the market of each of the backstop's positions in place order (the market in liquidation
    counts as one, where a place for it is free).
    """
    account = state.account(regs.account)
    backstop = state.account(keys.BACKSTOP)
    position = find_position(backstop, regs.market) if regs.account != keys.BACKSTOP else None
    lots = 0
    is_opening = False
    if position is not None:
        is_opening = position.size == 0
        position.market = regs.market
        settle_account(state, backstop, regs.time)
        lots = compute_takeover(regs, state, backstop, position.size)
        if lots:
            trade_across(regs, state.market(regs.market), account, backstop, lots, regs.price)
            note_draw(regs, compute_value(lots, state.market(regs.market).mark, state.market(regs.market)))
            regs.size -= lots
        else:
            position.clear_if_empty()
    if regs.size:
        begin_deleveraging(regs)
    else:
        regs.phase = phases.WORK
    if lots and is_opening:
        enrol(regs, keys.BACKSTOP)


def compute_takeover(regs: Registers, state: State, backstop: Account, size: int) -> int:
    """Lots in the registers that the backstop may take over, with a position of `size` lots: most that are legal.

    What it holds then is worth no more than the market's cap, and if that is a new position no less than dust. None at
    a price that is worse than the mark: a debt is for those who gained by the change that made it. And none by a mark
    that was not fresh when the sweep began.
    Leaves: as `settle_account`, where the market is one.
    """
    market = state.market(regs.market)
    sign = -1 if regs.side == records.BUY else 1
    if regs.price * sign > market.mark * sign or not is_fresh(market, regs.sweep_time):
        return 0
    equity, others = compute_others(state, backstop, regs.market)
    limit = regs.size
    if market.backstop_cap:
        most = max(0, equity) * market.backstop_cap // (PPM * market.mark * market.unit)
        limit = min(limit, max(0, most - size * sign))
    lots = limit
    if not is_change_legal(equity, others, size, market, lots * sign, regs.price, 0):
        lots = 0
        for bit in reversed(range(phases.TAKEOVER_BITS)):
            more = lots + 2**bit
            if more < limit and is_change_legal(equity, others, size, market, more * sign, regs.price, 0):
                lots = more
    if size == 0 and compute_value(lots, market.mark, market) * phases.BACKSTOP_DUST < equity:
        return 0
    return lots


def step_unwind(regs: Registers, state: State) -> None:
    """Share the fees of the market, and offer a part of the backstop's position to its book, but in a wind-down or a
    call; then note what came of the offer.

    Leaves: backstop; before the offer the market, and as `share_revenue`.
    """
    if regs.unwind == 0:
        note_offer(regs, state.account(keys.BACKSTOP))
        return
    backstop = state.account(keys.BACKSTOP)
    market = state.market(regs.unwind)
    share_revenue(regs, state, backstop, market)
    position = find_position(backstop, regs.unwind)
    market_id = regs.unwind
    regs.unwind = 0
    is_shut = regs.winding_since != 0 or is_calling(market, regs.time) or not is_fresh(market, regs.time)
    if position is None or position.size == 0 or is_shut:
        regs.phase = phases.WORK
        return
    settle_funding(backstop, position, market)
    side = records.SELL if position.size > 0 else records.BUY
    size = div_up(abs(position.size), phases.UNWIND_SLICES)
    reserve(position, side, size)
    price = compute_offer_price(position, market)
    begin_order(regs, keys.BACKSTOP, market_id, side, price, size, phases.UNWIND)


def compute_offer_price(position: Position, market: Market) -> int:
    """The worst price, ticks, at which the backstop offers: the mark, and farther from it the longer it has waited.

    No farther than what it gets at least for a position that it takes over.
    """
    fraction = min(position.waited * phases.UNWIND_STEP, market.maintenance_margin // phases.LIQUIDATION_PART)
    width = div_up(market.mark * fraction, PPM)
    price = market.mark - width if position.size > 0 else market.mark + width
    return min(max(price, 1), keys.MAX_TICK)


def note_offer(regs: Registers, backstop: Account) -> None:
    """Where nobody took anything the next offer goes farther; where somebody did, half as far.

    Nothing is known of a book that the input had no steps to ask.
    """
    regs.return_phase = phases.WORK
    regs.phase = phases.WORK
    position = find_position(backstop, regs.market)
    if position is None or position.size == 0:
        return
    if regs.size < regs.amount:
        position.waited //= 2
    elif not is_out_of_steps(regs):
        position.waited = min(position.waited + 1, phases.UNWIND_WAITS)
