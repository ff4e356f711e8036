# pragma version 0.4.3
"""
@title Levels: which one an order is on, and the best of each side
@license MIT
@notice Beside the two sides of the book a market has two of armed orders: those that enter when the mark rises to their
        trigger (above) and when it falls to it (below). All four have FIFO levels under the same bitmaps.
        Twin: `shared/rules/levels.py`.
"""

from codec import records
from state import keys
from state import leaves


@internal
@pure
def is_armed(order: leaves.Order) -> bool:
    """
    @return Whether the order waits for its trigger.
    """
    return order.flags & records.ARMED != 0


@internal
@pure
def can_rest(flags: uint256) -> bool:
    """
    @return Whether what is left of an order with these flags rests in the book.
    """
    force: uint256 = flags & records.TIME_IN_FORCE
    return force == records.GTC or force == records.POST_ONLY


@internal
@pure
def get_trigger_side(flags: uint256) -> uint256:
    """
    @return Side on which an armed order with these flags waits.
    """
    return keys.ABOVE if flags & records.ABOVE != 0 else keys.BELOW


@internal
@pure
def get_level_side(order: leaves.Order) -> uint256:
    """
    @return Side of the level the order is on.
    """
    return self.get_trigger_side(order.flags) if self.is_armed(order) else order.side


@internal
@pure
def get_level_tick(order: leaves.Order) -> uint256:
    """
    @return Tick of the level the order is on.
    """
    return order.trigger if self.is_armed(order) else order.price


@internal
@pure
def is_highest_first(side: uint256) -> bool:
    """
    @return Whether the best level of a side is its highest: bids, and armed orders below.
    """
    return side == records.BUY or side == keys.BELOW


@internal
@pure
def get_best(market: leaves.Market, side: uint256) -> uint256:
    """
    @return Best price of a side in ticks, 0 if it is empty; sides 2 and 3 are the armed orders above and below.
    """
    if side == records.BUY:
        return market.best_bid
    if side == records.SELL:
        return market.best_ask
    return market.stop_above if side == keys.ABOVE else market.stop_below


@internal
@pure
def set_best(market: leaves.Market, side: uint256, tick: uint256) -> leaves.Market:
    """
    @notice Set what `get_best` returns.
    """
    changed: leaves.Market = market
    if side == records.BUY:
        changed.best_bid = tick
    elif side == records.SELL:
        changed.best_ask = tick
    elif side == keys.ABOVE:
        changed.stop_above = tick
    else:
        changed.stop_below = tick
    return changed


@internal
@pure
def _highest_bit(word: uint256) -> uint256:
    """
    @return Number of the highest bit set; word != 0.
    """
    number: uint256 = 0
    rest: uint256 = word
    for i: uint256 in range(8):
        half: uint256 = 128 >> i
        if rest >> half != 0:
            rest >>= half
            number += half
    return number


@internal
@pure
def _lowest_bit(word: uint256) -> uint256:
    """
    @return Number of the lowest bit set; word != 0.
    """
    # A word and its two's complement share the lowest bit set; 0 - word wraps on purpose.
    return self._highest_bit(word & unsafe_sub(0, word))
