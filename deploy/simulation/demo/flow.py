"""The sample's order flow as signed records of the demo's traders on two markets.

The sample's first half goes to market 1, its second half to market 2, side by side; its orders are dealt out to the
traders. An order gets an order slot of its trader, and the event that ends it becomes a cancel, which the exchange
refuses where the order has traded away: such races are part of real flow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple
from zlib import crc32

from setoff.deploy.simulation.demo.sample import OrderEvent, TradeEvent, read_orders, read_trades
from setoff.deploy.simulation.demo.traders import Trader
from setoff.shared.codec import records

MARKETS: Final = 2
HALF: Final = 900.0
"""Seconds of the sample that a market gets."""


class Submission(NamedTuple):
    """A record to send: by which trader (index), and how far into its half of the sample, in seconds."""

    at: float
    trader: int
    record: bytes


def schedule(thinning: int, limit: int, seed: int = 0) -> list[tuple[int, OrderEvent]]:
    """(market, event) of the first `limit` events, both halves merged by time; times count from each half's start."""
    merged = [(1 + int(event.at >= HALF), event._replace(at=event.at % HALF)) for event in read_orders(thinning, seed)]
    merged.sort(key=lambda item: item[1].at)
    return list(islice(merged, limit))


def sign_flow(events: Sequence[tuple[int, OrderEvent]], traders: Sequence[Trader]) -> Iterator[Submission]:
    """The events as records, in order; signed one by one as they are taken."""
    open_orders: dict[int, tuple[int, int]] = {}
    for market, event in events:
        if event.size:
            index = crc32(str(event.order).encode()) % len(traders)
            order_slot = traders[index].take_order_slot()
            if order_slot is None:
                continue  # a trader with 256 open orders sits this one out
            open_orders[event.order] = index, order_slot
            record = traders[index].sign_order(market, event.side, records.GTC, order_slot, event.price, event.size)
        elif event.order in open_orders:
            index, order_slot = open_orders.pop(event.order)
            record = traders[index].sign_cancel(order_slot)
            traders[index].give_order_slot(order_slot)
        else:
            continue
        yield Submission(event.at, index, record)


class PriceFeed:
    """What the oracle's signers see: the price of each market's last trade."""

    def __init__(self) -> None:
        self._times: dict[int, list[float]] = {}
        self._prices: dict[int, list[int]] = {}
        for market in range(1, MARKETS + 1):
            trades = [t for t in read_trades() if (market - 1) * HALF <= t.at < market * HALF]
            self._add(market, trades)

    def _add(self, market: int, trades: list[TradeEvent]) -> None:
        self._times[market] = [trade.at % HALF for trade in trades]
        self._prices[market] = [trade.price for trade in trades]

    def price(self, market: int, at: float) -> int:
        """Ticks, `at` seconds into the market's half of the sample; the first trade's price before that."""
        return self._prices[market][max(bisect_right(self._times[market], at) - 1, 0)]
