# pragma version 0.4.3
"""
@title Calls: times in which a market only collects orders, and the auction that is due when one is over
@license MIT
@notice A market with `call_minutes` holds a call from its first index on, and whenever it is halted. Orders then rest where
        they would have met others, and a book whose best bid is not below its best ask is the sign that an auction is
        due: nothing meets anything in it until that has been held (`auction.vy`). Twin: `shared/rules/calls.py`.
"""

from codec import records
from rules import marks
from rules import phases
from state import leaves
from state import registers


@internal
@pure
def is_collecting(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether a call lasts.
    """
    return market.call_minutes != 0 and time < market.halted_until


@internal
@pure
def is_open(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether orders that can open a position may come: on a fresh price, or to wait for the auction, which needs one.
    """
    if self.is_collecting(market, time):
        return marks.is_young(market, time)
    return marks.is_fresh(market, time)


@internal
@pure
def is_crossed(market: leaves.Market) -> bool:
    """
    @return Whether orders of both sides rest that could have met, so that an auction has to be held first.
    """
    return market.best_ask != 0 and market.best_bid >= market.best_ask


@internal
@pure
def is_calling(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether nothing may meet anything in the book: a call lasts, or its auction has not been held yet.
    """
    return self.is_collecting(market, time) or self.is_crossed(market)


@internal
@pure
def is_auction_due(market: leaves.Market, time: uint256, winding_since: uint256) -> bool:
    """
    @return Whether an auction is to be held before anything else. Without a fresh index it waits, and at an end for ever.
    """
    return (
        self.is_crossed(market)
        and not self.is_collecting(market, time)
        and marks.is_fresh(market, time)
        and not marks.is_expired(market, time)
        and winding_since == 0
    )


@internal
@pure
def begin_auction(pre: registers.Registers, market: leaves.Market) -> registers.Registers:
    """
    @return The registers of a machine that begins to look for the clearing price, with the best bid; what is in flight, an
            order or a crank, waits.
    """
    regs: registers.Registers = pre
    regs.bid = 0
    regs.bid_tick = 0
    regs.ask = 0
    regs.ask_tick = 0
    regs.surplus = 0
    regs.clearing = market.best_ask
    regs.ceiling = market.best_bid
    regs.level_side = records.BUY
    regs.phase = phases.APPROACH
    return regs


@internal
@pure
def end_auction(pre: registers.Registers) -> registers.Registers:
    """
    @notice Go on with the order that waits; a crank has done what it could.
    """
    regs: registers.Registers = pre
    regs.peer = 0
    regs.lots = 0
    regs.matches = 0
    regs.bid = 0
    regs.bid_tick = 0
    regs.ask = 0
    regs.ask_tick = 0
    regs.clearing = 0
    if regs.kind == records.CRANK:
        return registers.finish(regs)
    regs.phase = phases.ADMIT
    return regs


@internal
@pure
def compute_clearing(low: uint256, high: uint256, bid: uint256, ask: uint256, index: uint256) -> uint256:
    """
    @return The price, ticks, at which an auction trades: most lots, then the least surplus, then next to the index. At every
            price from `low` to `high`, the last pair that trades, it is as many lots. `bid` < `ask`: the best orders that
            are left then (0 and above all ticks for none). At a price above `bid` and below `ask` no lot is left over;
            where the rest of a pair is left, its own price leaves none behind that offered more.
    @dev `ask` is a tick, at least 1.
    """
    least: uint256 = max(low, min(bid + 1, high))
    most: uint256 = min(high, max(ask - 1, low))
    middle: int256 = marks.get_middle(convert(index, int256), convert(least, int256), convert(most, int256))
    return convert(middle, uint256)
