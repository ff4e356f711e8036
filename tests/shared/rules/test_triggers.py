"""Armed orders: the machine lets them into the book when the mark reaches their trigger, in the order they came."""

from tests.support.machines.world import ABOVE, BELOW, BUY, IOC, REDUCE_ONLY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME


def test_an_armed_order_waits_outside_the_book_and_reserves_nothing_but_a_place() -> None:
    world = World.trading()
    assert world.order(1, SELL, 80, 5, flags=BELOW, trigger=90, order_slot=0) == "accepted"
    market = world.market()
    assert (market.stop_below, market.stop_above, market.best_ask) == (90, 0, 0)
    assert world.queue(3, 90) == [(1, 0, 5)]
    position = world.position(1)
    assert (position.bids, position.asks, position.orders, world.account(1).orders) == (0, 0, 1, 1)
    assert world.order(2, BUY, 80, 5, flags=IOC) == "accepted"
    assert world.fills() == []


def test_rejects_trigger_that_is_reached_already() -> None:
    world = World.trading()
    assert world.order(1, SELL, 80, 5, flags=BELOW, trigger=100) == "would_trigger"
    assert world.order(1, BUY, 120, 5, flags=ABOVE, trigger=100) == "would_trigger"
    assert world.order(1, BUY, 120, 5, flags=ABOVE, trigger=101) == "accepted"
    assert world.order(1, SELL, 80, 5, flags=BELOW, trigger=99) == "accepted"


def test_rejects_armed_order_without_a_price_or_into_a_taken_slot() -> None:
    world = World()
    world.deposit(1, 1_000)
    world.list_market(1)
    assert world.order(1, BUY, 120, 5, flags=ABOVE, trigger=101) == "no_price"
    world = World.trading()
    world.order(1, BUY, 90, 5, order_slot=0)
    assert world.order(1, BUY, 120, 5, flags=ABOVE, trigger=101, order_slot=0) == "order_slot_taken"


def test_a_stop_loss_closes_when_the_mark_falls_to_it() -> None:
    world = World.trading()
    world.order(1, BUY, 100, 5)
    world.order(2, SELL, 100, 5)
    world.order(3, BUY, 88, 50)
    world.order(1, SELL, 85, 99, flags=BELOW | REDUCE_ONLY | IOC, trigger=90, order_slot=4)
    world.set_mark(91)
    assert world.position(1).size == 5
    world.set_mark(90)
    assert world.fills() == [(3, 88, 5)]
    assert world.account(1).positions[0].market == 0
    assert world.market().stop_below == 0


def test_a_take_profit_rests_when_nobody_meets_it() -> None:
    world = World.trading()
    world.order(1, BUY, 100, 5)
    world.order(2, SELL, 100, 5)
    world.order(1, SELL, 120, 5, flags=ABOVE, trigger=115, order_slot=4, client=8)
    world.set_mark(118)
    assert world.queue(SELL, 120) == [(1, 4, 5)]
    order = world.resting(1, 4)
    assert (order.flags, order.trigger, order.client) == (0, 0, 8)
    assert world.position(1).asks == 5


def test_they_enter_nearest_trigger_first_and_oldest_first() -> None:
    world = World.trading(accounts=6)
    world.order(6, SELL, 110, 3)
    world.order(1, BUY, 110, 1, flags=ABOVE | IOC, trigger=105)
    world.order(2, BUY, 110, 1, flags=ABOVE | IOC, trigger=103)
    world.order(3, BUY, 110, 1, flags=ABOVE | IOC, trigger=103)
    world.order(4, BUY, 110, 1, flags=ABOVE | IOC, trigger=107)
    world.set_mark(107)
    assert [fill.taker for fill in world.machine.fills] == [2, 3, 1]
    assert world.market().stop_above == 0


def test_what_cannot_enter_is_gone() -> None:
    world = World.trading(funds=1_000)
    world.order(1, BUY, 110, 900, flags=ABOVE, trigger=105, order_slot=0)  # never had the margin
    world.order(2, SELL, 110, 5, flags=ABOVE | REDUCE_ONLY, trigger=105, order_slot=0)  # nothing to reduce
    world.set_mark(106)
    assert world.machine.regs.outcome == 0
    assert world.resting(1, 0).market == world.resting(2, 0).market == 0
    assert world.account(1).positions[0].market == 0


