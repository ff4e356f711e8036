"""What happens, as it happens, to whoever listens: accepted records, fills, batches, auctions to come.

Only durable things are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from setoff.operator.api import views
from setoff.operator.sequencer.exchange import NumberedFill, SealedBatch, SubmitResult

CHANNELS: Final = frozenset({"records", "fills", "batches", "auctions"})
BACKLOG: Final = 4096
"""Messages a listener may be behind before it is dropped."""


class Subscription:
    """One listener's backlog; `is_dropped` once it has fallen too far behind."""

    def __init__(self, channels: frozenset[str]) -> None:
        self.channels = channels
        self.is_dropped = False
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def push(self, message: dict[str, Any]) -> None:
        """Hand over a message, or drop the listener."""
        if self._queue.qsize() >= BACKLOG:
            self.close()
        else:
            self._queue.put_nowait(message)

    def close(self) -> None:
        """Let `get` end after what is queued already."""
        if not self.is_dropped:
            self.is_dropped = True
            self._queue.put_nowait(None)

    async def get(self) -> dict[str, Any] | None:
        """The next message, None at the end."""
        return await self._queue.get()


class Feed:
    """All listeners; what the sequencer's `Announcer` is."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self.show_auctions: Callable[[], Iterable[dict[str, Any]]] = tuple
        """What is to be told of auctions after each batch."""

    def tell_record(self, result: SubmitResult) -> None:
        """See `Announcer`."""
        self.publish("records", partial(views.show_result, result))

    def tell_fill(self, fill: NumberedFill) -> None:
        """See `Announcer`."""
        self.publish("fills", partial(views.show_fill, fill))

    def tell_batch(self, sealed: SealedBatch) -> None:
        """See `Announcer`."""
        self.publish("batches", partial(views.show_batch, sealed, None))
        if any("auctions" in subscription.channels for subscription in self._subscriptions):
            for auction in self.show_auctions():
                self.publish("auctions", partial(dict, auction))

    def publish(self, channel: str, make: Callable[[], dict[str, Any]]) -> None:
        """Tell every listener of `channel`; the message is made only if there is one."""
        message: dict[str, Any] | None = None
        for subscription in self._subscriptions:
            if channel in subscription.channels and not subscription.is_dropped:
                if message is None:
                    message = {"channel": channel, "data": make()}
                subscription.push(message)

    @contextmanager
    def subscribe(self, channels: frozenset[str]) -> Iterator[Subscription]:
        """Listen while the context lasts."""
        subscription = Subscription(channels)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def restart(self) -> None:
        """End all subscriptions, since what was told has changed: listeners come back and read anew."""
        self.close()

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in self._subscriptions:
            subscription.close()
