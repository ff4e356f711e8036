"""What is answered about risk: who is nearest to liquidation in a market, and who is closed against first."""

from __future__ import annotations

from typing_extensions import TypedDict

from setoff.shared.wire.api.units import Count, Decimals, Large, Lots, Millis, Part, Ppm, Seconds, Symbol, Ticks, Tokens


class Rung(TypedDict):
    """A position that a price would liquidate."""

    account: Count
    """0 is the backstop vault's."""
    size: Lots
    """Below zero for a short one."""
    profit: Tokens
    liquidation_price: Ticks
    """The mark at which the account is liquidated if all else stays; the mark itself where it is below its maintenance
    margin already."""
    distance: Ppm
    """From the mark to that."""
    equity: Tokens
    """The account's, after the funding that is due, as the next."""
    maintenance: Tokens
    decimal: Decimals


class Ranked(TypedDict):
    """A position in the ranking for deleveraging."""

    account: Count
    size: Lots
    profit: Tokens
    equity: Tokens
    score: Large
    """The machine's: 2^32 times profit to cost times worth to equity, and 2^16, for a position in profit; 2^16 and less
    for one in loss. Of equal ones the lower account is first."""
    factor: Part
    """The same for people: profit to cost times worth to equity, 0 for a position in loss."""
    decimal: Decimals


class Risk(TypedDict):
    """Of all accounts those that are first in a market, by the rules themselves."""

    market: Count
    symbol: Symbol
    as_of_ms: Millis
    """When the exchange was so, by the operator's clock: one answer is made for all who ask, every few seconds at the
    most, more rarely where there are very many accounts."""
    time: Seconds
    """The exchange's, at that moment."""
    time_ms: Millis
    mark: Ticks
    longs: Count
    """Positions; so the next."""
    shorts: Count
    nearest: list[Rung]
    """The 50 whose liquidation is nearest to the mark, nearest first."""
    ranked_longs: list[Ranked]
    """The 50 that are closed against first if a short position cannot pay, in that order."""
    ranked_shorts: list[Ranked]
    """The same if a long one cannot."""
    decimal: Decimals
