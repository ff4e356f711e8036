"""Candles, made of the trades in the book as they come."""

from __future__ import annotations

from typing import Final

from setoff.operator.history.rows import Candle, Rows, Span

INTERVALS: Final = {"1s": 1, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
"""Seconds of each."""


def add_trade(rows: Rows, market: int, time: int, price: int, size: int, value: int) -> None:
    """Count a trade in every candle that it is in; `value`: token units."""
    for seconds in INTERVALS.values():
        span = Span(market, seconds, time - time % seconds)
        candle = rows.candles.get(span)
        if candle is None:
            rows.candles[span] = Candle(price, price, price, price, size, value, 1)
        else:
            join(candle, Candle(price, price, price, price, size, value, 1))


def join(candle: Candle, later: Candle) -> None:
    """Add what came later of the same span."""
    candle.high = max(candle.high, later.high)
    candle.low = min(candle.low, later.low)
    candle.close = later.close
    candle.volume += later.volume
    candle.value += later.value
    candle.trades += later.trades
