"""Admission of orders: every check, in its order, and what it reserves."""

import pytest
from tests.support.machines.world import BUY, FOK, GTC, IOC, POST_ONLY, SELL, World

from setoff.shared.state import keys
from setoff.shared.state.leaves import MAX_POSITIONS


def test_rejects_order_without_a_price() -> None:
    world = World()
    world.deposit(1, 1_000)
    world.list_market(1)
    assert world.order(1, BUY, 100, 1) == "no_price"


def test_the_price_band_is_inclusive() -> None:
    world = World.trading(mark=1_000, band=100_000)
    assert world.order(1, BUY, 900, 1) == "accepted"
    assert world.order(1, BUY, 899, 1) == "price_band"
    assert world.order(1, SELL, 1_100, 1) == "accepted"
    assert world.order(1, SELL, 1_101, 1) == "price_band"


@pytest.mark.parametrize("band", [1_000_000, 50_000, 30_000])
def test_nobody_pays_more_than_a_maintenance_margin_beyond_the_mark(band: int) -> None:
    width = min(band, 50_000) // 1_000
    for flags in (GTC, POST_ONLY):
        world = World.trading(mark=1_000, band=band)
        assert world.order(1, BUY, 1_001 + width, 1, flags=flags) == "price_band"
        assert world.order(1, SELL, 999 - width, 1, flags=flags) == "price_band"
        assert world.order(1, BUY, 1_000 + width, 1, flags=flags) == "accepted"
        assert world.order(2, BUY, max(1, 1_000 - band // 1_000), 1, flags=flags) == "accepted"
        world = World.trading(mark=1_000, band=band)
        assert world.order(1, SELL, 1_000 - width, 1, flags=flags) == "accepted"
        assert world.order(2, SELL, 1_000 + band // 1_000, 1, flags=flags) == "accepted"


@pytest.mark.parametrize("flags", [IOC, FOK])
def test_what_takes_at_once_may_name_any_limit_and_trades_within_the_band(flags: int) -> None:
    world = World.trading(mark=1_000, band=100_000, maintenance_margin=100_000)
    world.order(1, SELL, 1_100, 2)
    world.order(1, BUY, 900, 2)
    world.set_mark(1_001)  # the band is now 901 to 1,101
    assert world.order(2, BUY, keys.MAX_TICK, 2, flags=flags) == "accepted"
    assert world.fills() == [(1, 1_100, 2)]
    assert world.order(2, SELL, 1, 2, flags=flags) == ("unfillable" if flags == FOK else "accepted")
    assert world.fills() == []
    assert world.order(2, BUY, 800, 2, flags=flags) == "price_band"
    assert world.order(2, SELL, 1_200, 2, flags=flags) == "price_band"
    assert world.order(2, BUY, keys.MAX_TICK, 2, flags=POST_ONLY) == "price_band"


def test_the_margin_of_a_market_order_is_that_of_the_band_s_edge() -> None:
    world = World.trading(mark=1_000, band=100_000, taker_fee=0, maker_fee=0)
    world.deposit(4, 20_000)
    world.order(1, SELL, 1_000, 10)
    # Ten lots need 10,000 of margin, and could lose 10,000 to the edge of the band: to MAX_TICK no money would do.
    assert world.order(4, BUY, keys.MAX_TICK, 10, flags=IOC) == "accepted"
    assert world.position(4).size == 10


def test_rejects_taken_slot_until_its_order_is_gone() -> None:
    world = World.trading()
    assert world.order(1, BUY, 90, 1, order_slot=7) == "accepted"
    assert world.order(1, BUY, 90, 1, order_slot=7) == "order_slot_taken"
    assert world.cancel(1, 7) == "accepted"
    assert world.order(1, BUY, 90, 1, order_slot=7) == "accepted"
    assert world.order(1, BUY, 95, 1, order_slot=8) == "accepted"
    assert world.order(2, SELL, 95, 1) == "accepted"
    assert world.order(1, BUY, 90, 1, order_slot=8) == "accepted"


def test_rejects_a_ninth_market_until_a_place_is_free() -> None:
    world = World.trading()
    for market in range(2, MAX_POSITIONS + 2):
        world.list_market(market)
        world.report(0, 100, market=market)
    for market in range(1, MAX_POSITIONS + 1):
        assert world.order(1, BUY, 90, 1, market=market, order_slot=market) == "accepted"
    ninth = MAX_POSITIONS + 1
    assert world.order(1, BUY, 90, 1, market=ninth) == "too_many_positions"
    assert world.cancel(1, 3) == "accepted"
    assert world.order(1, BUY, 90, 1, market=ninth) == "accepted"
    assert [p.market for p in world.account(1).positions] == [1, 2, 9, 4, 5, 6, 7, 8]


def test_rejects_more_than_the_position_limit_on_either_side() -> None:
    world = World.trading(max_position=100)
    for order_slot in range(4):
        assert world.order(1, BUY, 100, 25, order_slot=order_slot) == "accepted"
        assert world.order(2, SELL, 101, 25, order_slot=order_slot) == "accepted"
    assert world.order(1, BUY, 100, 1) == "position_limit"
    assert world.order(2, SELL, 101, 1) == "position_limit"
    assert world.order(1, SELL, 102, 1) == "accepted"


def test_a_position_counts_toward_the_limit_with_its_sign() -> None:
    world = World.trading(max_position=100)
    assert world.order(1, BUY, 100, 25) == "accepted"
    assert world.order(2, SELL, 100, 25) == "accepted"
    for order_slot in range(10, 13):
        assert world.order(1, BUY, 99, 25, order_slot=order_slot) == "accepted"
        assert world.order(2, BUY, 98, 25, order_slot=order_slot) == "accepted"
    assert world.order(1, BUY, 99, 1) == "position_limit"
    assert world.order(2, BUY, 98, 25, order_slot=20) == "accepted"  # it is short: there is room
    assert world.order(2, BUY, 98, 25, order_slot=21) == "accepted"
    assert world.order(2, BUY, 98, 1) == "position_limit"


def test_an_open_order_is_reserved_on_its_side() -> None:
    world = World.trading()
    world.order(1, BUY, 90, 3)
    world.order(1, BUY, 91, 4)
    world.order(1, SELL, 110, 5)
    position = world.position(1)
    assert (position.size, position.bids, position.asks) == (0, 7, 5)


def test_a_refused_order_leaves_no_position_behind() -> None:
    world = World.trading(funds=1_000)
    assert world.order(1, BUY, 100, 10_000) == "insufficient_margin"
    assert world.account(1).positions[0].market == 0
    assert world.machine.regs.sequence == 0


def test_what_an_ioc_order_does_not_fill_is_given_up() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 4)
    assert world.order(2, BUY, 100, 10, flags=IOC, order_slot=3) == "accepted"
    assert world.fills() == [(1, 100, 4)]
    assert world.resting(2, 3).market == 0
    assert (world.position(2).size, world.position(2).bids) == (4, 0)


def test_an_ioc_order_that_meets_nobody_leaves_nothing() -> None:
    world = World.trading()
    assert world.order(2, BUY, 100, 10, flags=IOC) == "accepted"
    assert world.account(2).positions[0].market == 0
    assert world.market().best_bid == 0


def test_a_post_only_order_rests_or_is_refused_whole() -> None:
    world = World.trading()
    assert world.order(1, SELL, 100, 4) == "accepted"
    assert world.order(2, BUY, 100, 2, flags=POST_ONLY) == "would_cross"
    assert world.account(2).positions[0].market == 0
    assert world.order(2, BUY, 99, 2, flags=POST_ONLY, order_slot=5) == "accepted"
    assert world.queue(BUY, 99) == [(2, 5, 2)]


def test_sequence_numbers_count_accepted_orders() -> None:
    world = World.trading()
    world.order(1, BUY, 90, 1, order_slot=0, client=77)
    world.cancel(2, 0)
    world.order(2, BUY, 90, 1, order_slot=0)
    assert (world.resting(1, 0).sequence, world.resting(1, 0).client) == (1, 77)
    assert world.resting(2, 0).sequence == 2
