"""Markets as bots are shown them: what there is, prices, books, candles, funding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from setoff.shared.codec.integers import PPM
from setoff.shared.gateway.assets import COLLATERAL, Asset, Json, Universe
from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.gateway.views.account_views import show_part
from setoff.shared.gateway.views.candles import read_day
from setoff.shared.gateway.views.spans import read_span
from setoff.shared.sdk import SetoffClient

DEPTH: Final = 20
"""Levels of a side of a book."""
WIDE: Final = 1000
"""Levels that are put together to fewer digits."""
DAY_KEPT: Final = 5.0
"""Seconds for which what was traded in a day is shown again."""
FUNDINGS: Final = 500
HOUR: Final = 3600
TOKEN: Final = 0
"""Number of the collateral among the tokens."""


def show_meta(universe: Universe, markets: Sequence[Mapping[str, Any]]) -> Json:
    """The assets."""
    shown = []
    for asset, market in zip(universe.assets, markets, strict=True):
        one: Json = {
            "name": asset.coin,
            "szDecimals": asset.scale.lot.places,
            "maxLeverage": asset.leverage,
            "marginTableId": asset.leverage,
        }
        shown.append(one | ({"isDelisted": True} if market["is_settled"] else {}))
    tables = [
        [leverage, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": leverage}]}]
        for leverage in sorted({asset.leverage for asset in universe.assets})
    ]
    return {"universe": shown, "marginTables": tables, "collateralToken": TOKEN}


def show_spot_meta(universe: Universe) -> Json:
    """There are no spot markets; the tokens are the collateral, and what the markets are about."""
    places = {asset.scale.base: asset.scale.lot.places for asset in universe.assets}
    tokens = [(COLLATERAL, universe.scales.tokens.places), *((base, places[base]) for base in universe.bases)]
    shown = [
        {"name": name, "szDecimals": decimals, "weiDecimals": decimals, "index": number, "isCanonical": True,
         "tokenId": f"0x{number:032x}", "evmContract": None, "fullName": None}
        for number, (name, decimals) in enumerate(tokens)
    ]  # fmt: skip
    return {"universe": [], "tokens": shown}


def show_context(asset: Asset, market: Mapping[str, Any], day: Mapping[str, str]) -> Json:
    """An asset as it is now; `day`: what was traded in the last one."""
    bid, ask, mark, index = (int(market[name]) for name in ("best_bid", "best_ask", "mark", "index"))
    has_both = bid and ask
    return {
        "funding": show_rate(market["funding_rate"]),
        "openInterest": asset.show_size(int(market["open_interest"])),
        "prevDayPx": day["open"] or asset.show_price(mark),
        "dayNtlVlm": day["value"],
        "dayBaseVlm": day["volume"],
        "premium": show_rate(market["premium"]),
        "oraclePx": asset.show_price(index),
        "markPx": asset.show_price(mark),
        "midPx": asset.show_middle(bid, ask) if has_both else None,
        "impactPxs": [asset.show_price(bid), asset.show_price(ask)] if has_both else None,
    }


def show_mids(universe: Universe, markets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The middle of the best prices of each asset, its mark where a side is empty."""
    mids = {}
    for asset, market in zip(universe.assets, markets, strict=True):
        bid, ask = int(market["best_bid"]), int(market["best_ask"])
        mids[asset.coin] = asset.show_middle(bid, ask) if bid and ask else asset.show_price(int(market["mark"]))
    return mids


def show_levels(asset: Asset, levels: Iterable[tuple[int, int, int]]) -> list[Json]:
    """Levels (ticks, lots, orders)."""
    return [{"px": asset.show_price(price), "sz": asset.show_size(size), "n": orders} for price, size, orders in levels]


def show_book(
    asset: Asset, time_ms: int, bids: Sequence[tuple[int, int, int]], asks: Sequence[tuple[int, int, int]], digits: int
) -> Json:
    """A book of levels (ticks, lots, orders), best first; `digits`: significant ones of its prices, 0 for all."""
    sides = [bids, asks]
    if digits:
        sides = [gather(asset, bids, digits, is_up=False), gather(asset, asks, digits, is_up=True)]
    return {
        "coin": asset.coin,
        "time": time_ms,
        "levels": [show_levels(asset, side[:DEPTH]) for side in sides],
    }


