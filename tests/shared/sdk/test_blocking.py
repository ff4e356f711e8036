"""The client without `await`: the same methods, the same errors, streams as plain iterators."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.support.processes.running_operator import Running

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.errors import StateError
from setoff.shared.sdk import BlockingClient, KeySigner, Refusal, SetoffClient


def list_methods(client: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(client, callable) if not name.startswith("_")}


def test_it_has_every_method() -> None:
    assert list_methods(BlockingClient) - {"follow_book"} == list_methods(SetoffClient)
    assert BlockingClient.place.__doc__ == SetoffClient.place.__doc__
    with pytest.raises(StateError, match="`with` block"):
        BlockingClient("http://127.0.0.1:1").status()


@pytest.mark.timeout(60)
async def test_a_program_without_a_loop_trades(exchange: Running) -> None:
    def play() -> list[Any]:
        with BlockingClient(exchange.url, KeySigner(trader_key(1))) as client, client.follow_book(1) as book:
            placed = client.place("M1-PERP", SELL, 105, 5)
            with pytest.raises(Refusal, match="unknown_order"):
                client.cancel(placed.order_slot + 1)
            assert client.at(0).orders()[0]["order_slot"] == placed.order_slot
            assert client.book(1)["asks"][0]["price"] == 105
            with BlockingClient(exchange.url, KeySigner(trader_key(2)), over_socket=True) as other:
                fills = other.subscribe("account_fills", after=0)
                bought = other.place(1, BUY, 106, 2)
                told = next(fills)
                fills.close()  # type: ignore[attr-defined]
            while not book.best_ask or book.best_ask.lots != 3:
                pass
            return [told["data"]["price"], bought.average_price, bought.executions[0].size, client.balance()]

    price, average, size, balance = await in_thread(play)
    # A tick of this market is a hundred-thousandth, and a lot is one.
    assert (price, average, size) == (105, Decimal("0.00105"), Decimal(2))
    position = balance.find("M1-PERP")
    assert position.size == Decimal(-2) and position.entry_price == average and balance.orders[0].size == Decimal(3)
    assert balance.equity - balance.maintenance == balance.buffer


async def in_thread(play: Callable[[], list[Any]]) -> list[Any]:
    return await asyncio.to_thread(play)


@pytest.mark.timeout(60)
async def test_who_waits_in_another_thread_hears_that_it_is_closed(exchange: Running) -> None:
    client = BlockingClient(exchange.url)
    waiting = threading.Event()

    def listen() -> str:
        stream = client.subscribe("trades", market=1)
        waiting.set()
        try:
            next(stream)
        except StateError as error:
            return str(error)
        return "a trade"

    client.__enter__()
    twin = client.at(0)
    listening = asyncio.create_task(asyncio.to_thread(listen))
    await asyncio.to_thread(waiting.wait)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(client.__exit__)
    assert await listening == "not_ready: the client is closed"
    with pytest.raises(StateError, match="`with` block"):
        client.status()
    with pytest.raises(StateError, match="the client is closed"):
        twin.status()
