"""Armed orders: stop-loss and take-profit, let into the book by the machine itself.

Twin: ``contracts/rules/triggers.vy``.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_calling
from setoff.shared.rules.marks import is_fresh
from setoff.shared.rules.positions import get_partner, is_live
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_trigger(regs: Registers, state: State) -> None:
    """Find the next armed order that the mark has reached, above before below.

    In a wind-down none enters any more, and during a call none yet, nor by a mark that was not fresh when work began.

    Leaves: market; the level if there is one.
    """
    market_id = regs.trigger_market
    market = state.market(market_id)
    is_shut = regs.winding_since != 0 or is_calling(market, regs.time)
    is_open = not is_shut and is_fresh(market, regs.sweep_time)
    if is_open and market.stop_above and market.mark >= market.stop_above:
        side, tick = keys.ABOVE, market.stop_above
    elif is_open and market.stop_below and market.mark <= market.stop_below:
        side, tick = keys.BELOW, market.stop_below
    else:
        regs.trigger_market = 0
        regs.phase = phases.WORK
        return
    regs.clear()
    regs.return_phase = phases.WORK
    regs.cursor = state.level(market_id, side, tick).head
    regs.phase = phases.FIRE


def step_fire(regs: Registers, state: State) -> None:
    """Take an armed order off its level, and have it enter as the order it is; a dead one only leaves.

    One with a partner takes that one out first, and is then found again, alone: nothing comes between the two.

    Leaves: order, its account.
    """
    order = state.order(regs.cursor)
    number = keys.handle_account(regs.cursor)
    account = state.account(number)
    regs.phase = phases.UNLINK
    regs.next_phase = phases.WORK
    if not is_live(order, account, regs.time):
        return
    if order.partner:
        regs.cursor = get_partner(order, number)
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