def gather(
    asset: Asset, levels: Sequence[tuple[int, int, int]], digits: int, *, is_up: bool
) -> list[tuple[int, int, int]]:
    """Levels put together to prices of so many significant digits: bids to the one below, asks to the one above."""
    found: dict[int, tuple[int, int]] = {}
    for price, size, orders in levels:
        step = max(10 ** (len(str(price)) - digits), 1)
        to = -(-price // step) * step if is_up else price // step * step
        before = found.get(to, (0, 0))
        found[to] = before[0] + size, before[1] + orders
    return [(price, size, orders) for price, (size, orders) in found.items()]


def read_digits(request: Mapping[str, Any]) -> int:
    """`nSigFigs` of a request for a book, 0 without it. Raises Misshapen."""
    digits, mantissa = request.get("nSigFigs"), request.get("mantissa")
    if digits not in (None, 2, 3, 4, 5) or mantissa not in (None, 1):
        raise Misshapen("l2Book: 'nSigFigs' is 2, 3, 4, 5 or null, 'mantissa' 1 or null")
    return int(digits or 0)


def to_levels(shown: Iterable[Mapping[str, Any]]) -> list[tuple[int, int, int]]:
    """Levels of ours: ticks, lots, orders."""
    return [(int(level["price"]), int(level["size"]), int(level["orders"])) for level in shown]


class MarketViews:
    """Shows the markets of one exchange."""

    def __init__(self, client: SetoffClient, universe: Universe) -> None:
        self._client = client
        self._universe = universe
        self._days: dict[int, tuple[float, Json]] = {}

    async def contexts(self) -> list[Json]:
        """Of all assets."""
        markets = await self._universe.markets()
        assets = self._universe.assets
        days = await asyncio.gather(*map(self._read_day, assets))
        return [show_context(asset, market, day) for asset, market, day in zip(assets, markets, days, strict=True)]

    async def context(self, asset: Asset) -> Json:
        """Of one."""
        market = (await self._universe.markets())[asset.number]
        return show_context(asset, market, await self._read_day(asset))

    async def _read_day(self, asset: Asset) -> Json:
        before = self._days.get(asset.market)
        if before is not None and time.monotonic() < before[0] + DAY_KEPT:
            return before[1]
        day = await read_day(self._client, self._universe, asset)
        self._days[asset.market] = time.monotonic(), day
        return day

    async def meta(self) -> Json:
        """What there is."""
        return show_meta(self._universe, await self._universe.markets())

    async def mids(self) -> dict[str, str]:
        """Middles by coin."""
        return show_mids(self._universe, await self._universe.markets())

    async def book(self, request: Mapping[str, Any]) -> Json:
        """The best levels of a market."""
        asset, digits = await self._universe.find(request.get("coin")), read_digits(request)
        shown = await self._client.book(asset.market, depth=WIDE if digits else DEPTH)
        bids, asks = to_levels(shown["bids"]), to_levels(shown["asks"])
        return show_book(asset, int(shown["time_ms"]), bids, asks, digits)

    async def trades(self, asset: Asset) -> list[Json]:
        """The latest trades of a market, newest first."""
        shown = await self._client.history("trades", asset.market, limit=100)
        return [show_trade(asset, trade) for trade in shown["trades"]]

    async def funding(self, request: Mapping[str, Any]) -> list[Json]:
        """Funding rates of a market, one an hour: the last sample in it."""
        asset = await self._universe.find(request.get("coin"))
        first, last = read_span(request)
        hours: dict[int, Json] = {}
        before: int | None = None
        while len(hours) <= FUNDINGS:
            page = {} if before is None else {"before": before}
            shown = await self._client.history("funding", asset.market, limit=1000, **page)
            for rate in shown["rates"]:
                hours.setdefault(int(rate["time"]) // HOUR, rate)
            before = shown["next"]
            if before is None or shown["rates"][-1]["time_ms"] < first:
                break
        found = [
            {
                "coin": asset.coin,
                "fundingRate": show_rate(rate["rate"]),
                "premium": show_rate(8 * float(rate["rate"])),  # an eighth of the premium is paid an hour
                "time": int(rate["time_ms"]),
            }
            for _, rate in sorted(hours.items())
            if first <= int(rate["time_ms"]) <= last
        ]
        return found[:FUNDINGS]


def show_trade(asset: Asset, trade: Mapping[str, Any]) -> Json:
    """A trade as everybody sees it. Which record made it is not said: `hash` is nothing."""
    return {
        "coin": asset.coin,
        "side": "B" if trade["side"] == "buy" else "A",
        "px": asset.show_price(int(trade["price"])),
        "sz": asset.show_size(int(trade["size"])),
        "time": int(trade["time_ms"]),
        "hash": "0x" + "00" * 32,
        "tid": int(trade["fill"]),
        "users": ["0x" + "00" * 20, "0x" + "00" * 20],
    }


def show_rate(ppm: Any) -> str:
    """A part that is told in ppm, as a decimal of one."""
    return show_part(Fraction(str(ppm)) / PPM)
