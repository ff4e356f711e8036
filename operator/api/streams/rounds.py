"""Books and accounts, looked at in rounds while somebody listens, and what has changed since the round before."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

from setoff.operator.api.reader import Reader
from setoff.operator.api.streams.topics import Topic, Topics, make_message
from setoff.operator.api.views.account_views import show_account
from setoff.operator.api.views.book import BookReader, Level
from setoff.operator.api.views.market_views import get_tree, show_level
from setoff.operator.api.views.record_views import MS
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.errors import StateError
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.state import keys, leaves
from setoff.shared.wire.book_checksums import compute_checksum

DEPTH: Final = 100
"""Levels of a side."""
PAUSE: Final = 0.05
"""Seconds between two rounds at least."""
ACCOUNT_PAUSE: Final = 0.5
"""Seconds between two looks at accounts."""
SHARE: Final = 0.1
"""Part of the time that rounds may take."""

Side = dict[int, Level]

log = logging.getLogger(__name__)


class BookWatch:
    """One market's book as it was told last."""

    def __init__(self) -> None:
        self.sequence = 0
        self.sides: tuple[Side, Side] = ({}, {})

    def look(self, exchange: Exchange, market: int) -> tuple[list[Level], list[Level]] | None:
        """What has changed since the last look, on each side; None if nothing has."""
        reader = BookReader(get_tree(exchange), exchange.machine.regs.time)
        now = tuple({level.price: level for level in reader.read(market, side, DEPTH)} for side in (BUY, SELL))
        changed = [_compare(before, after) for before, after in zip(self.sides, now, strict=True)]
        self.sides = now[0], now[1]
        if not any(changed):
            return None
        self.sequence += 1
        return changed[0], changed[1]

    @property
    def checksum(self) -> int:
        """Of the best levels."""
        return compute_checksum(*([(level.price, level.size) for level in side.values()] for side in self.sides))

    @property
    def best(self) -> tuple[Level | None, Level | None]:
        """Of each side."""
        bids, asks = (next(iter(side.values()), None) for side in self.sides)
        return bids, asks


def _compare(before: Side, after: Side) -> list[Level]:
    """The levels that are otherwise than before; one that has gone has no lots."""
    changed = [level for price, level in after.items() if before.get(price) != level]
    return changed + [Level(price, 0, 0) for price in before if price not in after]


class Rounds:
    """Goes round while there is anything to look at."""

    def __init__(self, reader: Reader, scales: Scales, topics: Topics) -> None:
        self._reader = reader
        self._scales = scales
        self._topics = topics
        self._books: dict[int, BookWatch] = {}
        self._looked: dict[int, object] = {}  # at which state of the exchange a book was looked at last
        self._wholes: dict[int, tuple[int, bytes]] = {}  # whole books, with their sequence
        self._best: dict[int, Any] = {}
        self._accounts: dict[int, Any] = {}
        self._looked_at = LONG_AGO
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to look at."""
        if len(self._topics) and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._go_round())

    def stop(self) -> None:
        """No more."""
        if self._task is not None:
            self._task.cancel()

    async def show_book(self, market: int) -> bytes:
        """The whole book, as whoever comes new has to know it before the next update."""
        exchange = await self._reader.read()
        topic, watch = Topic("book", market), self._books.setdefault(market, BookWatch())
        self._tell_book(exchange, market, watch)
        sequence, whole = self._wholes.get(market, (-1, b""))
        if sequence != watch.sequence:
            data = self._show(exchange, market, watch, "snapshot", *(list(side.values()) for side in watch.sides))
            whole = make_message("book", topic, None, data)
            self._wholes[market] = watch.sequence, whole
        return whole

    async def show_best(self, market: int) -> bytes:
        """The best prices as they are."""
        exchange = await self._reader.read()
        topic, watch = Topic("best", market), self._books.setdefault(market, BookWatch())
        self._tell_book(exchange, market, watch)
        return make_message("best", topic, None, self._show_best(exchange, market, watch))

    async def show_account(self, account: int) -> bytes:
        """An account as it is."""
        topic = Topic("account", account=account)
        shown = show_account(self._scales, await self._reader.read(), account)
        return make_message("account", topic, None, shown)

    async def _go_round(self) -> None:
        turns: object = None
        account_turns: object = None
        while len(self._topics):
            start = time.thread_time()
            with contextlib.suppress(StateError):
                exchange = await self._reader.read()
                start = time.thread_time()
                now = id(exchange), self._reader.turns
                try:
                    if now != turns:
                        turns = now
                        self._look_at_books(exchange)
                    if now != account_turns and time.monotonic() >= self._looked_at + ACCOUNT_PAUSE:
                        account_turns, self._looked_at = now, time.monotonic()
                        self._look_at_accounts(exchange)
                except Exception:
                    log.exception("a round of the streams failed")
            spent = time.thread_time() - start
            await asyncio.sleep(max(PAUSE, spent / SHARE))
        self._books.clear()
        self._looked.clear()
        self._wholes.clear()
        self._best.clear()
        self._accounts.clear()

    def _look_at_books(self, exchange: Exchange) -> None:
        for market in {topic.market for channel in ("book", "best") for topic in self._topics.of(channel)}:
            self._tell_book(exchange, market, self._books.setdefault(market, BookWatch()))

    def _look_at_accounts(self, exchange: Exchange) -> None:
        for topic in self._topics.of("account"):
            self._tell_account(exchange, topic)

    def _tell_book(self, exchange: Exchange, market: int, watch: BookWatch) -> None:
        now = id(exchange), self._reader.turns
        if self._looked.get(market) == now:
            return
        self._looked[market] = now
        changed = watch.look(exchange, market)
        if changed is not None:
            self._topics.tell(
                Topic("book", market), None, lambda: self._show(exchange, market, watch, "delta", *changed)
            )
        best = Topic("best", market)
        if best in self._topics and self._best.get(market) != watch.best:
            self._best[market] = watch.best
            self._topics.tell(best, None, lambda: self._show_best(exchange, market, watch))

    def _tell_account(self, exchange: Exchange, topic: Topic) -> None:
        tree = get_tree(exchange)
        state = tree.get(keys.account_key(topic.account)), self._list_marks(exchange)
        if self._accounts.get(topic.account) != state:
            self._accounts[topic.account] = state
            self._topics.tell(topic, None, lambda: show_account(self._scales, exchange, topic.account))

    def _list_marks(self, exchange: Exchange) -> tuple[int, ...]:
        """What accounts are worth depends on these."""
        tree, markets = get_tree(exchange), exchange.machine.regs.markets
        return tuple(leaves.decode_market(tree.get(keys.market_key(market))).mark for market in range(1, markets + 1))

    def _show(
        self, exchange: Exchange, market: int, watch: BookWatch, kind: str, bids: list[Level], asks: list[Level]
    ) -> dict[str, Any]:
        scale, now = self._scales[market], exchange.machine.regs.time
        return {
            "market": market,
            "symbol": scale.symbol,
            "kind": kind,
            "sequence": watch.sequence,
            "checksum": watch.checksum,
            "time": now,
            "time_ms": now * MS,
            "bids": [show_level(scale, level) for level in bids],
            "asks": [show_level(scale, level) for level in asks],
        }

    def _show_best(self, exchange: Exchange, market: int, watch: BookWatch) -> dict[str, Any]:
        scale, now = self._scales[market], exchange.machine.regs.time
        bid, ask = (None if level is None else show_level(scale, level) for level in watch.best)
        head = {"market": market, "symbol": scale.symbol, "time": now, "time_ms": now * MS}
        return head | {"bid": bid, "ask": ask}
