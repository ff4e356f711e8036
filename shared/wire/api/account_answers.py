"""What is answered about accounts: money, health, positions, orders, agents; and the backstop vault."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from setoff.shared.wire.api.record_answers import SelfTrade, Side, TimeInForce
from setoff.shared.wire.api.units import (
    Address,
    Count,
    Decimals,
    Lots,
    Nonce,
    Ppm,
    Seconds,
    Shares,
    Symbol,
    Ticks,
    Tokens,
)


class Exit(TypedDict):
    """What of `free` may leave the account."""

    now: Tokens
    more_at: Seconds
    """When more may leave, 0: all of it now, as the next."""
    all_at: Seconds
    decimal: Decimals


class Request(TypedDict):
    """What an account has asked of the backstop."""

    kind: Literal["deposit", "withdraw"]
    amount: NotRequired[Tokens]
    shares: NotRequired[Shares]
    due: Seconds
    """From then on it is settled with the next price."""


class Position(TypedDict):
    """A position, or orders for one."""

    market: Count
    symbol: Symbol
    size: Lots
    """Below zero for a short one."""
    cost: Tokens
    """What its lots were worth when they were traded."""
    bids: Lots
    asks: Lots
    orders: Count
    mark: Ticks
    value: Tokens
    profit: Tokens
    maintenance: Tokens
    """Its maintenance margin."""
    initial: Tokens
    """Its initial margin, of the most that it comes to if its orders fill; with `kept` of all positions this is the
    account's `requirement`."""
    kept: Tokens
    """What it needs beside that for being kept: an order margin, and one for each of its orders."""
    liquidation_price: Ticks | None
    """The mark at which the account is liquidated if all else stays; None if there is none."""
    distance: Ppm | None
    """From the mark to that."""
    entry_price: str | None
    """What a lot has cost on average, as a decimal in quote per base, rounded to a thousandth of a tick; None without
    a position."""
    decimal: Decimals


class Agent(TypedDict):
    """A key that may trade for the account's owner, and what for; empty lists: for everything."""

    agent: Count
    key: Address
    expiry: Seconds
    subs: list[Count]
    kinds: list[str]
    markets: list[Count]
    closes_only: bool
    max_size: Lots
    """Of one order, 0: any."""
    session: Count
    next_nonce: Nonce


class Trigger(TypedDict):
    """The mark at which an armed order enters."""

    above: NotRequired[Ticks]
    below: NotRequired[Ticks]


class Order(TypedDict):
    """An order that can still trade."""

    order_slot: Count
    market: Count
    symbol: Symbol
    side: Side
    flags: TimeInForce
    reduce_only: bool
    self_trade: SelfTrade
    """Which order leaves where two of one owner meet."""
    price: Ticks
    size: Lots
    """What is left of it."""
    expiry: Seconds
    """0: never."""
    trigger: Trigger | None
    """None unless it is armed."""
    trigger_price: Ticks | None
    """The same, whichever way it waits."""
    partner: int | None
    """The order slot of the armed order that leaves when this one fires, and the other way round."""
    client: str
    """The trader's own id of it, "0" for none."""
    sequence: Count
    decimal: Decimals


class Orders(TypedDict):
    """An account's orders that can still trade, armed ones too."""

    account: Count
    orders: list[Order]


class Account(TypedDict):
    """An account or sub-account, after the funding that is due."""

    account: Count
    master: Count
    sub: Count
    subs: Count
    """The highest sub-account that has anything, 0 for none."""
    owner: Address
    collateral: Tokens
    funding: Tokens
    """What is due and `collateral` does not have yet."""
    equity: Tokens
    requirement: Tokens
    """Initial margin, with all orders."""
    order_margin: Tokens
    """The part of it that the orders need for being kept."""
    order_count: Count
    maintenance: Tokens
    close_out: Tokens
    free: Tokens
    """Equity beyond the requirement."""
    exit: Exit
    buffer: Tokens
    """Equity beyond the maintenance margin."""
    is_fresh: bool
    """Whether all its markets' prices are new enough."""
    shares: Shares
    """Of the backstop vault."""
    activity: Tokens
    """The owner's fills of the last weeks, in taker's fees."""
    taker_saving: Ppm
    """Of the next fill's taker fee, as the next."""
    maker_saving: Ppm
    request: Request | None
    deadline: Seconds
    """The dead-man's switch: when all orders die, 0: never."""
    next_nonce: Nonce
    nonce_top: Nonce
    nonce_bitmap: str
    """Of the nonces below the top: which are used."""
    session: Count
    positions: list[Position]
    agents: list[Agent]
    orders: list[Order]
    decimal: Decimals


class Backstop(TypedDict):
    """The backstop vault."""

    collateral: Tokens
    funding: Tokens
    equity: Tokens
    requirement: Tokens
    maintenance: Tokens
    free: Tokens
    shares: Shares
    """Of all its owners."""
    positions: list[Position]
    is_fresh: bool
    delay: Seconds
    """From a request to its price."""
    withdrawals_limited_until: Seconds
    decimal: Decimals
