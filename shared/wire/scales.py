"""Between ticks, lots and token units, which are signed and counted, and the decimals that people and bots use; exact
both ways.

L1 knows of a market its `unit` alone: the token units that one lot is worth at one tick. Whoever names a market says
what a lot is; the tick follows, so that a wrong name cannot change what an order is worth.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, Self

from setoff.shared.errors import ConfigError, InputError

MAX_PLACES: Final = 36
"""Decimal places of a step, at most."""
_PLAIN: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)


class Step(NamedTuple):
    """What one of something is: `mantissa` × 10^-`places`."""

    mantissa: int
    places: int

    @classmethod
    def of(cls, size: Fraction | str) -> Self:
        """From its size. Raises ConfigError unless that is more than 0, and a decimal of at most MAX_PLACES places."""
        if isinstance(size, str):
            if not _PLAIN.fullmatch(size):
                raise ConfigError("bad_config", f"{size[:40]!r} is no decimal number")
            size = Fraction(size)
        places = next((places for places in range(MAX_PLACES + 1) if size * 10**places % 1 == 0), None)
        if places is None or size <= 0:
            raise ConfigError("bad_config", f"{size} is no decimal above 0 of at most {MAX_PLACES} places")
        return cls(int(size * 10**places), places)

    @property
    def size(self) -> Fraction:
        """What one is."""
        return Fraction(self.mantissa, 10**self.places)

    def show(self, count: int) -> str:
        """What so many are, without needless zeros."""
        value, places = count * self.mantissa, self.places
        if places == 0:
            return str(value)
        digits = str(abs(value)).rjust(places + 1, "0")
        fraction = digits[-places:].rstrip("0")
        text = f"{digits[:-places]}.{fraction}" if fraction else digits[:-places]
        return f"-{text}" if value < 0 else text

    def read(self, value: Decimal | str, what: str, reason: str) -> int:
        """How many are `value`. Raises InputError(`reason`) with the nearest ones if it is between two of them."""
        text = format(value, "f") if isinstance(value, Decimal) else value
        if not isinstance(text, str) or not _PLAIN.fullmatch(text):  # a float is not exact
            raise InputError(reason, f"{what} is a decimal number, as 0.5, and not {str(text)[:40]!r}")
        count = Fraction(text) / self.size
        below = count.__floor__()
        if count != below:
            near = f"{self.show(below)} or {self.show(below + 1)}"
            raise InputError(reason, f"{what} comes in steps of {self.show(1)}: {near}, and not {text}")
        return below


class MarketScale(NamedTuple):
    """A market's name, and what its ticks and lots are; `tokens`: what a token unit is of the collateral."""

    symbol: str
    base: str
    quote: str
    tick: Step
    lot: Step
    tokens: Step

    @classmethod
    def make(cls, symbol: str, base: str, quote: str, *, lot: str, unit: int, tokens: Step) -> Self:
        """Of a market whose `unit` is L1's. Raises ConfigError where the tick that follows is no decimal."""
        step = Step.of(lot)
        try:
            tick = Step.of(unit * tokens.size / step.size)
        except ConfigError:
            text = f"{symbol}: a lot of {lot} {base} makes a tick of {unit * tokens.size / step.size}, no decimal"
            raise ConfigError("bad_config", text) from None
        return cls(symbol, base, quote, tick, step, tokens)

    def is_true(self, unit: int) -> bool:
        """Whether one lot at one tick is worth what L1 says."""
        return self.tick.size * self.lot.size == unit * self.tokens.size
