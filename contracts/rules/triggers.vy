# pragma version 0.4.3
"""
@title Armed orders: stop-loss and take-profit, let into the book by the machine itself
@license MIT
@notice Twin: `shared/rules/triggers.py`.
"""

from codec import records
from rules import calls
from rules import marks
from rules import phases
from rules import positions
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_trigger(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Find the next armed order that the mark has reached, above before below. In a wind-down none enters any more,
            and during a call none yet, nor by a mark that was not fresh when work began. Leaves: market; the level if there
            is one.
    """
    regs: registers.Registers = pre
    market_id: uint256 = regs.trigger_market
    market: leaves.Market = store.market(w, 0, market_id)
    side: uint256 = keys.ABOVE
    tick: uint256 = 0
    is_shut: bool = regs.winding_since != 0 or calls.is_calling(market, regs.time)
    is_open: bool = not is_shut and marks.is_fresh(market, regs.sweep_time)
    if is_open and market.stop_above != 0 and market.mark >= market.stop_above:
        tick = market.stop_above
    elif is_open and market.stop_below != 0 and market.mark <= market.stop_below:
        side = keys.BELOW
        tick = market.stop_below
    else:
        store.check_count(w, 1)
        regs.trigger_market = 0
        regs.phase = phases.WORK
        return regs, w.values
    store.check_count(w, 2)
    level: leaves.Level = store.level(w, 1, market_id, side, tick)
    regs = registers.clear(regs)
    regs.return_phase = phases.WORK
    regs.cursor = level.head
    regs.phase = phases.FIRE
    return regs, w.values


@internal
@pure
def step_fire(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take an armed order off its level, and have it enter as the order it is; a dead one only leaves. One with a
            partner takes that one out first, and is then found again, alone: nothing comes between the two.
            Leaves: order, its account.
    """
    regs: registers.Registers = pre
    store.check_count(w, 2)
    order: leaves.Order = store.order(w, 0, regs.cursor)
    number: uint256 = keys.handle_account(regs.cursor)
    account: leaves.Account = store.account(w, 1, number)
    regs.phase = phases.UNLINK
    regs.next_phase = phases.WORK
    if not positions.is_live(order, account, regs.time):
        return regs, w.values
    if order.partner != 0:
        regs.cursor = positions.get_partner(order, number)
        regs.next_phase = phases.TRIGGER
    else:
        regs.kind = records.ORDER
        regs.account = number
        regs.order_slot = keys.handle_order_slot(regs.cursor)
        regs.market = order.market
        regs.side = order.side
        regs.flags = order.flags & ~records.ARMED
        regs.price = order.price
        regs.size = order.size
        regs.expiry = order.expiry
        regs.client = order.client
        regs.next_phase = phases.ADMIT
    return regs, w.values
