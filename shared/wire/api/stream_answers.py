"""What is pushed over `/v1/stream`: each message is {"channel", "topic", "cursor", "data"}.

`topic` says which market, account and interval it is of, as far as the channel has any. `cursor` is what to subscribe
`after` next time, None where a subscription begins with all that there is.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from setoff.shared.wire.api.history_answers import Candle
from setoff.shared.wire.api.market_answers import Level
from setoff.shared.wire.api.record_answers import Refusal
from setoff.shared.wire.api.units import Count, Millis, Seconds, Symbol


class Topic(TypedDict):
    """Which market, account, interval."""

    market: NotRequired[Count]
    account: NotRequired[Count]
    interval: NotRequired[str]
    """Of a candle, as 1m."""


class BookUpdate(TypedDict):
    """A book, or what has changed in it since the update before; a changed level whose size is 0 has gone."""

    market: Count
    symbol: Symbol
    kind: Literal["snapshot", "delta"]
    sequence: Count
    """One more than that of the update before; after a gap subscribe again."""
    checksum: Count
    """CRC-32 of the ten best levels of each side after it: `price:size` in ticks and lots, bids first, joined by |."""
    time: Seconds
    time_ms: Millis
    bids: list[Level]
    asks: list[Level]


class BestPrices(TypedDict):
    """The best level of each side, None without one."""

    market: Count
    symbol: Symbol
    time: Seconds
    time_ms: Millis
    bid: Level | None
    ask: Level | None


class CandleUpdate(TypedDict):
    """The candle that trades are in now, as it is."""

    market: Count
    symbol: Symbol
    interval: str
    """As 1m."""
    candle: Candle


class Heartbeat(TypedDict):
    """Nothing has happened; the connection is there."""

    time_ms: Millis
    l1_time_ms: Millis


class RefusedMessage(Refusal):
    """What a message asked for cannot be done; the connection goes on."""

    id: Any
    """The client's own, of its message."""


class Subscribed(TypedDict):
    """From now on."""

    channel: str
    """Which one."""
    topic: Topic
    id: Any
    """The client's own, of its request."""
