"""What an auction would come to if it were held now, for people: the rules judge each order again when it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from setoff.operator.api.views.book import BookReader, Level
from setoff.operator.api.views.scales import Scales
from setoff.shared.codec import records
from setoff.shared.rules.calls import compute_clearing, is_calling
from setoff.shared.state import keys, leaves
from setoff.shared.state.tree import Tree
from setoff.shared.wire.api.decimals import Scaled
from setoff.shared.wire.api.market_answers import Call
from setoff.shared.wire.scales import MarketScale

_CALL: Final = Scaled(Call)


def show_auctions(scales: Scales, tree: Tree, markets: int, time: int) -> Iterator[dict[str, Any]]:
    """The auctions of all listed markets that collect orders, or wait for theirs."""
    for market in range(1, markets + 1):
        auction = show_auction(scales[market], tree, market, time)
        if auction:
            yield {"market": market, "symbol": scales[market].symbol, **auction}


def show_auction(scale: MarketScale, tree: Tree, market: int, time: int) -> dict[str, Any] | None:
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
    shown = {
        "until": leaf.halted_until,
        "until_ms": leaf.halted_until * 1000,
        "price": price,
        "volume": str(volume),
        "surplus": str((bid_lots if bid == price else 0) - (ask_lots if ask == price else 0)),
    }
    return shown | {"decimal": _CALL.show(shown, scale)}


def _next(levels: Iterator[Level], end: int) -> tuple[int, int]:
    """Price and lots of the next level; `end` and none without one."""
    level = next(levels, None)
    return level[:2] if level else (end, 0)
