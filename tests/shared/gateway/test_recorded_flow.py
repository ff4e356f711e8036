"""Order flow recorded at a real exchange, level 3, sent through gateways by hyperliquid-python-sdk as it is; at the end
both bots' views are the exchange's own, to the unit.

There is no whole day of `ob-analytics` that anybody could have. Its package has half an hour of May 2026, 314,000
events: these are played here, but for orders far from the market, which never trade. What it was ported from has five
hours of May 2015, 50,000 events, in another format.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any
from zlib import crc32

import pytest
from hyperliquid.utils.types import Cloid
from tests.support.gateways.equality import assert_equal_views, assert_money_adds_up
from tests.support.gateways.gateway_town import PRICE, TAKER, GatewayTown, other_gateway
from tests.support.gateways.sdk_bot import GTC, SdkBot, only, sdk_bot

from setoff.deploy.simulation.demo.sample import LOTS, OrderEvent, read_orders, read_trades
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import BUY

GONE = "Order was never placed, already canceled, or filled."
EXPECTED = (GONE, "Too many open orders.")
"""A cancel may come after its order was filled, and an account has 256 places for orders."""


@pytest.fixture
def bots(town: GatewayTown) -> Iterator[list[SdkBot]]:
    """Two owners' bots, each behind a gateway of its own: orders of one owner do not trade with each other."""
    agent = keccak(b"another gateway's agent")
    with ExitStack() as stack:
        first = stack.enter_context(sdk_bot(town))
        first.close_all()
        other = stack.enter_context(other_gateway(town, TAKER, agent))
        second = stack.enter_context(sdk_bot(other, key=agent))
        town.set_price(1, read_trades()[0].price)
        yield [first, second]
        for bot in (first, second):
            bot.clear()
        first.close_all()
        town.set_price(1, PRICE)


def send(bots: list[SdkBot], events: Iterator[OrderEvent]) -> Counter[str]:
    """Send each event by the bot that its order is dealt to; what was told, counted by its kind."""
    told: Counter[str] = Counter()
    for event in events:
        bot, cloid = bots[crc32(str(event.order).encode()) % len(bots)], Cloid.from_int(event.order)
        if event.size:
            size = event.size / LOTS
            status = bot.place("BTC", event.side == BUY, size, event.price, GTC, cloid=cloid)
        else:
            status = only(bot.exchange.cancel_by_cloid("BTC", cloid))
        if isinstance(status, dict) and "error" in status:
            assert status["error"].startswith(EXPECTED), (event, status)
        told[status if isinstance(status, str) else next(iter(status))] += 1
    return told


def check(bots: list[SdkBot]) -> None:
    """Both views, and what the fills say of money and positions."""
    for bot in bots:
        bot.wait_for_fills()
        assert_equal_views(bot)
        assert_money_adds_up(bot)
    sizes = [int(position["size"]) for bot in bots for position in bot.native()["positions"] if position["market"] == 1]
    assert sum(sizes) == 0, "one has sold what the other has bought"


def test_hundreds_of_recorded_events_end_in_the_exchanges_own_view(bots: list[SdkBot]) -> None:
    told = send(bots, islice(read_orders(400), 300))
    assert told["resting"] > 100 and told["filled"] and told["success"] > 50, told
    assert told["error"] > 10, "no order was filled before its cancel came"
    check(bots)


WINDOW = 64
"""Events that are sent at once, some four tenths of a second of the record: what is taken back in one request, new
orders in another, and what of those is gone within that time in a third. So no more orders are open than were."""


def send_all(bots: list[SdkBot], events: Iterable[OrderEvent]) -> Counter[str]:
    """The same in windows, with bulk requests."""
    told: Counter[str] = Counter()
    flow = iter(events)
    while window := list(islice(flow, WINDOW)):
        for number, bot in enumerate(bots):
            own = [event for event in window if crc32(str(event.order).encode()) % len(bots) == number]
            new = {event.order for event in own if event.size}
            gone = [event.order for event in own if not event.size]
            answers = [
                cancel(bot, [order for order in gone if order not in new]),
                bot.exchange.bulk_orders([to_request(event) for event in own if event.size]) if new else None,
                cancel(bot, [order for order in gone if order in new]),
            ]
            for answer in filter(None, answers):
                assert answer["status"] == "ok", answer
                for status in answer["response"]["data"]["statuses"]:
                    told[name_status(status)] += 1
    return told


def cancel(bot: SdkBot, orders: list[int]) -> Any:
    """What is answered, None where there is nothing to take back."""
    if not orders:
        return None
    return bot.exchange.bulk_cancel_by_cloid([{"coin": "BTC", "cloid": Cloid.from_int(order)} for order in orders])


def to_request(event: OrderEvent) -> Any:
    return {
        "coin": "BTC",
        "is_buy": event.side == BUY,
        "sz": event.size / LOTS,
        "limit_px": event.price,
        "order_type": GTC,
        "reduce_only": False,
        "cloid": Cloid.from_int(event.order),
    }


def name_status(status: Any) -> str:
    """What became of one order or cancel; of an error its words, but for the number of the asset."""
    if isinstance(status, str):
        return status
    kind = next(iter(status))
    return str(status["error"]).partition(" asset=")[0] if kind == "error" else str(kind)


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_every_event_of_the_record_is_played(bots: list[SdkBot]) -> None:
    events = list(read_orders(1))
    begun = time.monotonic()
    told = send_all(bots, events)
    print(f"\n{len(events)} events in {time.monotonic() - begun:.0f} s: {dict(told)}")
    assert told.total() == len(events) > 300_000
    # A third has gone before its cancel: filled, or taken out by its owner's own order on the other side. A few find no
    # place: the client counts places as held that are free, and asks while others are on their way.
    assert set(told) <= {"resting", "filled", "success", *EXPECTED}, told
    assert told["Too many open orders."] < 100, told
    placed = told["resting"] + told["filled"] + told["Too many open orders."]
    assert placed == sum(1 for event in events if event.size)
    assert told["filled"] > 1000 and told["success"] > 90_000, told
    check(bots)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_whole_sample_does_with_each_of_its_trades(bots: list[SdkBot]) -> None:
    told = send(bots, read_orders(40))
    assert told["resting"] > 1000 and told["filled"] > 20 and told["error"] > 100, told
    check(bots)
