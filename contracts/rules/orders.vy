# pragma version 0.4.3
"""
@title Orders enter and leave: admission, and giving up what is left
@license MIT
@notice Twin: `shared/rules/orders.py`.
"""

import errors
from codec import integers
from codec import records
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
            Leaves: account, market, the order slot.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 3)
    account: leaves.Account = store.account(w, 0, regs.account)
    market: leaves.Market = store.market(w, 1, regs.market)
    order: leaves.Order = store.order(w, 2, keys.order_handle(regs.account, regs.place))
    place: uint256 = positions.find_position(account, regs.market)
    position: leaves.Position = empty(leaves.Position)
    if place < leaves.MAX_POSITIONS:
        position = account.positions[place]
    regs.outcome = self.check_admission(regs, market, order, position, place < leaves.MAX_POSITIONS)
    if regs.outcome != errors.ACCEPTED:
        regs.phase = phases.IDLE
        return regs, values
    position.market = regs.market
    account.positions[place] = positions.reserve(position, regs.side, regs.size)
    regs.phase = phases.MARGIN
    values[0] = leaves.encode_account(account)
    return regs, values


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
    @return Outcome: whether the order may be tried at all.
    @dev Prices are below 2**24, band at most PPM; sizes and positions at most 2**44: nothing here comes near 256 bits.
    """
    if market.mark == 0:
        return errors.NO_PRICE
    distance: uint256 = max(regs.price, market.mark) - min(regs.price, market.mark)
    if distance * integers.PPM > market.band * market.mark:
        return errors.PRICE_BAND
    if order.market != 0:
        return errors.SLOT_TAKEN
    if not has_place:
        return errors.TOO_MANY_POSITIONS
    reach: int256 = 0
    if regs.side == records.BUY:
        reach = position.size + convert(position.bids + regs.size, int256)
    else:
        reach = convert(position.asks + regs.size, int256) - position.size
    if reach > convert(phases.MAX_POSITION, int256):
        return errors.POSITION_LIMIT
    return errors.ACCEPTED


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
    regs.size = 0
    regs.phase = phases.IDLE
    values[0] = leaves.encode_account(account)
    return regs, values
