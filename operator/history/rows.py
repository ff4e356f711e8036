"""Rows on their way into the database: what was derived since the last time that any were written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Table


class Span(NamedTuple):
    """A candle: which one."""

    market: int
    seconds: int
    start: int


@dataclass
class Candle:
    """A candle: what is in it."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int
    trades: int


@dataclass
class Rows:
    """`added`: by table; `orders`: what has changed of orders that are written already, by id."""

    added: dict[Table, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    candles: dict[Span, Candle] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.added or self.orders or self.candles)
