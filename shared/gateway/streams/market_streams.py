"""What happens in markets, as bots subscribe to it: each stream yields the data of its messages."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from setoff.shared.errors import StateError
from setoff.shared.gateway.assets import Asset, Json
from setoff.shared.gateway.house import House
from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.gateway.views import candles
from setoff.shared.gateway.views.market_views import read_digits, show_book, show_levels, show_trade, to_levels

Subscription = Mapping[str, Any]
LOOK: Final = 0.5
"""Seconds between looks at what the exchange does not push."""


async def _find(house: House, subscription: Subscription) -> Asset:
    return await house.universe.find(subscription.get("coin"))


async def stream_book(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`l2Book`: the best levels, whole, each time that one changes."""
    asset, digits = await _find(house, subscription), read_digits(subscription)
    sides: tuple[dict[int, tuple[int, int, int]], ...] = ({}, {})
    last = -1
    async for message in house.client.subscribe("book", market=asset.market, patience=math.inf):
        data = message["data"]
        if data["kind"] == "snapshot":
            sides = ({}, {})
        elif data["sequence"] != last + 1:
            raise StateError("not_ready", f"the book of {asset.coin} has a gap")  # it is subscribed to anew
        last = data["sequence"]
        for side, levels in zip(sides, (data["bids"], data["asks"]), strict=True):
            for level in to_levels(levels):
                if level[1]:
                    side[level[0]] = level
                else:
                    side.pop(level[0], None)
        bids = [sides[0][price] for price in sorted(sides[0], reverse=True)]
        asks = [sides[1][price] for price in sorted(sides[1])]
        yield show_book(asset, int(data["time_ms"]), bids, asks, digits)


async def stream_best(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`bbo`: the best level of each side."""
    asset = await _find(house, subscription)
    async for message in house.client.subscribe("best", market=asset.market, patience=math.inf):
        data = message["data"]
        sides = [data["bid"], data["ask"]]
        best = [None if side is None else show_levels(asset, to_levels([side]))[0] for side in sides]
        yield {"coin": asset.coin, "time": int(data["time_ms"]), "bbo": best}


async def stream_trades(house: House, subscription: Subscription) -> AsyncIterator[list[Json]]:
    """`trades`: a list for each."""
    asset = await _find(house, subscription)
    async for message in house.client.subscribe("trades", market=asset.market, patience=math.inf):
        yield [show_trade(asset, message["data"])]


async def stream_candles(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`candle`: that which trades are in now, put together of ours where the interval is none of the exchange's."""
    asset, interval = await _find(house, subscription), str(subscription.get("interval"))
    base = candles.find_base(interval)
    kept: dict[int, Json] = {}
    async for message in house.client.subscribe("candles", market=asset.market, interval=base, patience=math.inf):
        candle = message["data"]["candle"]
        first = candles.find_bucket(interval, int(candle["start"]))[0]
        if base != interval and (not kept or min(kept) < first):
            page = await house.client.history("candles", asset.market, interval=base, first=first, limit=1000)
            kept = {int(each["start"]): each for each in page["candles"]}
        elif base == interval:
            kept.clear()
        kept[int(candle["start"])] = candle
        whole = candles.fold([kept[start] for start in sorted(kept)], interval)[-1]
        yield candles.show_candle(asset, interval, whole)


async def stream_mids(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`allMids`: the middles of all assets, when one has changed."""
    if subscription.get("dex") not in ("", None):
        raise Misshapen("allMids: there is no other exchange here")
    last: Json | None = None
    while True:
        mids = await house.markets.mids()
        if mids != last:
            last = dict(mids)
            yield {"mids": mids}
        await asyncio.sleep(LOOK)


async def stream_context(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`activeAssetCtx`: an asset as it is, when that has changed."""
    asset = await _find(house, subscription)
    last: Json | None = None
    while True:
        context = await house.markets.context(asset)
        if context != last:
            last = context
            yield {"coin": asset.coin, "ctx": context}
        await asyncio.sleep(LOOK)
