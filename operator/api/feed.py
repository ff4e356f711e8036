"""What happens, as it happens, to whoever listens: accepted records, fills, batches, auctions to come.

Only durable things are told. A message is written as JSON once, however many listen; what came up since the last round
goes to each listener in one piece, the same bytes for all with the same channels (`fanout.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Protocol

from setoff.operator.api.fanout import HANDFUL, Pacer, Segment
from setoff.operator.api.views.record_views import show_batch, show_fill, show_result
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import NumberedFill, SealedBatch, SubmitResult

BACKLOG: Final = 1 << 20
"""Bytes a listener may leave unread before it is dropped."""
SHARE: Final = 0.05
"""Part of the time that rounds may take."""


class Subscription:
    """One listener; `ended` once it has fallen too far behind, or all is over. `is_packed`: it takes packed frames."""

    def __init__(self, channels: frozenset[str], transport: asyncio.WriteTransport | None, is_packed: bool) -> None:
        self.channels = channels
        self.is_packed = is_packed
        self.ended = asyncio.Event()
        self._transport = transport

    def write(self, frames: bytes) -> None:
        """Hand frames over, or drop the listener."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > BACKLOG:
            self.ended.set()
        elif not self.ended.is_set():
            transport.write(frames)


class Tap(Protocol):
    """Who else is told of records and fills, while somebody listens there."""

    @property
    def is_heard(self) -> bool:
        """Whether anybody does."""
        ...

    @property
    def hears_records(self) -> bool:
        """Whether anybody listens to records."""
        ...

    def tell_record(self, result: SubmitResult) -> None:
        """See `Announcer`."""
        ...

    def tell_fill(self, fill: NumberedFill) -> None:
        """See `Announcer`."""
        ...

    def end(self) -> None:
        """What was told is no longer so, or there is no more."""
        ...


class Feed:
    """All listeners; what the sequencer's `Announcer` is."""

    def __init__(self) -> None:
        self.scales: Scales
        """What markets are called; set before anything is told."""
        self._groups: dict[frozenset[str], set[Subscription]] = {}
        self._pending: dict[frozenset[str], list[bytes]] = {}
        self._pacer = Pacer(self._go_round, lambda: SHARE)
        self.show_auctions: Callable[[], Iterable[dict[str, Any]]] = tuple
        """What is to be told of auctions after each batch."""
        self.on_heard: Callable[[bool, bool], None] | None = None
        """Told whether anybody listens, and whether to records, when that changes."""
        self.news: Tap | None = None
        """What else is told of records and fills."""
        self._was_heard = False, False

    def tell_record(self, result: SubmitResult) -> None:
        """See `Announcer`. The receipts are for who sent the record alone."""
        self.publish("records", lambda: show_result(self.scales, result))
        if self.news is not None and self.news.is_heard:
            self.news.tell_record(result)

    def tell_fill(self, fill: NumberedFill) -> None:
        """See `Announcer`."""
        self.publish("fills", lambda: show_fill(self.scales, fill))
        if self.news is not None and self.news.is_heard:
            self.news.tell_fill(fill)

    def tell_batch(self, sealed: SealedBatch) -> None:
        """See `Announcer`."""
        self.publish("batches", lambda: show_batch(sealed, None))
        if self._is_heard("auctions"):
            for auction in self.show_auctions():
                self.publish("auctions", partial(dict, auction))

    def publish(self, channel: str, make: Callable[[], dict[str, Any]]) -> None:
        """Tell every listener of `channel`; the message is made only if there is one."""
        message: bytes | None = None
        for channels in self._groups:
            if channel in channels:
                if message is None:
                    message = json.dumps({"channel": channel, "data": make()}).encode()
                self._pending.setdefault(channels, []).append(message)
        if message is not None:
            self._pacer.wake()

    @contextmanager
    def subscribe(
        self, channels: frozenset[str], transport: asyncio.WriteTransport | None, is_packed: bool = False
    ) -> Iterator[Subscription]:
        """Listen while the context lasts."""
        subscription = Subscription(channels, transport, is_packed)
        self._groups.setdefault(channels, set()).add(subscription)
        self.note_heard()
        try:
            yield subscription
        finally:
            group = self._groups.get(channels)
            if group is not None:
                group.discard(subscription)
                if not group:
                    del self._groups[channels]
                    self._pending.pop(channels, None)
                    self.note_heard()

    def note_heard(self) -> None:
        """Say whether anybody listens, and to what, if that is not as it was."""
        news = self.news
        is_heard = bool(self._groups) or (news is not None and news.is_heard)
        hears_records = self._is_heard("records") or (news is not None and news.hears_records)
        if (is_heard, hears_records) != self._was_heard:
            self._was_heard = is_heard, hears_records
            if self.on_heard is not None:
                self.on_heard(is_heard, hears_records)

    def restart(self) -> None:
        """End all subscriptions, since what was told has changed: listeners come back and read anew."""
        self.close()

    def close(self) -> None:
        """End all subscriptions, with what they have not heard yet."""
        self._pacer.finish()
        for group in self._groups.values():
            for subscription in group:
                subscription.ended.set()
        if self.news is not None:
            self.news.end()

    def _is_heard(self, channel: str) -> bool:
        return any(channel in channels for channels in self._groups)

    def _go_round(self) -> Iterator[None]:
        pending, self._pending = self._pending, {}
        for channels, messages in pending.items():
            segment, subscriptions = Segment(messages), list(self._groups.get(channels, ()))
            for place, subscription in enumerate(subscriptions, 1):
                subscription.write(segment.get(subscription.is_packed))
                if place % HANDFUL == 0:
                    yield
        yield
