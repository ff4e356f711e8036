"""Price-time priority, partial fills, and the makers that do not trade."""

import pytest
from tests.support.machines.world import BUY, IOC, POST_ONLY, SELL, WIDE, World

from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.rules import phases
from setoff.shared.rules.matching import is_crossing
from setoff.shared.state import keys


@pytest.mark.parametrize(
    ("side", "limit", "best", "crosses"),
    [
        (BUY, 100, 100, True),
        (BUY, 100, 101, False),
        (BUY, 100, 0, False),
        (SELL, 100, 100, True),
        (SELL, 100, 99, False),
        (SELL, 100, 0, False),
    ],
)
def test_an_order_crosses_at_its_limit_or_better(side: int, limit: int, best: int, crosses: bool) -> None:
    assert is_crossing(side, limit, best) == crosses


def test_the_best_price_comes_first_then_the_oldest_order() -> None:
    world = World.trading(accounts=6)
    world.order(1, SELL, 102, 1)
    world.order(2, SELL, 101, 1)
    world.order(3, SELL, 101, 1)
    world.order(4, SELL, 100, 1)
    world.order(5, BUY, 102, 4)
    assert world.fills() == [(4, 100, 1), (2, 101, 1), (3, 101, 1), (1, 102, 1)]


def test_bids_trade_from_the_highest() -> None:
    world = World.trading(accounts=4)
    world.order(1, BUY, 98, 1)
    world.order(2, BUY, 99, 1)
    world.order(3, SELL, 98, 2)
    assert world.fills() == [(2, 99, 1), (1, 98, 1)]
    assert world.market().best_bid == 0


def test_a_partly_filled_maker_keeps_its_place_in_the_queue() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 10, order_slot=0)
    world.order(2, SELL, 100, 10, order_slot=0)
    world.order(3, BUY, 100, 4)
    world.order(3, BUY, 100, 9)
    assert world.fills() == [(1, 100, 6), (2, 100, 3)]
    assert world.queue(SELL, 100) == [(2, 0, 7)]
    assert world.level(SELL, 100).size == 7


def test_what_is_left_of_a_taker_rests_at_its_limit() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 3)
    world.order(2, BUY, 101, 10, order_slot=8)
    assert world.fills() == [(1, 100, 3)]
    assert world.queue(BUY, 101) == [(2, 8, 7)]
    market = world.market()
    assert (market.best_bid, market.best_ask) == (101, 0)
    assert (world.position(2).size, world.position(2).bids) == (3, 7)


def test_a_taker_stops_at_its_limit() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 1)
    world.order(1, SELL, 103, 1)
    world.order(2, BUY, 102, 5, flags=IOC)
    assert world.fills() == [(1, 100, 1)]
    assert world.market().best_ask == 103


def test_the_taker_s_own_orders_are_pruned_not_traded() -> None:
    world = World.trading()
    world.order(2, SELL, 100, 5, order_slot=0)
    world.order(1, SELL, 100, 5, order_slot=0)
    world.order(2, SELL, 101, 5, order_slot=1)
    world.order(2, BUY, 101, 8, order_slot=2)
    assert world.fills() == [(1, 100, 5)]
    assert world.resting(2, 0).market == world.resting(2, 1).market == 0
    assert world.queue(BUY, 101) == [(2, 2, 3)]
    position = world.position(2)
    assert (position.size, position.bids, position.asks) == (5, 3, 0)


def test_a_pruned_only_order_of_the_taker_keeps_its_position_place() -> None:
    world = World.trading()
    world.order(2, SELL, 100, 5, order_slot=0)
    assert world.order(2, BUY, 100, 2, flags=IOC, order_slot=1) == "accepted"
    assert world.fills() == []
    assert world.account(2).positions[0].market == 0
    assert world.level(SELL, 100).count == 0


def test_an_order_visits_all_makers_there_are() -> None:
    world = World.trading(**WIDE)
    for order_slot in range(25):
        world.order(1, SELL, 100 + order_slot, 1, order_slot=order_slot)  # each on its own level: the longest way
    before = world.machine.regs.steps
    world.order(2, BUY, 118, 25)
    # Six a maker, the two positions that open, and the order itself.
    assert world.machine.regs.steps - before <= 6 * 19 + 2 + 6
    assert len(world.fills()) == 19
    assert world.queue(BUY, 118) == [(2, 0, 6)]


def test_the_step_bound_of_a_record_fits_into_a_slot() -> None:
    assert phases.RECORD_STEP_BOUND == 10 * phases.MAX_MATCHES + 4 * (keys.MAX_ORDER_SLOT + 1) + 64
    assert phases.INPUT_STEP_BOUND < 2**20
    assert phases.WORK_LIMIT + phases.RECORD_STEP_BOUND < phases.INPUT_STEP_BOUND
    # A fill-or-kill order that comes to nothing takes no more than a record's share: fetch, admit, margin, match, drop.
    assert 2 * phases.MAX_MATCHES + 5 <= phases.BATCH_STEP_CAP // MAX_INPUTS
    # A bulk of the most pages has room in a batch, whatever each of its inputs does.
    assert (1 + phases.MAX_LEG_PAGES) * phases.INPUT_STEP_BOUND < phases.BATCH_STEP_CAP


def test_a_post_only_order_does_not_look_at_its_own_side() -> None:
    world = World.trading()
    world.order(1, BUY, 100, 1)
    assert world.order(2, BUY, 101, 1, flags=POST_ONLY) == "accepted"
    assert world.market().best_bid == 101


def test_open_interest_is_that_of_the_longs() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 10)
    world.order(2, BUY, 100, 10)
    assert world.market().open_interest == 10
    world.order(3, BUY, 100, 4)
    world.order(2, SELL, 100, 4)  # hands its long over
    assert world.market().open_interest == 10
    world.order(3, SELL, 100, 4)
    world.order(1, BUY, 100, 4)  # both close
    assert world.market().open_interest == 6


def test_markets_do_not_mix() -> None:
    world = World.trading()
    world.list_market(2)
    world.report(0, 100, market=2)
    world.order(1, SELL, 100, 5, market=1)
    assert world.order(2, BUY, 100, 5, market=2) == "accepted"
    assert world.fills() == []
    assert world.queue(BUY, 100, market=2) == [(2, 0, 5)]
