"""Orders enter and leave: admission, and giving up what is left. Twin: ``contracts/rules/orders.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.positions import find_position, get_position, release, reserve
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market, Order, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_admit(regs: Registers, state: State) -> None:
    """Check an order against its market, its slot and the position limits, and reserve its size.

    Leaves: account, market, the order slot.
    """
    account = state.account(regs.account)
    market = state.market(regs.market)
    order = state.order(keys.order_handle(regs.account, regs.place))
    position = find_position(account, regs.market)
    regs.outcome = check_admission(regs, market, order, position)
    if regs.outcome != errors.ACCEPTED or position is None:
        regs.phase = phases.IDLE
        return
    position.market = regs.market
    reserve(position, regs.side, regs.size)
    regs.phase = phases.MARGIN


def check_admission(regs: Registers, market: Market, order: Order, position: Position | None) -> int:
    """Whether the order may be tried at all; returns the outcome."""
    if market.mark == 0:
        return errors.NO_PRICE
    if abs(regs.price - market.mark) * PPM > market.band * market.mark:
        return errors.PRICE_BAND
    if order.market != 0:
        return errors.SLOT_TAKEN
    if position is None:
        return errors.TOO_MANY_POSITIONS
    if regs.side == records.BUY:
        reach = position.size + position.bids + regs.size
    else:
        reach = position.asks + regs.size - position.size
    if reach > phases.MAX_POSITION:
        return errors.POSITION_LIMIT
    return errors.ACCEPTED


def step_drop(regs: Registers, state: State) -> None:
    """Give up what is left of the order in flight: its reservation is released. Leaves: account."""
    account = state.account(regs.account)
    release(get_position(account, regs.market), regs.side, regs.size)
    regs.size = 0
    regs.phase = phases.IDLE
