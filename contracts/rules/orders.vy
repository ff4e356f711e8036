# pragma version 0.4.3
"""
@title Orders enter, change and leave: admission, amending, cancelling all, giving up what is left
@license MIT
@notice Twin: `shared/rules/orders.py`.
@dev Prices are below 2**24, a band at most PPM; sizes, positions and open interest below 2**63: no sum or product here comes
     near 256 bits.
"""

import errors
from codec import integers
from codec import records
from rules import agents
from rules import calls
from rules import levels
from rules import marks
from rules import phases
from rules import positions
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_admit(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Check an order against its market, its slot and the position limits, and reserve its size.
            Leaves: account, market, the order slot; of an armed order that nothing else keeps out its partner. Orders that
            died at the account's deadline are first taken out of the book, one at a time; so is a dead one in the slot. An
            auction that is due is held before an order enters the book.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    touched: uint256 = 3
    handle: uint256 = keys.order_handle(regs.account, regs.order_slot)
    account: leaves.Account = store.account(w, 0, regs.account)
    market: leaves.Market = store.market(w, 1, regs.market)
    order: leaves.Order = store.order(w, 2, handle)
    if positions.is_past_deadline(account, regs.time):
        if account.orders != 0:
            store.check_count(w, touched)
            return self.unlink_first(regs, regs.account, account, phases.ADMIT), values
        account.deadline = 0
        values[0] = leaves.encode_account(account)
    if order.market != 0 and not positions.is_live(order, account, regs.time):
        store.check_count(w, touched)
        regs.cursor = handle
        regs.next_phase = phases.ADMIT
        regs.phase = phases.UNLINK
        return regs, values
    place: uint256 = positions.find_position(account, regs.market)
    position: leaves.Position = empty(leaves.Position)
    if place < leaves.MAX_POSITIONS:
        position = account.positions[place]
    has_trigger: bool = regs.flags & records.ARMED != 0
    if not has_trigger and calls.is_auction_due(market, regs.time, regs.winding_since):
        store.check_count(w, touched)
        return calls.begin_auction(regs, market), values
    outcome: uint256 = 0
    if has_trigger:
        outcome = self.check_trigger(regs, market, order, place < leaves.MAX_POSITIONS)
        if outcome == errors.ACCEPTED and regs.peer != 0:
            outcome = self.check_partner(regs, store.order(w, touched, regs.peer))
            touched += 1
    else:
        regs.price = self.bound_price(regs, market)
        outcome = self.check_admission(regs, market, order, position, place < leaves.MAX_POSITIONS)
    store.check_count(w, touched)
    if outcome != errors.ACCEPTED:
        return registers.reject(regs, outcome), values
    position.market = regs.market
    if has_trigger:
        regs = self.arm(regs)
    else:
        if regs.flags & records.REDUCE_ONLY != 0:
            regs.size = min(regs.size, positions.get_closable(position, regs.side))
        position = positions.reserve(position, regs.side, regs.size)
    account.positions[place] = position
    regs.phase = phases.MARGIN
    values[0] = leaves.encode_account(account)
    return regs, values


@internal
@pure
def unlink_first(
    pre: registers.Registers, account_id: uint256, account: leaves.Account, next_phase: uint256
) -> registers.Registers:
    """
    @notice Take the order in the lowest slot in use out of the book, and go on with `next_phase`.
    """
    regs: registers.Registers = pre
    regs.cursor = keys.order_handle(account_id, positions.get_first_order_slot(account))
    regs.next_phase = next_phase
    regs.phase = phases.UNLINK
    return regs


@internal
@pure
def check_trigger(
    regs: registers.Registers, market: leaves.Market, order: leaves.Order, has_place: bool
) -> uint256:
    """
    @return Outcome: whether an armed order may be tried at all. The rest is checked when it enters the book.
    """
    if market.mark == 0:
        return errors.NO_PRICE
    if marks.is_expired(market, regs.time):
        return errors.MARKET_EXPIRED
    if order.market != 0:
        return errors.ORDER_SLOT_TAKEN
    if not has_place:
        return errors.TOO_MANY_POSITIONS
    is_reached: bool = market.mark <= regs.trigger
    if regs.flags & records.ABOVE != 0:
        is_reached = market.mark >= regs.trigger
    return errors.WOULD_TRIGGER if is_reached else errors.ACCEPTED


@internal
@pure
def check_partner(regs: registers.Registers, partner: leaves.Order) -> uint256:
    """
    @return Outcome: whether an order can be the partner of the armed one in the registers. It waits in the same market on the
            other side of the mark, so that the two are never on one level, and it is nobody's partner yet, so that one that
            fires takes out one other at most.
    """
    if partner.market != regs.market or not levels.is_armed(partner) or partner.partner != 0:
        return errors.UNKNOWN_ORDER
    if levels.get_level_side(partner) == levels.get_trigger_side(regs.flags):
        return errors.UNKNOWN_ORDER
    return errors.ACCEPTED


@internal
@pure
def arm(pre: registers.Registers) -> registers.Registers:
    """
    @notice Name the level on which an armed order waits. It reserves nothing but its place among the positions.
    """
    regs: registers.Registers = pre
    regs.level_market = regs.market
    regs.level_side = levels.get_trigger_side(regs.flags)
    regs.tick = regs.trigger
    return regs


@internal
@pure
def is_fired(regs: registers.Registers) -> bool:
    """
    @return Whether the order in the registers was armed, and the machine itself lets it in.
    """
    return regs.return_phase == phases.WORK


@internal
@pure
def bound_price(regs: registers.Registers, market: leaves.Market) -> uint256:
    """
    @return The limit of the order in ticks; of one that takes at once, or has fired, brought back to where fills end if it
            would pay more. That is never to its owner's harm. A limit on the other side of the mark is left alone.
    @dev A band is at most PPM, so the lower edge is not below 0.
    """
    if not self.is_fired(regs) and levels.can_rest(regs.flags):
        return regs.price
    width: uint256 = self.get_fill_band(market) * market.mark // integers.PPM
    if regs.side == records.BUY:
        return min(regs.price, market.mark + width)
    return max(regs.price, market.mark - width)


@internal
@pure
def get_fill_band(market: leaves.Market) -> uint256:
    """
    @return How far from the mark, ppm of it, a fill may be to the harm of the one who comes: not beyond a maintenance margin.
            Whoever is on the other side of an account that fails has then gained, since its own fill, what that one owes.
    """
    return min(market.band, market.maintenance_margin)


@internal
@pure
def get_band(regs: registers.Registers, market: leaves.Market) -> uint256:
    """
    @return How far from the mark, ppm of it, the limit of the order in the registers may be: less where it pays more.
    """
    is_paying: bool = regs.price > market.mark if regs.side == records.BUY else regs.price < market.mark
    return self.get_fill_band(market) if is_paying else market.band


@internal
@pure
def check_admission(
    regs: registers.Registers,
    market: leaves.Market,
    order: leaves.Order,
    position: leaves.Position,
    has_place: bool,
) -> uint256:
    """
    @return Outcome: whether the order may be tried at all. One that has fired may rest outside the band.
    """
    if market.mark == 0:
        return errors.NO_PRICE
    if marks.is_expired(market, regs.time):
        return errors.MARKET_EXPIRED
    distance: uint256 = max(regs.price, market.mark) - min(regs.price, market.mark)
    if not self.is_fired(regs) and distance * integers.PPM > self.get_band(regs, market) * market.mark:
        return errors.PRICE_BAND
    if calls.is_calling(market, regs.time) and not levels.can_rest(regs.flags):
        return errors.HALTED
    if order.market != 0:
        return errors.ORDER_SLOT_TAKEN
    if not has_place:
        return errors.TOO_MANY_POSITIONS
    if regs.flags & records.REDUCE_ONLY != 0 and positions.get_closable(position, regs.side) == 0:
        return errors.NOT_REDUCING
    reach: int256 = 0
    if regs.side == records.BUY:
        reach = position.size + convert(position.bids + regs.size, int256)
    else:
        reach = convert(position.asks + regs.size, int256) - position.size
    if reach <= 0 or regs.flags & records.REDUCE_ONLY != 0:
        return errors.ACCEPTED
    return self.check_opening(regs, market, convert(reach, uint256))


@internal
@pure
def check_opening(regs: registers.Registers, market: leaves.Market, reach: uint256) -> uint256:
    """
    @return Outcome: whether an order that can open a position, of up to `reach` lots, may be tried now.
    """
    if regs.time < market.halted_until and market.call_minutes == 0:
        return errors.HALTED
    if not calls.is_open(market, regs.time):
        return errors.STALE_PRICE
    if reach > market.max_position:
        return errors.POSITION_LIMIT
    if market.open_interest + regs.size > market.max_open_interest:
        return errors.OPEN_INTEREST_CAP
    return errors.ACCEPTED


@internal
@pure
def step_amend(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Change a resting order: in place if only less is offered, else it leaves the book and enters anew. It keeps its
            partner.
            Leaves: account, order; where it only shrinks, its level.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    order: leaves.Order = store.order(w, 1, regs.cursor)
    touched: uint256 = 2
    if order.market == 0 or not positions.is_live(order, account, regs.time):
        regs = registers.reject(regs, errors.UNKNOWN_ORDER)
    elif not agents.may_send(regs.scope, order.market, order.flags, regs.size):
        regs = registers.reject(regs, errors.OUT_OF_SCOPE)
    elif regs.price == order.price and regs.size <= order.size:
        level: leaves.Level = store.level(
            w, 2, order.market, levels.get_level_side(order), levels.get_level_tick(order)
        )
        touched = 3
        less: uint256 = order.size - regs.size
        order.size = regs.size
        level.size -= less  # an order's lots are part of its level's
        if not levels.is_armed(order):
            place: uint256 = positions.get_position(account, order.market)
            account.positions[place] = positions.release(account.positions[place], order.side, less)
        values[1] = leaves.encode_order(order)
        values[2] = leaves.encode_level(level)
        regs = registers.finish(regs)
    else:
        regs.market = order.market
        regs.side = order.side
        regs.flags = order.flags
        regs.expiry = order.expiry
        regs.trigger = order.trigger
        regs.client = order.client
        regs.peer = positions.get_partner(order, regs.account)
        regs.next_phase = phases.ADMIT
        regs.phase = phases.UNLINK
    store.check_count(w, touched)
    values[0] = leaves.encode_account(account)
    return regs, values


@internal
@pure
def step_clear(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Cancel every order of the account, one at a time; or set the deadline at which all die. A deadline that has
            passed is not taken back: its orders go first. Leaves: account.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 1)
    account: leaves.Account = store.account(w, 0, regs.account)
    if account.orders != 0 and (
        regs.kind == records.CANCEL_ALL or positions.is_past_deadline(account, regs.time)
    ):
        return self.unlink_first(regs, regs.account, account, phases.CLEAR), values
    if regs.kind == records.SCHEDULE_CANCEL:
        account.deadline = regs.amount
        values[0] = leaves.encode_account(account)
    return registers.finish(regs), values


@internal
@pure
def step_drop(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Give up what is left of the order in flight: its reservation is released. Leaves: account.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 1)
    account: leaves.Account = store.account(w, 0, regs.account)
    place: uint256 = positions.get_position(account, regs.market)
    account.positions[place] = positions.release(account.positions[place], regs.side, regs.size)
    values[0] = leaves.encode_account(account)
    return registers.finish(regs), values
