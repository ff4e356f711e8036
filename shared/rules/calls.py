"""Calls: times in which a market only collects orders, and the auction that is due when one is over.

Twin: ``contracts/rules/calls.vy``. A market with `call_minutes` holds a call from its first index on, and whenever it
is halted. Orders then rest where they would have met others, and a book whose best bid is not below its best ask is the
sign that an auction is due: nothing meets anything in it until that has been held (`auction.py`).
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.marks import get_middle, is_expired, is_fresh, is_young
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers


def is_collecting(market: Market, time: int) -> bool:
    """Whether a call lasts."""
    return market.call_minutes != 0 and time < market.halted_until


def is_open(market: Market, time: int) -> bool:
    """Whether orders that can open may come: on a fresh price, or to wait for the auction, which needs one."""
    return is_young(market, time) if is_collecting(market, time) else is_fresh(market, time)


def is_crossed(market: Market) -> bool:
    """Whether orders of both sides rest that could have met, so that an auction has to be held first."""
    return market.best_ask != 0 and market.best_bid >= market.best_ask


def is_calling(market: Market, time: int) -> bool:
    """Whether nothing may meet anything in the book: a call lasts, or its auction has not been held yet."""
    return is_collecting(market, time) or is_crossed(market)


def is_auction_due(market: Market, time: int, winding_since: int) -> bool:
    """Whether an auction is to be held before anything else. Without a fresh index it waits, and at an end for ever."""
    return (
        is_crossed(market)
        and not is_collecting(market, time)
        and is_fresh(market, time)
        and not is_expired(market, time)
        and winding_since == 0
    )


def begin_auction(regs: Registers, market: Market) -> None:
    """Begin to look for the clearing price, with the best bid; what is in flight, an order or a crank, waits."""
    regs.bid = 0
    regs.bid_tick = 0
    regs.ask = 0
    regs.ask_tick = 0
    regs.surplus = 0
    regs.clearing = market.best_ask
    regs.ceiling = market.best_bid
    regs.level_side = records.BUY
    regs.phase = phases.APPROACH


def end_auction(regs: Registers) -> None:
    """Go on with the order that waits; a crank has done what it could."""
    regs.peer = 0
    regs.lots = 0
    regs.matches = 0
    regs.bid = 0
    regs.bid_tick = 0
    regs.ask = 0
    regs.ask_tick = 0
    regs.clearing = 0
    if regs.kind == records.CRANK:
        regs.finish()
    else:
        regs.phase = phases.ADMIT


def compute_clearing(low: int, high: int, bid: int, ask: int, index: int) -> int:
    """The price, ticks, at which an auction trades: most lots, then the least surplus, then next to the index.

    At every price from `low` to `high`, the last pair that trades, it is as many lots. `bid` < `ask`: the best orders
    that are left then (0 and above all ticks for none). At a price above `bid` and below `ask` no lot is left over;
    where the rest of a pair is left, its own price leaves none behind that offered more.
    """
    least = max(low, min(bid + 1, high))
    most = min(high, max(ask - 1, low))
    return get_middle(index, least, most)
