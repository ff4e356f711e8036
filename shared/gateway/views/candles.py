"""Candles: of the intervals that bots ask for, put together of those that the exchange keeps."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from setoff.shared.gateway.assets import Asset, Json, Universe
from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.gateway.views.spans import read_span
from setoff.shared.sdk import SetoffClient

KEPT: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
"""Intervals of the exchange's own."""
MADE: Final = {
    "3m": "1m", "30m": "15m", "2h": "1h", "8h": "4h", "12h": "4h", "3d": "1d", "1w": "1d", "1M": "1d",
}  # fmt: skip
"""The others, each with the one that it is made of."""
SECONDS: Final = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400, "8h": 28800,
    "12h": 43200, "1d": 86400, "3d": 259200, "1w": 604800,
}  # fmt: skip
MOST: Final = 5000
"""Candles that are shown at once."""
PAGE: Final = 1000
_MONDAY: Final = 4 * 86400
"""The first one after the epoch, seconds."""


def find_base(interval: object) -> str:
    """The exchange's interval that it is made of. Raises Misshapen."""
    if interval in KEPT:
        return str(interval)
    if not isinstance(interval, str) or interval not in MADE:
        raise Misshapen(f"candles: an interval is one of {', '.join((*KEPT, *MADE))}")
    return MADE[interval]


def find_bucket(interval: str, at: int) -> tuple[int, int]:
    """The first and the last second of the candle that holds `at` (seconds)."""
    if interval == "1M":
        day = datetime.fromtimestamp(at, UTC)
        first = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return int(first.timestamp()), int(following.timestamp()) - 1
    seconds = SECONDS[interval]
    offset = _MONDAY if interval == "1w" else 0
    start = (at - offset) // seconds * seconds + offset
    return start, start + seconds - 1


def fold(candles: Iterable[Mapping[str, Any]], interval: str) -> list[Json]:
    """Candles of ours, oldest first, as fewer and longer ones, in ticks and lots."""
    found: list[Json] = []
    for candle in candles:
        first, last = find_bucket(interval, int(candle["start"]))
        volume, trades = int(candle["volume"]), int(candle["trades"])
        high, low, close = int(candle["high"]), int(candle["low"]), int(candle["close"])
        if not found or found[-1]["first"] != first:
            found.append({"first": first, "last": last, "open": int(candle["open"]), "high": high, "low": low,
                          "close": close, "volume": volume, "trades": trades})  # fmt: skip
            continue
        one = found[-1]
        one |= {"high": max(one["high"], high), "low": min(one["low"], low), "close": close}
        one |= {"volume": one["volume"] + volume, "trades": one["trades"] + trades}
    return found


def show_candle(asset: Asset, interval: str, candle: Mapping[str, Any]) -> Json:
    """One of `fold`."""
    return {
        "t": candle["first"] * 1000,
        "T": candle["last"] * 1000 + 999,
        "s": asset.coin,
        "i": interval,
        "o": asset.show_price(candle["open"]),
        "c": asset.show_price(candle["close"]),
        "h": asset.show_price(candle["high"]),
        "l": asset.show_price(candle["low"]),
        "v": asset.show_size(candle["volume"]),
        "n": candle["trades"],
    }


async def read_candles(client: SetoffClient, asset: Asset, interval: str, first: int, last: int) -> list[Json]:
    """Those of a market between two times (seconds), the latest MOST, oldest first. Raises Misshapen."""
    base = find_base(interval)
    begin = find_bucket(interval, max(first, 0))[0]
    kept: list[Json] = []
    end = last
    while True:
        page = await client.history("candles", asset.market, interval=base, first=begin, last=max(end, 0), limit=PAGE)
        kept = [*page["candles"], *kept]
        if len(page["candles"]) < PAGE or len(kept) >= MOST * 60:
            break
        end = int(page["candles"][0]["start"]) - 1
    return [show_candle(asset, interval, candle) for candle in fold(kept, interval)[-MOST:]]


async def show_snapshot(client: SetoffClient, universe: Universe, request: Mapping[str, Any]) -> list[Json]:
    """The answer to `candleSnapshot`. Raises Misshapen, BotError."""
    asked = request.get("req")
    if not isinstance(asked, Mapping):
        raise Misshapen("candleSnapshot: 'req' is an object")
    asset = await universe.find(asked.get("coin"))
    first, last = read_span(asked)
    find_base(asked.get("interval"))
    return await read_candles(client, asset, str(asked["interval"]), first // 1000, last // 1000)


async def read_day(client: SetoffClient, universe: Universe, asset: Asset) -> dict[str, str]:
    """What was traded in the last day: the first price ("" for none), the value, the volume, as decimals."""
    since = int(time.time()) - 86400
    page = await client.history("candles", asset.market, interval="1h", first=since, limit=25)
    candles = page["candles"]
    return {
        "open": asset.show_price(int(candles[0]["open"])) if candles else "",
        "value": universe.show_amount(sum(int(candle["value"]) for candle in candles)),
        "volume": asset.show_size(sum(int(candle["volume"]) for candle in candles)),
    }
