"""Margin tiers as an exchange publishes them, turned into the margins of a market of ours.

The source is a JSON file in the shape that `freqtrade` ships for Binance (`binance_leverage_tiers.json`): under the
symbol of each market its brackets, ascending, with `minNotional`, `maxNotional`, `maintenanceMarginRate` and
`maxLeverage`. `presets/margin_tiers.json` holds some of them.

A market has a base and two tiers, in lots; brackets are many, and in money. So brackets are put together under three
leverages, each with the highest rate among its brackets, and sizes are counted at the highest price for which the
result is to hold. At any price up to that one, no position needs less margin than the source's brackets ask where each
part of it bears the rate of the bracket it lies in, which is what the source's deductions (`cum`) come to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import MAX_POSITION
from setoff.shared.errors import ConfigError

LEVERAGES: Final = (50, 20, 5)
"""Leverages of the base and the two tiers."""


class Bracket(NamedTuple):
    """Positions worth up to `cap` (money, not token units) need `rate` of their worth, and have at most `leverage`."""

    cap: Decimal
    rate: Decimal
    leverage: Decimal


class Tier(NamedTuple):
    """Positions up to `cap`, as in `Bracket`; margins in ppm."""

    cap: Decimal
    initial: int
    maintenance: int


def load_brackets(path: Path, symbol: str) -> list[Bracket]:
    """The brackets of a symbol. Raises ConfigError if the file is not of this shape, or has no such symbol."""
    try:
        data = json.loads(path.read_text(), parse_float=Decimal, parse_int=Decimal)
    except (OSError, ValueError) as error:
        raise ConfigError("bad_config", f"{path}: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get(symbol), list):
        known = [name for name, value in data.items() if isinstance(value, list)] if isinstance(data, dict) else []
        some = ", ".join(known[:8]) + (" …" if len(known) > 8 else "")
        raise ConfigError("bad_config", f"{path} has no tiers of {symbol}; it has {some or 'none'}")
    brackets = [_read_bracket(path, symbol, entry) for entry in data[symbol]]
    floors = [Decimal(0), *(bracket.cap for bracket in brackets)]
    for number, (entry, bracket) in enumerate(zip(data[symbol], brackets, strict=True)):
        before = brackets[max(0, number - 1)]
        if (
            entry["minNotional"] != floors[number]
            or bracket.cap <= floors[number]
            or bracket.rate < before.rate
            or bracket.leverage > before.leverage
        ):
            raise ConfigError("bad_config", f"{path}: the brackets of {symbol} do not rise from zero, one by one")
    return brackets


def choose_tiers(brackets: Sequence[Bracket], leverages: Sequence[int] = LEVERAGES) -> list[Tier]:
    """One to three tiers: each takes the brackets that allow its leverage and are not in the one before.

    Raises ConfigError if the leverages do not fall, or the first is more than the source allows.
    """
    if not 1 <= len(leverages) <= 3 or list(leverages) != sorted(set(leverages), reverse=True) or leverages[-1] < 1:
        raise ConfigError("bad_config", f"the leverages {leverages} are not one to three falling numbers")
    tiers: list[Tier] = []
    for leverage in leverages:
        within = [bracket for bracket in brackets if bracket.leverage >= leverage]
        if not within:
            raise ConfigError(
                "bad_config", f"the source allows a leverage of {brackets[0].leverage}, not of {leverage}"
            )
        if not tiers or within[-1].cap > tiers[-1].cap:
            tiers.append(Tier(within[-1].cap, -(-PPM // leverage), _to_ppm(within[-1].rate)))
    return tiers


def to_parameters(tiers: Sequence[Tier], *, unit: int, price: int, decimals: int) -> dict[str, int]:
    """The parameters of a listing that these tiers decide: margins, sizes of the tiers, the largest position.

    unit: token units a lot and tick; price: ticks, the highest for which the tiers are to hold; decimals: of the token.
    Raises ConfigError if a single lot exceeds a tier.
    """
    caps = [int(tier.cap * 10**decimals // (unit * price)) for tier in tiers]
    if caps[0] < 1:
        raise ConfigError("bad_config", f"at a price of {price} ticks a single lot is beyond the first tier")
    found = {"initial_margin": tiers[0].initial, "maintenance_margin": tiers[0].maintenance}
    for number, (tier, size) in enumerate(zip(tiers[1:], caps, strict=False), 1):
        found[f"tier{number}_size"] = size
        found[f"tier{number}_initial"] = tier.initial
        found[f"tier{number}_maintenance"] = tier.maintenance
    return found | {"max_position": min(caps[-1], MAX_POSITION)}


def _read_bracket(path: Path, symbol: str, entry: Any) -> Bracket:
    names = ("maxNotional", "maintenanceMarginRate", "maxLeverage", "minNotional")
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), Decimal) for name in names):
        raise ConfigError("bad_config", f"{path}: a bracket of {symbol} has not the numbers {', '.join(names)}")
    bracket = Bracket(entry["maxNotional"], entry["maintenanceMarginRate"], entry["maxLeverage"])
    if not 0 < bracket.rate <= 1 or bracket.leverage < 1 or bracket.rate * bracket.leverage > 1:
        raise ConfigError("bad_config", f"{path}: a bracket of {symbol} allows more leverage than its margin")
    return bracket


def _to_ppm(rate: Decimal) -> int:
    return int((rate * PPM).to_integral_value(ROUND_CEILING))