def test_one_that_has_expired_or_was_cancelled_only_leaves() -> None:
    world = World.trading()
    world.order(1, BUY, 110, 1, flags=ABOVE, trigger=105, order_slot=0, expiry=START_TIME + 1)
    world.order(2, BUY, 110, 1, flags=ABOVE, trigger=105, order_slot=0)
    world.schedule_cancel(2, START_TIME + 1)
    world.set_mark(106)
    assert world.level(2, 105).count == 0
    assert world.market().best_bid == 0


def test_a_fall_and_a_rise_are_looked_at_after_the_sweep() -> None:
    world = World.trading(taker_fee=0, maker_fee=0, funds=1_400)
    world.deposit(2, 10**6)
    world.deposit(3, 10**6)
    world.order(1, BUY, 100, 10)
    world.order(2, SELL, 100, 10)
    world.order(3, BUY, 92, 8)
    # The account's own stop would have sold at 92 first; but the sweep comes before, and takes it out.
    world.order(1, SELL, 80, 10, flags=BELOW | REDUCE_ONLY | IOC, trigger=95, order_slot=4)
    world.set_mark(90)
    assert {fill.price for fill in world.machine.fills if fill.maker == 3} == {92}
    assert world.resting(1, 4).market == 0
    assert world.account(1).orders == 0


def test_a_sub_account_can_arm() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 100_000)
    assert world.order(sub(1), BUY, 110, 1, flags=ABOVE, trigger=105, order_slot=0) == "accepted"
    world.set_mark(105)
    assert world.queue(BUY, 110) == [(sub(1), 0, 1)]


def test_a_stop_beyond_the_band_trades_up_to_its_edge_and_rests_there() -> None:
    world = World.trading(mark=100, band=100_000, step_band=900_000, maintenance_margin=100_000)
    world.order(3, SELL, 110, 2)
    world.order(1, BUY, 200, 5, flags=ABOVE, trigger=104, order_slot=4)
    world.set_mark(105)
    assert world.fills() == [(3, 110, 2)]
    assert world.queue(BUY, 115) == [(1, 4, 3)]
    world.order(2, SELL, 1, 5, flags=BELOW, trigger=96, order_slot=4)
    world.set_mark(95)
    assert world.fills() == [(1, 115, 3)]
    assert world.queue(SELL, 86) == [(2, 4, 2)]  # 95 less a tenth, rounded toward the mark


def test_a_stop_whose_limit_lies_far_on_the_other_side_rests_where_its_owner_wants_it() -> None:
    world = World.trading(mark=100, band=100_000, step_band=900_000, maintenance_margin=100_000)
    assert world.order(1, BUY, 80, 5) == "price_band"
    world.order(1, BUY, 80, 5, flags=ABOVE, trigger=104, order_slot=4)
    world.order(2, SELL, 140, 5, flags=ABOVE, trigger=104, order_slot=4)
    world.set_mark(105)
    assert (world.queue(BUY, 80), world.queue(SELL, 140)) == ([(1, 4, 5)], [(2, 4, 5)])


def test_a_limit_within_the_band_is_never_changed() -> None:
    world = World.trading(mark=100, band=100_000, step_band=900_000, maintenance_margin=100_000)
    world.order(1, BUY, 114, 5, flags=ABOVE, trigger=104, order_slot=4)
    world.set_mark(105)
    assert world.queue(BUY, 114) == [(1, 4, 5)]


def test_a_crank_fires_as_well() -> None:
    world = World.trading(mark=1_000, impact=1, initial_margin=300_000, maintenance_margin=300_000)
    world.order(1, BUY, 1_200, 1, flags=ABOVE, trigger=1_005, order_slot=0)
    world.order(2, BUY, 1_035, 1)
    world.order(3, SELL, 1_045, 1)
    assert world.crank() == "accepted"
    assert world.fills() == []
    world.wait(60)
    assert world.crank() == "accepted"  # the mark rises to 1,009
    assert world.fills() == [(3, 1_045, 1)]
