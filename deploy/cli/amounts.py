"""Amounts as people type and read them: 12.5 stands for 12,500,000 units of a token of six decimals."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Final, NamedTuple

from setoff.shared.errors import InputError

DECIMALS: Final = 6
"""Of the development token, and of what can be typed."""

_AMOUNT: Final = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?(\.[0-9]+)?(?<=[0-9])", re.ASCII)


def parse_amount(text: str) -> int:
    """Token units of a decimal amount, 1000.5 or 1,000.5: a comma parts thousands. Raises ArgumentTypeError."""
    whole, _, part = text.partition(".")
    if not _AMOUNT.fullmatch(text) or len(part) > DECIMALS:
        raise ArgumentTypeError(
            f"'{text}' is no amount: type it as 100, 12.5 or 1,000.5, with {DECIMALS} decimals at most"
        )
    whole = whole.replace(",", "")
    return int((whole or "0") + part.ljust(DECIMALS, "0"))


def format_amount(units: int, decimals: int = DECIMALS) -> str:
    """An amount for people."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    whole, part = divmod(units, 10**decimals)
    return f"{sign}{whole:,}.{part:0{decimals}d}" if decimals else f"{sign}{whole:,}"


class Money(NamedTuple):
    """A deployment's collateral: its symbol, and the decimals that a token unit is of it."""

    symbol: str
    decimals: int

    def read(self, typed: int) -> int:
        """Token units of what `parse_amount` has read. Raises InputError for more places than the token has."""
        scale: int = 10**self.decimals
        units, rest = divmod(typed * scale, 10**DECIMALS)
        if rest:
            raise InputError("amount_out_of_range", f"{self.symbol} has {self.decimals} decimals, not as many as typed")
        return units

    def show(self, units: int) -> str:
        """With the symbol."""
        return f"{format_amount(units, self.decimals)} {self.symbol}"
