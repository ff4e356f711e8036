"""The table of channels: what is pushed over a WebSocket, and what each message tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.wire.api import market_answers as markets
from setoff.shared.wire.api import record_answers as records
from setoff.shared.wire.api import service_answers as service


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
