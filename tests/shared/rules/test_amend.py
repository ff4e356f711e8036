"""Client ids, and orders that change: a smaller one keeps its turn, any other enters anew."""

from tests.support.machines.world import ABOVE, BELOW, BUY, POST_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import START_TIME


def test_a_cancel_by_client_id_meets_that_order_only() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 5, order_slot=0, client=7)
    assert world.cancel(1, 0, client=8) == "unknown_order"
    assert world.cancel(1, 0, client=7) == "accepted"
    world.order(1, BUY, 99, 5, order_slot=0, client=9)
    assert world.cancel(1, 0) == "accepted"  # no id: whatever is there


def test_a_smaller_order_keeps_its_turn() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 9, order_slot=0)
    world.order(3, SELL, 100, 9, order_slot=0)
    assert world.amend(1, 0, 100, 4) == "accepted"
    assert world.queue(SELL, 100) == [(1, 0, 4), (3, 0, 9)]
    assert (world.level(SELL, 100).size, world.position(1).asks) == (13, 4)
    assert world.resting(1, 0).sequence == 1


def test_a_larger_order_goes_to_the_end() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 4, order_slot=0, client=5, expiry=START_TIME + 9)
    world.order(3, SELL, 100, 9, order_slot=0)
    assert world.amend(1, 0, 100, 5) == "accepted"
    assert world.queue(SELL, 100) == [(3, 0, 9), (1, 0, 5)]
    assert world.position(1).asks == 5
    order = world.resting(1, 0)
    assert (order.client, order.expiry, order.sequence) == (5, START_TIME + 9, 3)


def test_another_price_is_another_level_and_may_trade_at_once() -> None:
    world = World.trading()
    world.order(1, SELL, 105, 4, order_slot=0)
    world.order(2, BUY, 100, 3)
    assert world.amend(1, 0, 104, 4) == "accepted"
    assert (world.level(SELL, 105).count, world.market().best_ask) == (0, 104)
    assert world.amend(1, 0, 100, 4) == "accepted"
    assert world.fills() == [(2, 100, 3)]
    assert world.queue(SELL, 100) == [(1, 0, 1)]


def test_an_order_that_cannot_enter_anew_is_gone() -> None:
    world = World.trading(funds=1_000)
    world.order(1, BUY, 100, 9, order_slot=0)
    assert world.amend(1, 0, 100, 90) == "insufficient_margin"
    assert world.resting(1, 0).market == 0
    assert world.account(1).positions[0].market == 0
    world.order(1, BUY, 100, 9, order_slot=0)
    assert not world.machine.offer(world.traffic.amend(1, 0, 100, 90)).was_taken  # nor a sequencer
    assert world.queue(BUY, 100) == [(1, 0, 9)]


def test_a_post_only_order_stays_one() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 4, flags=POST_ONLY, order_slot=0)
    world.order(2, SELL, 101, 4)
    assert world.amend(1, 0, 101, 4) == "would_cross"
    assert world.position(1).bids == 0


def test_rejects_amend_of_nothing_and_out_of_range() -> None:
    world = World.trading()
    assert world.amend(1, 0, 100, 5) == "unknown_order"
    world.order(1, BUY, 99, 4, order_slot=0)
    assert world.amend(1, 0, 0, 5) == "price_out_of_range"
    assert world.amend(1, 0, 99, 0) == "size_out_of_range"
    assert world.amend(1, 256, 99, 1) == "order_slot_out_of_range"


def test_an_armed_order_shrinks_in_place_or_moves_to_the_end_of_its_trigger() -> None:
    world = World.trading()
    world.order(1, BUY, 112, 9, flags=ABOVE, trigger=110, order_slot=0)
    world.order(3, BUY, 112, 9, flags=ABOVE, trigger=110, order_slot=0)
    assert world.amend(1, 0, 112, 4) == "accepted"
    assert world.queue(2, 110) == [(1, 0, 4), (3, 0, 9)]
    assert world.amend(1, 0, 115, 4) == "accepted"
    assert world.queue(2, 110) == [(3, 0, 9), (1, 0, 4)]
    assert world.resting(1, 0).price == 115
    assert world.position(1).bids == 0  # an armed order reserves nothing


def test_an_armed_order_below_is_cancelled_like_any_other() -> None:
    world = World.trading()
    world.order(1, SELL, 85, 9, flags=BELOW, trigger=90, order_slot=0)
    assert world.market().stop_below == 90
    assert world.cancel(1, 0) == "accepted"
    assert world.market().stop_below == 0
