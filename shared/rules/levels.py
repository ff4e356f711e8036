"""Levels: which one an order is on, and the best of each side. Twin: ``contracts/rules/levels.vy``.

Beside the two sides of the book a market has two of armed orders: those that enter when the mark rises to their trigger
(above) and when it falls to it (below). All four have FIFO levels under the same bitmaps.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market, Order


def is_armed(order: Order) -> bool:
    """Whether the order waits for its trigger."""
    return order.flags & records.ARMED != 0


def can_rest(flags: int) -> bool:
    """Whether what is left of an order with these flags rests in the book."""
    return flags & records.TIME_IN_FORCE in (records.GTC, records.POST_ONLY)


def get_trigger_side(flags: int) -> int:
    """Side on which an armed order with these flags waits."""
    return keys.ABOVE if flags & records.ABOVE else keys.BELOW


def get_level_side(order: Order) -> int:
    """Side of the level the order is on."""
    return get_trigger_side(order.flags) if is_armed(order) else order.side


def get_level_tick(order: Order) -> int:
    """Tick of the level the order is on."""
    return order.trigger if is_armed(order) else order.price


def is_highest_first(side: int) -> bool:
    """Whether the best level of a side is its highest: bids, and armed orders below."""
    return side in (records.BUY, keys.BELOW)


def get_best(market: Market, side: int) -> int:
    """Best price of a side in ticks, 0 if it is empty; sides 2 and 3 are the armed orders above and below."""
    if side == records.BUY:
        return market.best_bid
    if side == records.SELL:
        return market.best_ask
    return market.stop_above if side == keys.ABOVE else market.stop_below


def set_best(market: Market, side: int, tick: int) -> None:
    """Set what `get_best` returns."""
    if side == records.BUY:
        market.best_bid = tick
    elif side == records.SELL:
        market.best_ask = tick
    elif side == keys.ABOVE:
        market.stop_above = tick
    else:
        market.stop_below = tick
