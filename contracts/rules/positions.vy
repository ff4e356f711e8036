# pragma version 0.4.3
"""
@title Positions of an account: where they are kept, and how a fill nets into them
@license MIT
@notice Twin: `shared/rules/positions.py`. Where Python changes an account or a position in place, these functions return
        the new one; where it returns a position, they return its place.
@dev Bounds: admission keeps size + bids and asks - size at most 2**38 but for orders that can only close, and a fill never
     raises either sum, so |size| <= 2**38 (2**39 on the backstop's account, which is bounded by its margin) and bids,
     asks <= 2**40. A price is below 2**24 and a unit below 2**32, so |cost| stays near 2**96, and its product with a size
     far inside 256 bits.
"""

from codec import integers
from codec import records
from rules import levels
from state import keys
from state import leaves


@internal
@pure
def find_position(account: leaves.Account, market: uint256) -> uint256:
    """
    @return Place of the account's position in `market`, else the first free place, else MAX_POSITIONS.
    """
    free: uint256 = leaves.MAX_POSITIONS
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market == market:
            return i
        if account.positions[i].market == 0 and free == leaves.MAX_POSITIONS:
            free = i
    return free


@internal
@pure
def get_position(account: leaves.Account, market: uint256) -> uint256:
    """
    @return Place of the account's position in `market`, which it has (an order of its own is there).
    """
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market == market:
            return i
    raise "witness_value"


@internal
@pure
def is_past_deadline(account: leaves.Account, time: uint256) -> bool:
    """
    @return The dead-man's switch: whether its deadline has come, so that every order of the account is dead.
    """
    return account.deadline != 0 and account.deadline <= time


@internal
@pure
def is_live(order: leaves.Order, account: leaves.Account, time: uint256) -> bool:
    """
    @return Whether an order of the account can still trade.
    """
    return (order.expiry == 0 or order.expiry > time) and not self.is_past_deadline(account, time)


@internal
@pure
def get_partner(order: leaves.Order, account: uint256) -> uint256:
    """
    @return Handle of the order that leaves when this one, of account number `account`, fires; 0 for none.
    """
    return 0 if order.partner == 0 else keys.order_handle(account, order.partner - 1)


@internal
@pure
def count_order(account: leaves.Account, market: uint256, order_slot: uint256) -> leaves.Account:
    """
    @notice Note that the slot holds an order in `market` from now on.
    """
    counted: leaves.Account = account
    counted.orders |= 1 << order_slot
    counted.positions[self.get_position(account, market)].orders += 1
    return counted


@internal
@pure
def discount_order(account: leaves.Account, order: leaves.Order, order_slot: uint256) -> leaves.Account:
    """
    @notice Note that the slot is free again, and release what its order still reserved. An armed one reserves nothing.
    @dev Each order that has a leaf was counted when it got it, so the count does not underflow.
    """
    discounted: leaves.Account = account
    discounted.orders &= ~(1 << order_slot)
    place: uint256 = self.get_position(account, order.market)
    position: leaves.Position = account.positions[place]
    position.orders -= 1
    size: uint256 = 0 if levels.is_armed(order) else order.size
    discounted.positions[place] = self.release(position, order.side, size)
    return discounted


@internal
@pure
def get_first_order_slot(account: leaves.Account) -> uint256:
    """
    @return The lowest order slot in use, of an account that has orders.
    """
    return levels._lowest_bit(account.orders)


@internal
@pure
def get_closable(position: leaves.Position, side: uint256) -> uint256:
    """
    @return Lots of the position that an order of `side` can close.
    """
    size: int256 = -position.size if side == records.BUY else position.size
    return convert(max(0, size), uint256)


@internal
@pure
def reserve(position: leaves.Position, side: uint256, size: uint256) -> leaves.Position:
    """
    @notice Count `size` lots of a new order as open on `side`.
    """
    reserved: leaves.Position = position
    if side == records.BUY:
        reserved.bids += size
    else:
        reserved.asks += size
    return reserved


@internal
@pure
def release(position: leaves.Position, side: uint256, size: uint256) -> leaves.Position:
    """
    @notice Take `size` lots off the open orders of `side`; a position that holds nothing any more frees its place.
    @dev A live order's lots are part of bids or asks from its admission until they are released, so neither underflows.
    """
    released: leaves.Position = position
    if side == records.BUY:
        released.bids -= size
    else:
        released.asks -= size
    return leaves.clear_if_empty(released)


@internal
@pure
def apply_fill(position: leaves.Position, delta: int256, price: uint256, market: leaves.Market) -> leaves.Position:
    """
    @notice Net `delta` lots (signed) bought at `price` ticks into the position; `cost` stays that of the open lots.
    """
    filled: leaves.Position = position
    size: int256 = position.size
    lot: int256 = convert(price * market.unit, int256)  # token units a lot, < 2**56
    if size == 0:
        filled.funding = market.funding
    if size == 0 or (size > 0) == (delta > 0):
        filled.cost += delta * lot
    elif abs(delta) <= abs(size):
        filled.cost -= integers.div_trunc(position.cost * abs(delta), abs(size))
    else:
        filled.cost = (size + delta) * lot
    filled.size = size + delta
    return filled
