# pragma version 0.4.3
"""
@title Positions of an account: where they are kept, and how a fill nets into them
@license MIT
@notice Twin: `shared/rules/positions.py`. Where Python changes a position in place, these functions return the new one;
        where it returns a position, they return its place.
@dev Bounds: admission keeps size + bids and asks - size at most 2**42 and a fill never raises either sum, so |size| <=
     2**42 and bids, asks <= 2**43. A price is below 2**24 and a unit below 2**32, so |cost| stays near 2**98, and its
     product with a size far inside 256 bits.
"""

from codec import integers
from codec import records
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
    @return Place of the account's position in `market`, which it has (an order of its own there is open).
    """
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market == market:
            return i
    raise "witness_value"


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
    @dev An open order's lots are part of bids or asks from its admission until they are released, so neither
         underflows.
    """
    released: leaves.Position = position
    if side == records.BUY:
        released.bids -= size
    else:
        released.asks -= size
    if released.size == 0 and released.bids == 0 and released.asks == 0:
        released.market = 0
    return released


@internal
@pure
def apply_fill(position: leaves.Position, delta: int256, price: uint256, unit: uint256) -> leaves.Position:
    """
    @notice Net `delta` lots (signed) bought at `price` ticks into the position; `cost` stays that of the open lots.
    """
    filled: leaves.Position = position
    size: int256 = position.size
    lot: int256 = convert(price * unit, int256)  # token units a lot, < 2**56
    if size == 0 or (size > 0) == (delta > 0):
        filled.cost += delta * lot
    elif abs(delta) <= abs(size):
        filled.cost -= integers.div_trunc(position.cost * abs(delta), abs(size))
    else:
        filled.cost = (size + delta) * lot
    filled.size = size + delta
    return filled
