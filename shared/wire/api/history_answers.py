"""What is answered of what has happened. Lists are pages: newest first, or from `after` on oldest first; `next` is what
to ask for the next page with, as `before` or `after`, None at the end."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from setoff.shared.wire.api.record_answers import Fill, Side, TimeInForce, Traded
from setoff.shared.wire.api.units import (
    Count,
    Decimals,
    Hash,
    Large,
    Lots,
    Millis,
    Nonce,
    Part,
    Seconds,
    Symbol,
    Ticks,
    Tokens,
)

Stage = Literal["executed", "closed", "posted", "claimed", "confirmed"]
"""Executed and durable; in a closed batch; on L1; its epoch claimed; its epoch's end confirmed, which is final."""
OrderStatus = Literal["open", "filled", "cancelled", "expired", "amended", "refused"]


class Trade(Traded):
    """A trade in the book, as everybody sees it."""

    value: Tokens
    decimal: Decimals


class Trades(TypedDict):
    """A page of trades."""

    trades: list[Trade]
    next: int | None


class AccountFill(Fill):
    """A fill, as one of its two accounts sees it."""

    account: Count
    is_taker: bool
    order: int | None
    """The account's order in the history, None for what the machine did."""
    record: int | None
    """The number of the record that placed it, None for one through L1."""
    client: str
    """Its client id, "0" for none."""
    value: Tokens
    fee: Tokens
    """What the account paid; below zero: a rebate."""


class AccountFills(TypedDict):
    """A page of an account's fills."""

    fills: list[AccountFill]
    next: int | None


class Liquidations(TypedDict):
    """A page of fills that the machine made of accounts in liquidation: in the book, with the backstop, or with others
    (deleveraging)."""

    fills: list[Fill]
    next: int | None


class PastOrder(TypedDict):
    """An order that was let in, and what became of it. An amended one is closed, and another replaces it."""

    order: Count
    """Its number in the history."""
    record: int | None
    """The number of the record that placed it, None for one through L1."""
    batch: Count
    input_index: Count
    time: Seconds
    time_ms: Millis
    account: Count
    order_slot: Count
    market: Count
    symbol: Symbol
    side: Side
    flags: TimeInForce
    reduce_only: bool
    price: Ticks
    size: Lots
    """What was ordered."""
    filled: Lots
    expiry: Seconds
    trigger_price: Ticks | None
    client: str
    """The trader's own id of it, "0" for none."""
    replaces: int | None
    """The order that was amended to this one."""
    status: OrderStatus
    reason: str
    """Why it was cancelled or refused, "" if its owner wanted it."""
    closed_time: int | None
    """Seconds."""
    decimal: Decimals


class PastOrders(TypedDict):
    """A page of an account's orders."""

    orders: list[PastOrder]
    next: int | None


class Candle(TypedDict):
    """What was traded in a span of time."""

    start: Seconds
    start_ms: Millis
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Lots
    value: Tokens
    trades: Count
    decimal: Decimals


class Candles(TypedDict):
    """Candles, oldest first; a span without a trade has none."""

    market: Count
    symbol: Symbol
    interval: str
    """As it was asked for."""
    candles: list[Candle]


class Price(TypedDict):
    """Index and mark from a time on."""

    time: Seconds
    time_ms: Millis
    index: Ticks
    mark: Ticks
    decimal: Decimals


class Prices(TypedDict):
    """A page of prices of a market."""

    market: Count
    symbol: Symbol
    prices: list[Price]
    next: int | None


class FundingRate(TypedDict):
    """A sample of a market's premium."""

    time: Seconds
    time_ms: Millis
    rate: Part
    """What a long lot pays a short one an hour from then on, of the index."""
    paid: Large
    """What a lot has paid since listing: token units times 2^32."""


class FundingRates(TypedDict):
    """A page of funding rates of a market."""

    market: Count
    symbol: Symbol
    rates: list[FundingRate]
    next: int | None


class LedgerEntry(TypedDict):
    """One reason for which an account's collateral changed; together they are its collateral."""

    entry: Count
    batch: Count
    input_index: Count
    time: Seconds
    time_ms: Millis
    account: Count
    kind: str
    """deposit, withdrawal, transfer, trade, fee, funding, backstop, revenue, insurance, liquidation, takeover or
    deleverage. The last two are what such a fill moved; a deleverage about nothing is the levy of whom it closed."""
    amount: Tokens
    market: int | None
    peer: int | None
    """The other account."""
    about: int | None
    """Of a trade, takeover, deleverage and fee the fill, of a withdrawal its index."""
    decimal: Decimals


class Ledger(TypedDict):
    """A page of an account's ledger."""

    account: Count
    entries: list[LedgerEntry]
    next: int | None


class Landing(TypedDict):
    """Where L1 has it."""

    transaction: Hash
    block: Count


class PastBatch(TypedDict):
    """A closed batch, and how far it is."""

    batch: Count
    time: Seconds
    time_ms: Millis
    first_record: Count
    records: Count
    first_message: Count
    messages: Count
    end: Hash
    """The machine's hash after it."""
    epoch: Count
    """Claims are of epochs."""
    stage: Stage
    posted: Landing | None
    claimed: Landing | None
    confirmed: Landing | None


class PastBatches(TypedDict):
    """A page of batches."""

    batches: list[PastBatch]
    next: int | None


class PastRecord(TypedDict):
    """A record that was taken, and how far it is."""

    sequence: Count
    batch: Count
    input_index: Count
    time: Seconds
    time_ms: Millis
    type: Count
    account: Count
    """0 for a report or a crank, which no account sends."""
    nonce: Nonce
    agent: Count
    outcome: str
    hash: Hash
    """Of its 124 bytes, as its receipt has it."""
    stage: Stage


class PastRecords(TypedDict):
    """A page of an account's records."""

    records: list[PastRecord]
    next: int | None


class Lookup(TypedDict):
    """What is known of a client id or a nonce of an account."""

    account: Count
    records: list[PastRecord]
    orders: list[PastOrder]
