"""A book that is kept up to date: equal to the exchange's, and made anew after what must not be."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.support.processes.running_operator import Running

from setoff.shared.codec.records import BUY, SELL
from setoff.shared.errors import StateError
from setoff.shared.sdk.local_book import LocalBook
from setoff.shared.wire.book_checksums import compute_checksum


def level(price: int, size: int) -> dict[str, Any]:
    return {"price": price, "size": str(size), "orders": 1, "decimal": {"price": f"0.{price}", "size": str(size)}}


def update(sequence: int, kind: str, bids: dict[int, int], whole: dict[int, int]) -> dict[str, Any]:
    """One that leaves `whole` on the side of the bids."""
    best = sorted(((price, size) for price, size in whole.items()), reverse=True)
    shown = [level(price, size) for price, size in bids.items()]
    return {"kind": kind, "sequence": sequence, "bids": shown, "asks": [], "checksum": compute_checksum(best, [])}


def no_stream(on_loss: Callable[[], None]) -> Any:
    raise AssertionError


async def test_it_is_the_exchange_s(exchange: Running) -> None:
    traffic = exchange.traffic
    await exchange.submit(traffic.order(1, BUY, 95, 7))
    async with exchange.trader(1) as client, client.book("M1-PERP") as book:
        assert book.best_bid and (book.best_bid.ticks, book.best_bid.lots, book.best_ask, book.mid) == (
            95,
            7,
            None,
            None,
        )
        for number in range(30):
            await exchange.submit(traffic.order(1 + number % 3, number % 2, 90 + number % 20, 1 + number % 4))
        shown = await client.book(1, 100)
        wanted = [[(each["price"], int(each["size"])) for each in shown[side]] for side in ("bids", "asks")]
        reader = aiter(book)
        while [[(each.ticks, each.lots) for each in side] for side in (book.bids, book.asks)] != wanted:
            await anext(reader)
        assert book.resyncs == 0 and book.best_ask and book.mid == (book.best_bid.price + book.best_ask.price) / 2
        assert book.best_ask.price == Decimal(shown["asks"][0]["decimal"]["price"])
    assert not book.is_live
    with pytest.raises(StateError, match="closed"):
        async for _ in book:
            pass


async def test_a_gap_or_a_wrong_sum_makes_it_ask_for_a_whole_book() -> None:
    book = LocalBook(no_stream)
    assert book.take(update(5, "snapshot", {90: 1, 80: 2}, {90: 1, 80: 2}))
    assert book.take(update(6, "delta", {90: 0}, {80: 2})) and [each.ticks for each in book.bids] == [80]
    assert not book.take(update(8, "delta", {85: 1}, {85: 1, 80: 2})), "an update was left out"
    assert book.take(update(9, "snapshot", {70: 3}, {70: 3}))
    assert book.is_live
    assert not book.take(update(10, "delta", {71: 3}, {70: 3})), "the sum is of another book"


async def test_what_comes_while_its_reader_is_busy_is_told_after_that(exchange: Running) -> None:
    async with exchange.trader(1) as client, client.book(1) as book:
        reader = aiter(book)
        for price in (95, 96):
            await client.place(1, BUY, price, 7)  # nothing comes after this
            while book.best_bid is None or book.best_bid.ticks != price:
                await asyncio.sleep(0.01)
            await asyncio.wait_for(anext(reader), 5)


async def test_it_subscribes_anew_by_itself(exchange: Running) -> None:
    opened = 0
    async with exchange.trader(1) as client:
        await client.place(1, BUY, 95, 7)

        async def subscribe(on_loss: Callable[[], None]) -> Any:
            nonlocal opened
            opened += 1
            async for message in client.subscribe("book", market=1, on_loss=on_loss):
                if opened == 1 and message["data"]["kind"] == "delta":
                    message["data"]["sequence"] += 1  # as if one had been lost
                yield message

        async with LocalBook(subscribe) as book:
            await client.place(1, SELL, 105, 2)
            while book.best_ask is None:
                await asyncio.sleep(0.01)
            assert (opened, book.resyncs) == (2, 1) and book.best_ask.ticks == 105


async def test_a_lost_connection_is_seen_and_mended(exchange: Running) -> None:
    lost: list[bool] = []
    async with exchange.trader(1) as maker, exchange.trader(2) as client:
        await maker.place(1, BUY, 95, 7)

        def subscribe(on_loss: Callable[[], None]) -> Any:
            def note() -> None:
                on_loss()
                lost.append(book.is_live)

            return client.subscribe("book", market=1, on_loss=note)

        book = LocalBook(subscribe)
        async with book:
            assert book.is_live
            connector = client._session().connector
            assert connector is not None
            for connection in list(connector._acquired):
                connection.close()
            await maker.place(1, SELL, 105, 2)
            while not (book.is_live and book.best_ask):
                await asyncio.sleep(0.01)
            assert lost == [False] and book.resyncs == 0
