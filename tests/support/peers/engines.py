"""Order books that others wrote, each behind one way to play events in it.

They match and nothing else: no signature, no account, no margin, no fee, no commitment to what they hold.
"""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import liquibook
from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side
from orderly_chaos import LimitOrderBook
from orderly_chaos import Side as ChaosSide
from pyorderbook import Book, Order
from pyorderbook import Side as BookSide
from tests.support.peers.flow import CANCEL, TAKE, Event

HERE: Final = Path(__file__).parent
RUN: Final = HERE.parents[2] / "deploy" / "run"


class Played(NamedTuple):
    """What an engine says of the events, and how long it took for all of them."""

    lots: int
    times: list[int]
    """Nanoseconds of processor time, a round each."""


class Liquibook(liquibook.OrderListener):  # type: ignore[misc]
    """liquibook (C++), through its Python binding."""

    def __init__(self) -> None:
        super().__init__()
        self.lots = 0
        self._book = liquibook.DepthOrderBook()
        self._book.set_order_listener(self)
        self._orders: dict[int, Any] = {}

    def play(self, event: Event) -> None:
        kind, number, is_buy, price, size = event
        if kind == CANCEL:
            self._book.cancel(self._orders[number])
            return
        order = self._orders[number] = liquibook.SimpleOrder(is_buy, price, size)
        self._book.add(order, liquibook.oc_immediate_or_cancel if kind == TAKE else liquibook.oc_no_conditions)

    def on_accept(self, order: object) -> None: ...

    def on_cancel(self, order: object) -> None: ...

    def on_fill(self, order: Any, maker: Any, size: int, price: int) -> None:
        order.fill(size, size * price, 0)
        maker.fill(size, size * price, 0)
        self.lots += size


class OrderlyChaos:
    """orderly-chaos (C++), through its Python package."""

    def __init__(self) -> None:
        self.lots = 0
        self._book = LimitOrderBook()

    def play(self, event: Event) -> None:
        kind, number, is_buy, price, size = event
        if kind == CANCEL:
            self._book.cancel(number)
            return
        filled = self._book.limit(ChaosSide.BUY if is_buy else ChaosSide.SELL, number, size, price)
        self.lots += filled
        if kind == TAKE and filled < size:
            self._book.cancel(number)


class Light:
    """lightmatchingengine (Python)."""

    def __init__(self) -> None:
        self.lots = 0
        self._engine = LightMatchingEngine()
        self._ids: dict[int, int] = {}

    def play(self, event: Event) -> None:
        kind, number, is_buy, price, size = event
        if kind == CANCEL:
            self._engine.cancel_order(self._ids[number], "")
            return
        order, _ = self._engine.add_order("", price, size, Side.BUY if is_buy else Side.SELL)
        self.lots += order.cum_qty
        self._ids[number] = order.order_id
        if kind == TAKE and order.leaves_qty:
            self._engine.cancel_order(order.order_id, "")


class PyOrderBook:
    """pyorderbook (Python, decimals)."""

    def __init__(self) -> None:
        self.lots = 0
        self._book = Book()
        self._orders: dict[int, Order] = {}

    def play(self, event: Event) -> None:
        kind, number, is_buy, price, size = event
        if kind == CANCEL:
            self._book.cancel(self._orders.pop(number))
            return
        order = self._orders[number] = Order(BookSide.BID if is_buy else BookSide.ASK, "", price, size)
        self._book.match(order)
        self.lots += size - order.quantity
        if kind == TAKE and order.quantity:
            self._book.cancel(order)


def play_here(make: Callable[[], Any], before: Sequence[Event], events: Sequence[Event]) -> tuple[int, int]:
    """Lots traded in `events`, and nanoseconds of processor time."""
    engine = make()
    for event in before:
        engine.play(event)
    assert not engine.lots, "nothing of the standing book trades"
    play = engine.play
    begin = time.process_time_ns()
    for event in events:
        play(event)
    return engine.lots, time.process_time_ns() - begin


def play_in_node(before: Sequence[Event], events: Sequence[Event], rounds: int) -> Played:
    """nodejs-order-book (TypeScript), in a Node of its own."""
    found = subprocess.run([str(RUN), "peers-path"], capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr[-2000:]
    folder = Path(found.stdout.strip())
    words = [str(folder / "node"), str(folder / "play.mjs")]
    flow = json.dumps({"before": before, "events": events, "rounds": rounds})
    done = subprocess.run(words, input=flow, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return Played(answer["lots"], [round(each) for each in answer["times"]])
