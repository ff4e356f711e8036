"""What people call a deployment's collateral and markets. L1 has numbers alone: these names are the deployment file's,
in its member `names`, and where it has none they are made by rule.

    "names": {"collateral": {"symbol": "USDC", "decimals": 6},
              "markets": [{"market": 1, "symbol": "BTC-PERP", "base": "BTC", "lot": "0.0001"}]}

A name says what a lot is; what a tick is follows from that and from the market's `unit`, which is L1's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from setoff.shared.errors import ConfigError

SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9]{0,30}(-[A-Z0-9]{1,30}){0,3}", re.ASCII)
MADE: Final = re.compile(r"M([0-9]+)-(PERP|[0-9]{8})", re.ASCII)
"""Symbols that the rule makes."""
CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,30}", re.ASCII)
_LOT: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
MAX_DECIMALS: Final = 36


@dataclass(frozen=True, slots=True)
class Collateral:
    """The token: a token unit is 10^-`decimals` of what `symbol` names."""

    symbol: str = "USD"
    decimals: int = 6


@dataclass(frozen=True, slots=True)
class MarketName:
    """Market number `market`: a lot is `lot` (a decimal) of `base`."""

    market: int
    symbol: str
    base: str
    lot: str


@dataclass(frozen=True, slots=True)
class MarketNames:
    """All names of a deployment."""

    collateral: Collateral = Collateral()
    markets: tuple[MarketName, ...] = ()

    def find(self, market: int, expiry: int = 0) -> MarketName:
        """The name of a market; without one M7-PERP, or M7-20261225 if it expires, whose lot is 1."""
        for name in self.markets:
            if name.market == market:
                return name
        end = datetime.fromtimestamp(min(expiry, 2**37), UTC).strftime("%Y%m%d") if expiry else "PERP"
        return MarketName(market, f"M{market}-{end}", f"M{market}", "1")

    @classmethod
    def read(cls, data: Any) -> Self:
        """From the file's member, None for none. Raises ConfigError."""
        if data is None:
            return cls()
        coin = _members(data, "names", {"collateral": dict, "markets": list}).get("collateral", {})
        coin = _members(coin, "names.collateral", {"symbol": str, "decimals": int})
        collateral = Collateral(**coin)
        if not CURRENCY.fullmatch(collateral.symbol) or not 0 <= collateral.decimals <= MAX_DECIMALS:
            raise _refuse("names.collateral has a symbol, as USDC, and 0 to 36 decimals")
        markets = tuple(_read_market(entry) for entry in data.get("markets", []))
        for name in markets:
            if (made := find_made(name.symbol)) not in (None, name.market):
                raise _refuse(f"the rule calls market {made} {name.symbol}: no other can be called so")
        for values in ([name.market for name in markets], [name.symbol for name in markets]):
            if len(set(values)) < len(values):
                raise _refuse("names.markets has a market or a symbol twice")
        return cls(collateral, markets)


def find_made(symbol: str) -> int | None:
    """The number of the market that the rule calls so, None for a symbol that it does not make."""
    made = MADE.fullmatch(symbol)
    return int(made[1]) if made else None


def _read_market(entry: Any) -> MarketName:
    members = _members(entry, "an entry of names.markets", {"market": int, "symbol": str, "base": str, "lot": str})
    members.setdefault("lot", "1")
    if "symbol" not in members or members.get("market", 0) < 1:
        raise _refuse("an entry of names.markets has a market's number and a symbol")
    members.setdefault("base", str(members["symbol"]).partition("-")[0])
    name = MarketName(**members)
    if not SYMBOL.fullmatch(name.symbol) or not SYMBOL.fullmatch(name.base):
        raise _refuse(f"a symbol is of capital letters, digits and dashes, as BTC-PERP: {name.symbol[:40]!r} is not")
    if not _LOT.fullmatch(name.lot) or not name.lot.strip("0."):
        raise _refuse(f"the lot of {name.symbol} is a decimal number above 0, as a text: {name.lot[:40]!r} is not")
    return name


def _members(data: Any, where: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    """The members of an object, each of its kind. Raises ConfigError."""
    if not isinstance(data, Mapping):
        raise _refuse(f"{where} is no object")
    for name, value in data.items():
        if name not in kinds:
            raise _refuse(f"{where} has no member {name[:40]!r}")
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            raise _refuse(f"{where}: {name} is of the wrong type")
    return dict(data)


def _refuse(text: str) -> ConfigError:
    return ConfigError("bad_config", f"deployment: {text}")
