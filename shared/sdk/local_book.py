"""A market's book, kept here: a snapshot and what changes, each update held against its sequence number and checksum.

    async with client.book("BTC-PERP") as book:
        print(book.best_bid, book.best_ask)
        async for _ in book:                    # after each update
            print(book.mid)

After a gap, a wrong checksum or a lost connection it begins with a whole book again, by itself; until then `is_live` is
False, and what it shows is old.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from setoff.shared.errors import SetoffError, StateError
from setoff.shared.sdk.bounded_answers import reading
from setoff.shared.wire.book_checksums import compute_checksum

if TYPE_CHECKING:
    from setoff.shared.wire.api.market_answers import Book

Updates = AsyncIterator[dict[str, Any]]
Subscribe = Callable[[Callable[[], None]], Updates]
"""Opens the stream of a book's updates anew; what is given hears of each connection that is lost."""


class PriceLevel(NamedTuple):
    """The orders at one price, in quote per base and base."""

    price: Decimal
    size: Decimal
    ticks: int
    lots: int


class LocalBook:
    """The best levels of a market, as they are now. `async for` tells of each change."""

    def __init__(self, subscribe: Subscribe) -> None:
        self._subscribe = subscribe
        self._sides: tuple[dict[int, PriceLevel], dict[int, PriceLevel]] = ({}, {})
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._error: SetoffError | None = None
        self.is_live = False
        """Whether it is the exchange's now, as far as the connection tells: a silent one is noticed after 15 s."""
        self.sequence = -1
        """Of the last update."""
        self.resyncs = 0
        """How often it had to begin again after a gap or a wrong checksum."""
        self.updates = 0
        """How many it has taken."""

    @property
    def bids(self) -> list[PriceLevel]:
        """Best first, as `asks`."""
        side = self._sides[0]
        return [side[ticks] for ticks in sorted(side, reverse=True)]

    @property
    def asks(self) -> list[PriceLevel]:
        """Best first."""
        side = self._sides[1]
        return [side[ticks] for ticks in sorted(side)]

    @property
    def best_bid(self) -> PriceLevel | None:
        """None where nobody bids."""
        side = self._sides[0]
        return side[max(side)] if side else None

    @property
    def best_ask(self) -> PriceLevel | None:
        """None where nobody offers."""
        side = self._sides[1]
        return side[min(side)] if side else None

    @property
    def mid(self) -> Decimal | None:
        """Between the best prices; None where a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return (bid.price + ask.price) / 2 if bid and ask else None

    async def __aenter__(self) -> Self:
        """Returns with the first whole book. Raises Refusal or Unavailable."""
        self._task = asyncio.create_task(self._follow())
        try:
            await self._wait_beyond(0)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def __aiter__(self) -> AsyncIterator[Self]:
        """Itself, after each update that comes from now on; several at once where the reader is slower than they are.

        Raises Refusal or Unavailable where the stream has ended.
        """
        return self._tell_beyond(self.updates)

    async def _tell_beyond(self, seen: int) -> AsyncIterator[Self]:
        while True:
            await self._wait_beyond(seen)
            seen = self.updates
            yield self

    async def _wait_beyond(self, updates: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.updates > updates or self._error is not None)
        if self._error is not None:
            raise self._error

    async def _follow(self) -> None:
        try:
            while True:
                stream = self._subscribe(self._note_loss)
                async for message in stream:
                    with reading("an update of the book"):
                        is_whole = self.take(message["data"])
                    if not is_whole:
                        self.resyncs += 1
                        break
                    async with self._changed:
                        self._changed.notify_all()
                await stream.aclose()  # type: ignore[attr-defined] # a generator
        except SetoffError as error:
            self._error = error
        finally:
            self.is_live = False
            self._error = self._error or StateError("not_ready", "the book is closed")
            async with self._changed:
                self._changed.notify_all()

    def _note_loss(self) -> None:
        self.is_live = False

    def take(self, update: dict[str, Any]) -> bool:
        """Take an update over; whether the book is whole then. If not, subscribe again."""
        self.is_live = False
        is_whole = update["kind"] == "snapshot"
        if not is_whole and update["sequence"] != self.sequence + 1:
            return False
        # New ones, and then both at once: another thread may be reading.
        bids, asks = ({}, {}) if is_whole else (dict(self._sides[0]), dict(self._sides[1]))
        for levels, shown in ((bids, update["bids"]), (asks, update["asks"])):
            for level in shown:
                ticks, lots = level["price"], int(level["size"])
                if not lots:
                    levels.pop(ticks, None)
                    continue
                decimals = level["decimal"]
                levels[ticks] = PriceLevel(Decimal(decimals["price"]), Decimal(decimals["size"]), ticks, lots)
        best_bids = ((ticks, bids[ticks].lots) for ticks in sorted(bids, reverse=True))
        best_asks = ((ticks, asks[ticks].lots) for ticks in sorted(asks))
        if compute_checksum(best_bids, best_asks) != update["checksum"]:
            return False
        self._sides = bids, asks
        self.sequence = update["sequence"]
        self.updates += 1
        self.is_live = True
        return True


class BookRequest:
    """What `client.book(market)` gives: to await for the levels now, or to enter for a book that is kept up to date."""

    def __init__(self, ask: Callable[[], Awaitable[Book]], subscribe: Subscribe) -> None:
        self._ask = ask
        self._local = LocalBook(subscribe)

    def __await__(self) -> Generator[Any, None, Book]:
        return self._ask().__await__()

    async def __aenter__(self) -> LocalBook:
        return await self._local.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        await self._local.__aexit__(*exc)
