"""What an account has and does, in decimals: prices in quote per base, sizes in base, money in the collateral's.

Made from the API's answers (`wire/api/`), whose `decimal` has them exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self


def _read(shown: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(shown["decimal"][name])


def _read_any(shown: Mapping[str, Any], name: str) -> Decimal | None:
    text = shown["decimal"].get(name)
    return None if text is None else Decimal(text)


@dataclass(frozen=True, slots=True)
class Execution:
    """A trade: the taker's side, and what it was made at."""

    fill: int
    """Its number at the exchange."""
    market: int
    symbol: str
    side: str
    price: Decimal
    size: Decimal
    kind: str
    """"trade", or how the machine made it."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Self:
        """From a fill of the API's."""
        price, size = _read(shown, "price"), _read(shown, "size")
        return cls(shown["fill"], shown["market"], shown["symbol"], shown["side"], price, size, shown["kind"])


@dataclass(frozen=True, slots=True)
class Position:
    """A position, or orders for one."""

    market: int
    symbol: str
    size: Decimal
    """Below zero for a short one."""
    entry_price: Decimal | None
    mark: Decimal
    value: Decimal
    profit: Decimal
    maintenance: Decimal
    """Its maintenance margin."""
    liquidation_price: Decimal | None
    """The mark at which the account is liquidated if all else stays."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Self:
        """From a position of the API's."""
        entry = shown["entry_price"]
        return cls(
            shown["market"],
            shown["symbol"],
            _read(shown, "size"),
            None if entry is None else Decimal(entry),
            _read_any(shown, "mark") or Decimal(),
            _read(shown, "value"),
            _read(shown, "profit"),
            _read(shown, "maintenance"),
            _read_any(shown, "liquidation_price"),
        )


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that can still trade."""

    order_slot: int
    market: int
    symbol: str
    side: str
    price: Decimal
    size: Decimal
    """What is left of it."""
    client: int
    """The trader's own id of it, 0 for none."""
    trigger_price: Decimal | None
    """None unless it is armed."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Self:
        """From an order of the API's."""
        return cls(
            shown["order_slot"],
            shown["market"],
            shown["symbol"],
            shown["side"],
            _read(shown, "price"),
            _read(shown, "size"),
            int(shown["client"]),
            _read_any(shown, "trigger_price"),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """An account or sub-account, after the funding that is due."""

    account: int
    collateral: Decimal
    equity: Decimal
    free: Decimal
    """Equity beyond the initial margin of positions and orders."""
    maintenance: Decimal
    buffer: Decimal
    """Equity beyond the maintenance margin; it is liquidated below zero."""
    withdrawable: Decimal
    """What may leave now; the rest of `free` from `more_at` on, all of it from `all_at` on (seconds; 0: now)."""
    more_at: int
    all_at: int
    is_fresh: bool
    """Whether all its markets' prices are new enough."""
    positions: tuple[Position, ...]
    orders: tuple[OpenOrder, ...]

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Self:
        """From an account of the API's."""
        leaving = shown["exit"]
        return cls(
            shown["account"],
            _read(shown, "collateral"),
            _read(shown, "equity"),
            _read(shown, "free"),
            _read(shown, "maintenance"),
            _read(shown, "buffer"),
            _read(leaving, "now"),
            leaving["more_at"],
            leaving["all_at"],
            shown["is_fresh"],
            tuple(Position.read(each) for each in shown["positions"]),
            tuple(OpenOrder.read(each) for each in shown["orders"]),
        )

    def find(self, market: int | str) -> Position | None:
        """The position in a market, by number or symbol."""
        return next((each for each in self.positions if market in (each.market, each.symbol)), None)
