"""What is answered to records, and told of them: results, fills, receipts, refusals."""

from __future__ import annotations

from typing import Final, Literal, NotRequired, get_args

from typing_extensions import TypedDict

from setoff.shared.wire.api.units import (
    Count,
    Decimals,
    Hash,
    Hex,
    Lots,
    Millis,
    Nonce,
    Seconds,
    Symbol,
    Ticks,
)

Side = Literal["buy", "sell"]
TimeInForce = Literal["gtc", "ioc", "post_only", "fok"]
SelfTrade = Literal["cancel_maker", "cancel_taker", "cancel_both"]
FillKind = Literal["trade", "liquidation", "unwind", "takeover", "deleverage", "auction"]
SIDES: Final[tuple[str, ...]] = get_args(Side)
"""By their numbers, as the next."""
FLAGS: Final[tuple[str, ...]] = get_args(TimeInForce)
SELF_TRADE: Final[tuple[str, ...]] = get_args(SelfTrade)
FILL_KINDS: Final[tuple[str, ...]] = get_args(FillKind)


class Refusal(TypedDict):
    """What was refused: nothing has changed, except where the status is 503 and the record was on its way."""

    reason: str
    """Of the shared list; the same string in contracts, library and API."""
    detail: str
    """For people: what is wrong, by how much, and what to do."""
    numbers: NotRequired[dict[str, str | int | None]]
    """What `detail` says in numbers, each named with its unit."""


class Traded(TypedDict):
    """What everybody may know of a trade."""

    fill: Count
    """Its number, without gaps."""
    batch: Count
    time: Seconds
    """The batch's timestamp."""
    time_ms: Millis
    kind: FillKind
    market: Count
    symbol: Symbol
    side: Side
    """The taker's."""
    price: Ticks
    size: Lots


class Fill(Traded):
    """One trade. Its taker buys or sells as `side` says."""

    input_index: Count
    """The input of the batch that made it."""
    taker: Count
    """An account."""
    taker_order_slot: int | None
    """None for a side without an order of a trader."""
    maker: Count
    """An account."""
    maker_order_slot: int | None
    decimal: Decimals


class Receipt(TypedDict):
    """The operator's signed promise to post a record at a place: a bond answers for it."""

    sequence: Count
    """The record's number among all posted records, from 0."""
    record: Hash
    running: Hash
    deadline: Seconds
    signature: Hex
    """64 bytes, and up to ten hashes behind them that lead to what was signed."""


class Result(TypedDict):
    """What became of a record that was taken, and is durable."""

    sequence: Count
    """Its number among all posted records, from 0."""
    batch: Count
    input_index: Count
    outcome: str
    """"accepted", or the reason for which an order ended after it had traded."""
    type: Count
    account: Count
    nonce: Nonce
    resting: Lots
    """What then rests in the book."""
    is_paused: bool
    """The machine goes on with it, and this is what came of it so far."""
    is_repeat: NotRequired[bool]
    """The record was taken before: this is what became of it, `resting` what rests of it now, and the receipts were
    told then."""
    fills: list[Fill]
    leg_pages: NotRequired[Count]
    """Of a bulk record: the leg pages that were taken."""
    legs: NotRequired[list[Lots]]
    """Of a bulk record: what then rests of each leg, for a cancel 0."""
    receipts: NotRequired[list[Receipt]]
    """For the record and its leg pages, where the operator signs any."""


class Results(TypedDict):
    """A result or a refusal for each record, in their order."""

    results: list[Result | Refusal]


class Fills(TypedDict):
    """Fills, oldest first."""

    fills: list[Fill]
    kept: Count
    """So many of the latest are kept here."""
