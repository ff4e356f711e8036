"""What is answered about markets: their terms and prices, books, auctions."""

from __future__ import annotations

from typing_extensions import TypedDict

from setoff.shared.wire.api.units import (
    Count,
    Decimal,
    Decimals,
    Large,
    Lots,
    Millis,
    Part,
    Ppm,
    Seconds,
    Symbol,
    Ticks,
    Tokens,
)


class Tier(TypedDict):
    """Margins of the lots from `size` on."""

    size: Lots
    initial_margin: Ppm
    maintenance_margin: Ppm


class Call(TypedDict):
    """The auction of a market that collects orders for one."""

    until: Seconds
    until_ms: Millis
    price: Ticks | None
    """What it would clear at if it were held now, None if nothing would trade."""
    volume: Lots
    surplus: Lots
    """Lots that are bid beyond that at its price; below zero: offered."""
    decimal: Decimals


class Auction(Call):
    """One market's."""

    market: Count
    symbol: Symbol


class Market(TypedDict):
    """A listed market; the parameters of its listing are members, too."""

    market: Count
    """Its number, which is what is signed."""
    symbol: Symbol
    base: str
    quote: str
    tick_size: Decimal
    """What a tick is, in quote per base. With `lot_size` it gives L1's `unit`: a client checks that."""
    lot_size: Decimal
    """What a lot is, in base."""
    tiers: list[Tier]
    best_bid: Ticks
    """0 for none, as the next."""
    best_ask: Ticks
    mark: Ticks
    index: Ticks
    """0 before the first price."""
    index_time: Seconds
    index_time_ms: Millis
    is_fresh: bool
    """Whether the index is new enough to trade by."""
    open_interest: Lots
    premium: Part
    """Of the index."""
    funding_rate: Part
    """What a long lot pays a short one an hour, of the index, while the book stays as the last sample showed it."""
    funding: Large
    """What a lot has paid since listing: token units times 2^32."""
    sampled: Seconds
    """When the premium was sampled last."""
    insurance: Tokens
    pool: Tokens
    halted_until: Seconds
    """0 for a market that trades."""
    auction: Call | None
    is_settled: bool
    decimal: Decimals


class Terms(TypedDict):
    """What holds for the whole exchange: how fees fall with activity, who gets them, how margins rise."""


class Markets(TypedDict):
    """All markets."""

    markets: list[Market]
    terms: Terms


class Level(TypedDict):
    """The living orders at one price."""

    price: Ticks
    size: Lots
    orders: Count
    decimal: Decimals


class Book(TypedDict):
    """The best levels of both sides, best first."""

    market: Count
    symbol: Symbol
    time: Seconds
    """The exchange's."""
    time_ms: Millis
    bids: list[Level]
    asks: list[Level]
