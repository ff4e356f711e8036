"""What a source of prices is: something that can be asked, and may fail."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Protocol


class Quote(NamedTuple):
    """A price, exact, and as of when (unix seconds): None where the source does not say."""

    price: Fraction
    time: float | None = None


class Source(Protocol):
    """One source. It is asked again and again, never twice at a time."""

    async def ask(self) -> Quote:
        """The price now. Raises ValueError where there is no sensible one; whatever else a library raises."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...
