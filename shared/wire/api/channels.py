"""The table of channels: what is pushed over a WebSocket, and what each message tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.wire.api import account_answers as accounts
from setoff.shared.wire.api import history_answers as history
from setoff.shared.wire.api import market_answers as markets
from setoff.shared.wire.api import record_answers as records
from setoff.shared.wire.api import service_answers as service
from setoff.shared.wire.api import stream_answers as streams


@dataclass(frozen=True)
class Channel:
    """One of them. A message is {"channel": its name, "data": a `message`}."""

    name: str
    about: str
    message: Any


CHANNELS: Final = {
    channel.name: channel
    for channel in (
        Channel("records", "Every record that was taken, without its receipts; its fills follow.", records.Result),
        Channel("fills", "Every trade.", records.Fill),
        Channel("batches", "Every batch that is closed.", service.Batch),
        Channel("auctions", "After each batch the auctions to come.", markets.Auction),
    )
}


@dataclass(frozen=True)
class Topic:
    """A channel of `/v1/stream`: what one has to name to subscribe to it, and whether it goes on behind a cursor."""

    name: str
    about: str
    message: Any
    names: tuple[str, ...] = ()
    has_cursor: bool = False


TOPICS: Final = {
    topic.name: topic
    for topic in (
        Topic("book", "The 100 best levels of both sides: first all, then what changes.", streams.BookUpdate,
              ("market",)),
        Topic("best", "The best price of each side, each time that one changes.", streams.BestPrices, ("market",)),
        Topic("trades", "Trades in a market.", history.Trade, ("market",), has_cursor=True),
        Topic("candles", "The candle that trades are in, each time that one changes.", streams.CandleUpdate,
              ("market", "interval")),
        Topic("account", "An account, each time that it changes, twice a second at most.", accounts.Account,
              ("account",)),
        Topic("account_fills", "An account's fills.", records.Fill, ("account",), has_cursor=True),
        Topic("account_records", "What became of an account's records.", records.Result, ("account",)),
        Topic("heartbeat", "Each five seconds, to everybody.", streams.Heartbeat),
        Topic("subscribed", "The answer to `subscribe`.", streams.Subscribed),
        Topic("unsubscribed", "The answer to `unsubscribe`.", streams.Subscribed),
        Topic("refused", "The answer to what cannot be done.", streams.RefusedMessage),
    )
}  # fmt: skip
"""What comes over `/v1/stream`. A subscription: {"op": "subscribe", "channel": "trades", "market": "BTC-PERP", "after":
41, "id": 7}."""
