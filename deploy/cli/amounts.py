"""Amounts as people type and read them: 12.5 stands for 12,500,000 units of the development token."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Final

DECIMALS: Final = 6
"""Of the development token."""

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


def format_amount(units: int) -> str:
    """An amount for people."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{units // 10**DECIMALS:,}.{units % 10**DECIMALS:0{DECIMALS}d}"
