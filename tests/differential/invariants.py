"""What must hold in every state: no unit is lost, every lot has two sides, and the book is what the orders say."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.differential.harness import Step

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Market, Order
from setoff.shared.state.tree import Tree


def measure(items: dict[int, bytes]) -> tuple[int, Counter[int]]:
    """(token units the system owes: collateral, fees and withdrawals; sum of the positions' lots by market)."""
    owed = 0
    lots: Counter[int] = Counter()
    for key, value in items.items():
        kind = key >> keys.BODY_BITS
        if kind == keys.ACCOUNT:
            account = leaves.decode_account(value)
            owed += account.collateral
            for position in account.positions:
                if position.market:
                    lots[position.market] += position.size
        elif kind == keys.MARKET:
            owed += leaves.decode_market(value).fees
        elif kind == keys.WITHDRAWAL:
            owed += leaves.decode_withdrawal(value).amount
    return owed, lots


def check_conservation(step: Step) -> None:
    """A step changes what is owed only by an accepted deposit, and the sum of no market's positions."""
    owed_before, lots_before = measure(step.old)
    owed_after, lots_after = measure(step.new)
    is_deposit = step.kind == "fetch deposit" and step.after.outcome == errors.ACCEPTED
    assert owed_after - owed_before == (step.after.amount if is_deposit else 0), step.kind
    for market in lots_before | lots_after:
        assert lots_before[market] == lots_after[market], step.kind


def check_state(tree: Tree, deposited: int) -> None:
    """The whole state of an idle machine: money, lots, open interest, reservations, and the book."""
    items = dict(tree.items())
    owed, lots = measure(items)
    assert owed == deposited
    assert not any(lots.values())
    orders: dict[int, Order] = {}
    markets: dict[int, Market] = {}
    longs: Counter[int] = Counter()
    reserved: dict[tuple[int, int], tuple[int, int]] = {}
    bitmaps: dict[tuple[int, int, int, int], int] = {}
    for key, value in items.items():
        kind, body = key >> keys.BODY_BITS, key & (1 << keys.BODY_BITS) - 1
        assert value.strip(b"\0")
        if kind == keys.ORDER:
            orders[body] = leaves.decode_order(value)
        elif kind == keys.MARKET:
            markets[body] = leaves.decode_market(value)
        elif kind == keys.BITMAP:
            place = body >> 19, body >> 18 & 1, body >> 16 & 3, body & 0xFFFF
            bitmaps[place] = leaves.decode_bitmap(value).word
        elif kind == keys.ACCOUNT:
            for position in leaves.decode_account(value).positions:
                if position.market:
                    longs[position.market] += max(position.size, 0)
                    reserved[body, position.market] = position.bids, position.asks
                    assert position.size or position.bids or position.asks
                    assert position.size or not position.cost
    for number, market in markets.items():
        assert market.open_interest == longs[number]
    check_reservations(orders, reserved)
    check_book(items, orders, markets, bitmaps)


def check_reservations(orders: dict[int, Order], reserved: dict[tuple[int, int], tuple[int, int]]) -> None:
    """Every account's positions reserve exactly the lots of its open orders."""
    open_lots: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for handle, order in orders.items():
        open_lots[keys.handle_account(handle), order.market][order.side] += order.size
    for place, sides in reserved.items():
        assert list(sides) == open_lots.pop(place, [0, 0])
    assert not open_lots


def check_book(
    items: dict[int, bytes],
    orders: dict[int, Order],
    markets: dict[int, Market],
    bitmaps: dict[tuple[int, int, int, int], int],
) -> None:
    """Levels hold their orders once each, oldest first; bitmaps and best prices name exactly the levels."""
    listed: set[int] = set()
    ticks: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for key, value in items.items():
        if key >> keys.BODY_BITS != keys.LEVEL:
            continue
        market, side, tick = key >> 25 & 0x7FF, key >> 24 & 1, key & keys.MAX_TICK
        level = leaves.decode_level(value)
        ticks[market, side].add(tick)
        size, count, handle, last = 0, 0, level.head, 0
        sequence = 0
        while handle:
            order = orders[handle]
            assert handle not in listed
            assert (order.market, order.side, order.price, order.prev) == (market, side, tick, last)
            assert order.size > 0 and order.sequence > sequence
            listed.add(handle)
            size, count, last, handle, sequence = size + order.size, count + 1, handle, order.next, order.sequence
        assert (size, count, last) == (level.size, level.count, level.tail)
    assert listed == set(orders)
    expected: defaultdict[tuple[int, int, int, int], int] = defaultdict(int)
    for (market, side), found in ticks.items():
        for tick in found:
            for depth in range(3):
                expected[market, side, depth, keys.bitmap_index(depth, tick)] |= 1 << keys.bitmap_bit(depth, tick)
    assert expected == bitmaps
    for number, leaf in markets.items():
        assert leaf.best_bid == max(ticks[number, records.BUY], default=0)
        assert leaf.best_ask == min(ticks[number, records.SELL], default=0)
