"""Reduce-only orders close, at most what is there: clipped when they come, clipped again when they trade."""

from tests.support.machines.world import BUY, IOC, REDUCE_ONLY, SELL, World


def long_of(size: int = 10) -> World:
    """Account 1 is long, account 2 short."""
    world = World.trading()
    assert world.order(1, BUY, 100, size) == world.order(2, SELL, 100, size) == "accepted"
    return world


def test_rejects_order_that_cannot_reduce() -> None:
    world = long_of()
    assert world.order(3, SELL, 100, 1, flags=REDUCE_ONLY) == "not_reducing"
    assert world.order(1, BUY, 100, 1, flags=REDUCE_ONLY) == "not_reducing"
    assert world.order(2, SELL, 100, 1, flags=REDUCE_ONLY) == "not_reducing"


def test_a_taker_is_clipped_to_its_position() -> None:
    world = long_of()
    world.order(3, BUY, 99, 50)
    assert world.order(1, SELL, 99, 40, flags=REDUCE_ONLY | IOC) == "accepted"
    assert world.fills() == [(3, 99, 10)]
    assert world.account(1).positions[0].market == 0


def test_what_rests_is_clipped_as_well() -> None:
    world = long_of()
    assert world.order(1, SELL, 105, 40, flags=REDUCE_ONLY, order_slot=5) == "accepted"
    assert world.queue(SELL, 105) == [(1, 5, 10)]
    assert world.position(1).asks == 10


def test_a_maker_trades_no_more_than_its_position_has_left() -> None:
    world = long_of()
    world.order(1, SELL, 105, 10, flags=REDUCE_ONLY, order_slot=5)
    world.order(3, BUY, 99, 7)
    world.order(1, SELL, 99, 7)  # the position is 3 now, the order still 10
    assert world.order(2, BUY, 105, 10) == "accepted"
    assert world.fills() == [(1, 105, 3)]
    assert world.resting(1, 5).market == 0  # met again with nothing to close: pruned
    assert world.queue(BUY, 105)[0][2] == 7
    assert world.account(1).positions[0].market == 0


def test_a_maker_whose_position_has_turned_is_pruned() -> None:
    world = long_of()
    world.order(1, SELL, 105, 10, flags=REDUCE_ONLY, order_slot=5)
    world.order(3, BUY, 99, 30)
    world.order(1, SELL, 99, 20)
    assert world.position(1).size == -10
    assert world.order(2, BUY, 105, 4, flags=IOC) == "accepted"
    assert world.fills() == []
    assert world.level(SELL, 105).count == 0


def test_it_may_close_where_opening_is_not_allowed() -> None:
    world = long_of()
    world.set_market(max_position=1, max_open_interest=1)
    assert world.order(3, BUY, 99, 2) == "position_limit"
    world.set_market(max_open_interest=1)
    assert world.order(3, BUY, 99, 2) == "open_interest_cap"
    assert world.order(1, SELL, 101, 10, flags=REDUCE_ONLY) == "accepted"
