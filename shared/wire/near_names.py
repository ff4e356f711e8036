"""What was meant by the name of a market that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_NAMED: Final = 10
"""Markets that are named to whoever asks for another."""
LONGEST: Final = 40
"""Characters of what was asked for that are said again."""


def tell_no_market(asked: int | str, symbols: Sequence[str]) -> str:
    """That there is none, which one may be meant, and which there are."""
    text = str(asked)[:LONGEST]
    begins = [symbol for symbol in symbols if symbol.partition("-")[0] == text.partition("-")[0].upper()]
    meant = f" (did you mean {begins[0]}?)" if begins else ""
    return f"there is no market {text}{meant}; there are {', '.join(symbols[:MAX_NAMED]) or 'none yet'}"
