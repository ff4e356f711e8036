"""What an auction would come to if it were held now, for people: the rules judge each order again when it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from setoff.operator.api.book import BookReader
from setoff.shared.codec import records
from setoff.shared.rules.calls import compute_clearing, is_calling
from setoff.shared.state import keys, leaves
from setoff.shared.state.tree import Tree


def show_auctions(tree: Tree, markets: int, time: int) -> Iterator[dict[str, Any]]:
    """The auctions of all listed markets that collect orders, or wait for theirs."""
    for market in range(1, markets + 1):
        auction = show_auction(tree, market, time)
        if auction:
            yield {"market": market, **auction}


def show_auction(tree: Tree, market: int, time: int) -> dict[str, Any] | None:
    """When the call of a market ends, and what is to be expected: its price, how many lots trade, and how many more are
    bid (or offered: below zero) at that price. None without a call.

    Of orders that live to its end; those that their accounts cannot pay for by then count here, and trade nothing then.
    """
    leaf = leaves.decode_market(tree.get(keys.market_key(market)))
    if not is_calling(leaf, time):
        return None
    reader = BookReader(tree, max(time, leaf.halted_until))
    bids = reader.read(market, records.BUY, keys.MAX_TICK)
    asks = reader.read(market, records.SELL, keys.MAX_TICK)
    bid, bid_lots = _next(bids, 0)
    ask, ask_lots = _next(asks, keys.MAX_TICK + 1)
    low = high = volume = 0
    while bid >= ask:
        low, high = ask, bid
        lots = min(bid_lots, ask_lots)
        volume += lots
        bid_lots -= lots
        ask_lots -= lots
        if bid_lots == 0:
            bid, bid_lots = _next(bids, 0)
        if ask_lots == 0:
            ask, ask_lots = _next(asks, keys.MAX_TICK + 1)
    price = compute_clearing(low, high, bid, ask, leaf.index) if volume else None
    return {
        "until": leaf.halted_until,
        "price": price,
        "volume": str(volume),
        "surplus": str((bid_lots if bid == price else 0) - (ask_lots if ask == price else 0)),
    }


def _next(levels: Iterator[dict[str, Any]], end: int) -> tuple[int, int]:
    """Price and lots of the next level; `end` and none without one."""
    level = next(levels, None)
    return (level["price"], int(level["size"])) if level else (end, 0)
