"""What the API shows of markets: parameters, prices, state, books.

Views read the state tree, so they never disturb the leaves the rules work on.
"""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.views.auctions import show_auction, show_auctions
from setoff.operator.api.views.book import BookReader, Level
from setoff.operator.api.views.record_views import MS
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import Field, fields_of
from setoff.shared.codec.records import ExchangeTerms, MarketParameters
from setoff.shared.rules import phases
from setoff.shared.rules.margin import get_tiers
from setoff.shared.rules.marks import compute_funding, is_fresh
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Market
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree
from setoff.shared.wire.api import market_answers as answers
from setoff.shared.wire.api.decimals import Scaled
from setoff.shared.wire.scales import MarketScale

_PARAMETERS: Final = fields_of(MarketParameters)
_TERMS: Final = fields_of(ExchangeTerms)
_MARKET: Final = Scaled(answers.Market)


def get_tree(exchange: Exchange) -> Tree:
    """The state as it is now."""
    exchange.machine.state.commit()
    return exchange.machine.state.tree


def show_market(scales: Scales, exchange: Exchange, market: int) -> dict[str, Any]:
    """Parameters, prices and state of a listed market.

    Rates and fees are ppm; `premium` ppm of the index; `funding_rate` what a long lot pays a short one an hour, as ppm
    of the index, while the book stays as the last sample showed it; `funding` what a lot has paid since listing, in
    token units times 2^32; `auction` what that of a market which collects orders would come to now, else null.
    """
    tree, time = get_tree(exchange), exchange.machine.regs.time
    leaf = leaves.decode_market(tree.get(keys.market_key(market)))
    hourly = compute_funding(leaf, leaf.excess, phases.HOUR)
    scale = scales[market]
    shown = {
        "market": market,
        "symbol": scale.symbol,
        "base": scale.base,
        "quote": scale.quote,
        "tick_size": scale.tick.show(1),
        "lot_size": scale.lot.show(1),
        **show_parameters(leaf),
        "tiers": show_tiers(leaf),
        "best_bid": leaf.best_bid,
        "best_ask": leaf.best_ask,
        "mark": leaf.mark,
        "index": leaf.index,
        "index_time": leaf.index_time,
        "index_time_ms": leaf.index_time * MS,
        "is_fresh": is_fresh(leaf, time),
        "open_interest": str(leaf.open_interest),
        "premium": _ratio(leaf.premium, leaf.index * phases.PREMIUM_ONE),
        "funding_rate": _ratio(hourly, leaf.index * leaf.unit * phases.FUNDING_ONE),
        "funding": str(leaf.funding),
        "sampled": leaf.sampled,
        "insurance": str(leaf.insurance),
        "pool": str(leaf.pool),
        "halted_until": leaf.halted_until if leaf.halted_until > time else 0,
        "auction": show_auction(scale, tree, market, time),
        "is_settled": bool(leaf.settled),
    }
    return shown | {"decimal": _MARKET.show(shown, scale)}


def show_parameters(
    parameters: MarketParameters | ExchangeTerms, names: tuple[Field, ...] = _PARAMETERS
) -> dict[str, Any]:
    """What its listing, and the changes since, say of a market; or the last message of the exchange."""
    shown: dict[str, Any] = {}
    for field in names:
        value = getattr(parameters, field.name)
        shown[field.name] = str(value) if field.is_shown_as_text else value
    return shown


def show_terms(exchange: Exchange) -> dict[str, Any]:
    """What holds for the whole exchange: how fees fall with activity."""
    return show_parameters(State(get_tree(exchange)).terms(), _TERMS)


def show_markets(scales: Scales, exchange: Exchange) -> list[dict[str, Any]]:
    """All listed markets."""
    return [show_market(scales, exchange, market) for market in range(1, exchange.machine.regs.markets + 1)]


def show_calling(scales: Scales, exchange: Exchange) -> list[dict[str, Any]]:
    """The auctions of the markets that collect orders for one."""
    regs = exchange.machine.regs
    return list(show_auctions(scales, get_tree(exchange), regs.markets, regs.time))


def show_tiers(market: Market) -> list[dict[str, Any]]:
    """Margins by size: each tier from `size` lots on."""
    return [
        {"size": str(size), "initial_margin": initial, "maintenance_margin": maintenance}
        for size, initial, maintenance in get_tiers(market)
    ]


def show_book(scales: Scales, exchange: Exchange, market: int, depth: int) -> dict[str, Any]:
    """The best `depth` levels of both sides, best first, with the orders on them that can still trade."""
    tree, time = get_tree(exchange), exchange.machine.regs.time
    reader, scale = BookReader(tree, time), scales[market]
    return {
        "market": market,
        "symbol": scale.symbol,
        "time": time,
        "time_ms": time * MS,
        "bids": [show_level(scale, level) for level in reader.read(market, records.BUY, depth)],
        "asks": [show_level(scale, level) for level in reader.read(market, records.SELL, depth)],
    }


def show_level(scale: MarketScale, level: Level) -> dict[str, Any]:
    """One level of a book."""
    decimal = {"price": scale.tick.show(level.price), "size": scale.lot.show(level.size)}
    return {"price": level.price, "size": str(level.size), "orders": level.orders, "decimal": decimal}


def _ratio(numerator: int, denominator: int) -> float:
    """A ratio in ppm, for people: the rules count in integers."""
    return round(numerator * PPM / denominator, 3) if denominator else 0.0
