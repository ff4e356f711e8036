"""Orders enter, change and leave: admission, amending, cancelling all, giving up what is left.

Twin: ``contracts/rules/orders.vy``.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.agents import may_send
from setoff.shared.rules.calls import begin_auction, is_auction_due, is_calling, is_open
from setoff.shared.rules.levels import can_rest, get_level_side, get_level_tick, get_trigger_side, is_armed
from setoff.shared.rules.marks import is_expired
from setoff.shared.rules.positions import (
    find_position,
    get_closable,
    get_first_order_slot,
    get_partner,
    get_position,
    is_live,
    is_past_deadline,
    release,
    reserve,
)
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Order, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_admit(regs: Registers, state: State) -> None:
    """Check an order against its market, its slot and the position limits, and reserve its size.

    Leaves: account, market, the order slot; of an armed order that nothing else keeps out its partner. Orders that died
    at the account's deadline are first taken out of the book, one at a time; so is a dead one in the slot. An auction
    that is due is held before an order enters the book.
    """
    account = state.account(regs.account)
    market = state.market(regs.market)
    order = state.order(keys.order_handle(regs.account, regs.order_slot))
    if is_past_deadline(account, regs.time):
        if account.orders:
            unlink_first(regs, regs.account, account, phases.ADMIT)
            return
        account.deadline = 0
    if order.market != 0 and not is_live(order, account, regs.time):
        regs.cursor = keys.order_handle(regs.account, regs.order_slot)
        regs.next_phase = phases.ADMIT
        regs.phase = phases.UNLINK
        return
    position = find_position(account, regs.market)
    has_trigger = regs.flags & records.ARMED != 0
    if not has_trigger and is_auction_due(market, regs.time, regs.winding_since):
        begin_auction(regs, market)
        return
    if has_trigger:
        outcome = check_trigger(regs, market, order, position)
        if outcome == errors.ACCEPTED and regs.peer:
            outcome = check_partner(regs, state.order(regs.peer))
    else:
        bound_price(regs, market)
        outcome = check_admission(regs, market, order, position)
    if outcome != errors.ACCEPTED or position is None:
        regs.reject(outcome)
        return
    position.market = regs.market
    if has_trigger:
        arm(regs)
    else:
        if regs.flags & records.REDUCE_ONLY:
            regs.size = min(regs.size, get_closable(position, regs.side))
        reserve(position, regs.side, regs.size)
    regs.phase = phases.MARGIN


def unlink_first(regs: Registers, account_id: int, account: Account, next_phase: int) -> None:
    """Take the order in the lowest slot in use out of the book, and go on with `next_phase`."""
    regs.cursor = keys.order_handle(account_id, get_first_order_slot(account))
    regs.next_phase = next_phase
    regs.phase = phases.UNLINK


def check_trigger(regs: Registers, market: Market, order: Order, position: Position | None) -> int:
    """Whether an armed order may be tried at all; returns the outcome. The rest is checked when it enters the book."""
    if market.mark == 0:
        return errors.NO_PRICE
    if is_expired(market, regs.time):
        return errors.MARKET_EXPIRED
    if order.market != 0:
        return errors.ORDER_SLOT_TAKEN
    if position is None:
        return errors.TOO_MANY_POSITIONS
    if market.mark >= regs.trigger if regs.flags & records.ABOVE else market.mark <= regs.trigger:
        return errors.WOULD_TRIGGER
    return errors.ACCEPTED


def check_partner(regs: Registers, partner: Order) -> int:
    """Whether an order can be the partner of the armed one in the registers; returns the outcome.

    It waits in the same market on the other side of the mark: the two are never on one level. And it is nobody's
    partner yet, so that whichever fires takes out one other at most.
    """
    if partner.market != regs.market or not is_armed(partner) or partner.partner:
        return errors.UNKNOWN_ORDER
    return errors.ACCEPTED if get_level_side(partner) != get_trigger_side(regs.flags) else errors.UNKNOWN_ORDER


def arm(regs: Registers) -> None:
    """Name the level on which an armed order waits. It reserves nothing but its place among the positions."""
    regs.level_market = regs.market
    regs.level_side = get_trigger_side(regs.flags)
    regs.tick = regs.trigger


def is_fired(regs: Registers) -> bool:
    """Whether the order in the registers was armed, and the machine itself lets it in."""
    return regs.return_phase == phases.WORK


def bound_price(regs: Registers, market: Market) -> None:
    """Bring the limit of an order that takes at once, or has fired, back to where fills end if it would pay more.

    That is never to its owner's harm. A limit on the other side of the mark is left alone.
    """
    if is_fired(regs) or not can_rest(regs.flags):
        width = get_fill_band(market) * market.mark // PPM
        if regs.side == records.BUY:
            regs.price = min(regs.price, market.mark + width)
        else:
            regs.price = max(regs.price, market.mark - width)


def get_fill_band(market: Market) -> int:
    """How far from the mark, ppm of it, a fill may be to the harm of who comes: not beyond a maintenance margin.

    Whoever is on the other side of an account that fails has then gained, since its own fill, what that one owes.
    """
    return min(market.band, market.maintenance_margin)


def get_band(regs: Registers, market: Market) -> int:
    """How far from the mark, ppm of it, the limit of the order in the registers may be: less where it pays more."""
    is_paying = regs.price > market.mark if regs.side == records.BUY else regs.price < market.mark
    return get_fill_band(market) if is_paying else market.band


def check_admission(regs: Registers, market: Market, order: Order, position: Position | None) -> int:
    """Whether the order may be tried at all; returns the outcome. One that has fired may rest outside the band."""
    if market.mark == 0:
        return errors.NO_PRICE
    if is_expired(market, regs.time):
        return errors.MARKET_EXPIRED
    if not is_fired(regs) and abs(regs.price - market.mark) * PPM > get_band(regs, market) * market.mark:
        return errors.PRICE_BAND
    if is_calling(market, regs.time) and not can_rest(regs.flags):
        return errors.HALTED
    if order.market != 0:
        return errors.ORDER_SLOT_TAKEN
    if position is None:
        return errors.TOO_MANY_POSITIONS
    if regs.flags & records.REDUCE_ONLY and get_closable(position, regs.side) == 0:
        return errors.NOT_REDUCING
    if regs.side == records.BUY:
        reach = position.size + position.bids + regs.size
    else:
        reach = position.asks + regs.size - position.size
    if reach <= 0 or regs.flags & records.REDUCE_ONLY:
        return errors.ACCEPTED
    return check_opening(regs, market, reach)


def check_opening(regs: Registers, market: Market, reach: int) -> int:
    """Whether an order that can open a position, of up to `reach` lots, may be tried now; returns the outcome."""
    if regs.time < market.halted_until and market.call_minutes == 0:
        return errors.HALTED
    if not is_open(market, regs.time):
        return errors.STALE_PRICE
    if reach > market.max_position:
        return errors.POSITION_LIMIT
    if market.open_interest + regs.size > market.max_open_interest:
        return errors.OPEN_INTEREST_CAP
    return errors.ACCEPTED


def step_amend(regs: Registers, state: State) -> None:
    """Change a resting order: in place if only less is offered, else it leaves the book and enters anew. It keeps its
    partner.

    Leaves: account, order; where it only shrinks, its level.
    """
    account = state.account(regs.account)
    order = state.order(regs.cursor)
    if order.market == 0 or not is_live(order, account, regs.time):
        regs.reject(errors.UNKNOWN_ORDER)
    elif not may_send(regs.scope, order.market, order.flags, regs.size):
        regs.reject(errors.OUT_OF_SCOPE)
    elif regs.price == order.price and regs.size <= order.size:
        level = state.level(order.market, get_level_side(order), get_level_tick(order))
        less = order.size - regs.size
        order.size = regs.size
        level.size -= less
        if not is_armed(order):
            release(get_position(account, order.market), order.side, less)
        regs.finish()
    else:
        regs.market = order.market
        regs.side = order.side
        regs.flags = order.flags
        regs.expiry = order.expiry
        regs.trigger = order.trigger
        regs.client = order.client
        regs.peer = get_partner(order, regs.account)
        regs.next_phase = phases.ADMIT
        regs.phase = phases.UNLINK


def step_clear(regs: Registers, state: State) -> None:
    """Cancel every order of the account, one at a time; or set the deadline at which all die. Leaves: account.

    A deadline that has passed is not taken back: its orders go first.
    """
    account = state.account(regs.account)
    if account.orders and (regs.kind == records.CANCEL_ALL or is_past_deadline(account, regs.time)):
        unlink_first(regs, regs.account, account, phases.CLEAR)
        return
    if regs.kind == records.SCHEDULE_CANCEL:
        account.deadline = regs.amount
    regs.finish()


def step_drop(regs: Registers, state: State) -> None:
    """Give up what is left of the order in flight: its reservation is released. Leaves: account."""
    account = state.account(regs.account)
    release(get_position(account, regs.market), regs.side, regs.size)
    regs.finish()
