"""The FIFO lists and the bitmaps: every place an order can leave from, and ticks on both sides of a word."""

import pytest
from tests.support.machines.world import BUY, IOC, SELL, WIDE, World

from setoff.shared.state.keys import MAX_TICK


def three_in_a_row(side: int = BUY) -> World:
    world = World.trading()
    for order_slot in range(3):
        world.order(1, side, 100, order_slot + 1, order_slot=order_slot)
    return world


@pytest.mark.parametrize(
    ("order_slot", "left"),
    [
        (0, [(1, 1, 2), (1, 2, 3)]),
        (1, [(1, 0, 1), (1, 2, 3)]),
        (2, [(1, 0, 1), (1, 1, 2)]),
    ],
)
def test_cancel_at_the_head_in_the_middle_and_at_the_tail(order_slot: int, left: list[tuple[int, int, int]]) -> None:
    world = three_in_a_row()
    assert world.cancel(1, order_slot) == "accepted"
    assert world.queue(BUY, 100) == left
    level = world.level(BUY, 100)
    assert (level.size, level.count) == (6 - (order_slot + 1), 2)
    assert world.position(1).bids == 6 - (order_slot + 1)
    assert world.market().best_bid == 100
    world.order(2, BUY, 100, 9, order_slot=0)
    assert world.queue(BUY, 100) == [*left, (2, 0, 9)]


def test_cancel_of_the_only_order_removes_the_level() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.order(1, SELL, 120, 5, order_slot=1)
    assert world.cancel(1, 0) == "accepted"
    assert world.market().best_ask == 120
    assert world.bits(SELL, 2, 100) == {120}
    assert world.cancel(1, 1) == "accepted"
    assert world.market().best_ask == 0
    assert world.bits(SELL, 0, 0) == world.bits(SELL, 1, 0) == world.bits(SELL, 2, 100) == set()
    assert world.account(1).positions[0].market == 0


def test_cancel_behind_the_best_price_leaves_it() -> None:
    world = World.trading()
    world.order(1, BUY, 100, 5, order_slot=0)
    world.order(1, BUY, 80, 5, order_slot=1)
    assert world.cancel(1, 1) == "accepted"
    assert world.market().best_bid == 100


def test_rejects_cancel_of_no_order() -> None:
    world = three_in_a_row()
    assert world.cancel(1, 3) == "unknown_order"
    assert world.cancel(2, 0) == "unknown_order"  # the slot is the account's own
    assert world.cancel(1, 0) == "accepted"
    assert world.cancel(1, 0) == "unknown_order"


BORDERS = [1, 254, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 131_071, 131_072, 199_999]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_best_price_is_found_across_word_borders(side: int) -> None:
    world = World.trading(funds=2**60, mark=100_000, **WIDE)
    for order_slot, tick in enumerate(BORDERS):
        assert world.order(1, side, tick, 1, order_slot=order_slot) == "accepted"
    order = sorted(range(len(BORDERS)), key=lambda order_slot: BORDERS[order_slot], reverse=side == BUY)
    for rank, order_slot in enumerate(order):
        market = world.market()
        assert (market.best_bid if side == BUY else market.best_ask) == BORDERS[order_slot]
        assert world.cancel(1, order_slot) == "accepted", rank
    market = world.market()
    assert (market.best_bid, market.best_ask) == (0, 0)
    assert world.bits(side, 0, 0) == set()


def test_a_word_is_unmarked_above_only_when_it_is_empty() -> None:
    world = World.trading(funds=2**60, mark=100_000, **WIDE)
    world.order(1, BUY, 65_536, 1, order_slot=0)
    world.order(1, BUY, 65_537, 1, order_slot=1)
    world.order(1, BUY, 65_792, 1, order_slot=2)
    assert world.bits(BUY, 0, 0) == {1}
    assert world.bits(BUY, 1, 65_536) == {0, 1}
    assert world.bits(BUY, 2, 65_536) == {0, 1}
    world.cancel(1, 0)
    assert world.bits(BUY, 1, 65_536) == {0, 1}
    world.cancel(1, 1)
    assert world.bits(BUY, 1, 65_536) == {1}
    assert world.bits(BUY, 0, 0) == {1}
    world.cancel(1, 2)
    assert world.bits(BUY, 0, 0) == set()


def test_the_last_tick_is_a_price_like_others() -> None:
    world = World.trading(funds=2**60, mark=MAX_TICK)
    world.order(1, SELL, MAX_TICK, 1)
    assert world.bits(SELL, 0, MAX_TICK) == world.bits(SELL, 2, MAX_TICK) == {255}
    world.order(2, BUY, MAX_TICK, 1)
    assert world.fills() == [(1, MAX_TICK, 1)]
    assert world.market().best_ask == 0


def test_a_sweep_through_levels_cleans_them_up() -> None:
    world = World.trading(funds=2**60, mark=400, **WIDE)
    for order_slot, tick in enumerate((254, 255, 256, 300, 511, 512)):
        world.order(1, SELL, tick, 1, order_slot=order_slot)
    world.order(2, BUY, 511, 9, flags=IOC)
    assert [price for _, price, _ in world.fills()] == [254, 255, 256, 300, 511]
    assert world.market().best_ask == 512
    assert world.bits(SELL, 1, 0) == {2}
