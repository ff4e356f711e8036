"""Fill or kill: counted first, maker by maker and level by level; then it trades all of its size, or nothing."""

import pytest
from tests.support.machines.world import BUY, FOK, REDUCE_ONLY, SELL, WIDE, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec import records
from setoff.shared.rules import phases


def test_all_of_it_over_several_levels_and_bitmap_words() -> None:
    world = World.trading(mark=260, **WIDE)
    for order_slot, tick in enumerate((254, 255, 256, 300)):
        world.order(1, SELL, tick, 3, order_slot=order_slot)
    assert world.order(2, BUY, 300, 12, flags=FOK) == "accepted"
    assert world.fills() == [(1, 254, 3), (1, 255, 3), (1, 256, 3), (1, 300, 3)]
    assert world.position(2).size == 12


def test_nothing_where_one_lot_is_missing() -> None:
    world = World.trading(mark=260, **WIDE)
    for order_slot, tick in enumerate((254, 255, 256, 300)):
        world.order(1, SELL, tick, 3, order_slot=order_slot)
    assert world.order(2, BUY, 300, 13, flags=FOK) == "unfillable"
    assert world.order(2, BUY, 299, 10, flags=FOK) == "unfillable"  # the fourth level is beyond its limit
    assert world.fills() == []
    assert world.account(2).positions[0].market == 0
    assert world.level(SELL, 254).size == 3


def test_nothing_where_the_book_is_empty() -> None:
    world = World.trading()
    assert world.order(2, SELL, 100, 1, flags=FOK) == "unfillable"
    assert world.account(2).positions[0].market == 0


def test_sells_count_bids_from_the_highest_down() -> None:
    world = World.trading(mark=520)
    for order_slot, tick in enumerate((513, 512, 511, 255)):
        world.order(1, BUY, tick, 2, order_slot=order_slot)
    assert world.order(2, SELL, 255, 9, flags=FOK) == "unfillable"
    assert world.order(2, SELL, 511, 6, flags=FOK) == "accepted"
    assert world.fills() == [(1, 513, 2), (1, 512, 2), (1, 511, 2)]


def test_the_last_maker_is_filled_in_part() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.order(3, SELL, 100, 5, order_slot=0)
    assert world.order(2, BUY, 100, 7, flags=FOK) == "accepted"
    assert world.queue(SELL, 100) == [(3, 0, 3)]


def test_dead_makers_do_not_count_and_are_pruned_only_if_it_trades() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.order(3, SELL, 100, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME)
    assert world.order(2, BUY, 100, 6, flags=FOK) == "unfillable"
    assert world.level(SELL, 100).count == 2
    assert world.order(2, BUY, 100, 5, flags=FOK) == "accepted"
    assert world.fills() == [(3, 100, 5)]
    assert world.level(SELL, 100).count == 0


def test_unfunded_makers_do_not_count() -> None:
    world = World.trading(funds=1_300, taker_fee=0, maker_fee=0)
    world.deposit(2, 1_000_000)
    world.deposit(3, 1_000_000)
    world.order(1, SELL, 100, 10, order_slot=0)  # needs 1,000
    world.order(3, SELL, 100, 10, order_slot=0)
    world.set_mark(105)  # now 1,050, and 500 are lost against the mark
    assert world.order(2, BUY, 105, 20, flags=FOK) == "unfillable"
    assert world.order(2, BUY, 105, 10, flags=FOK) == "accepted"
    assert world.fills() == [(3, 100, 10)]


@pytest.mark.parametrize(("funds", "outcome"), [(2_474, "unfillable"), (2_475, "accepted")])
def test_orders_of_one_maker_count_only_if_all_of_them_can_fill(funds: int, outcome: str) -> None:
    world = World.trading(funds=funds, taker_fee=0, maker_fee=0)
    world.deposit(2, 1_000_000)
    world.order(1, SELL, 100, 10, order_slot=0)
    world.order(1, SELL, 101, 10, order_slot=1)
    world.set_mark(101)
    # 20 lots at 1,010 take 2,020 of margin and lose 200 at the best ask; 255 are held back for the rounding of fees.
    assert world.order(2, BUY, 101, 20, flags=FOK) == outcome


def test_reduce_only_makers_count_only_if_their_position_is_large_enough_for_all() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, BUY, 100, 10)
    world.order(2, SELL, 100, 10)
    world.order(1, SELL, 101, 10, flags=REDUCE_ONLY, order_slot=1)
    assert world.order(3, BUY, 101, 10, flags=FOK, order_slot=1) == "accepted"
    assert world.fills() == [(1, 101, 10)]
    world.order(1, BUY, 100, 10, order_slot=2)
    world.order(2, SELL, 100, 10)
    world.order(1, SELL, 101, 10, flags=REDUCE_ONLY, order_slot=3)
    world.order(1, SELL, 102, 10, flags=REDUCE_ONLY, order_slot=4)
    assert world.order(3, BUY, 102, 20, flags=FOK) == "unfillable"
    assert world.fills() == []


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [(records.CANCEL_MAKER, "accepted"), (records.CANCEL_TAKER, "self_trade"), (records.CANCEL_BOTH, "self_trade")],
)
def test_own_orders_in_the_way_follow_the_self_trade_rule(rule: int, outcome: str) -> None:
    world = World.trading()
    world.transfer(2, sub(2), 100_000)
    world.order(sub(2), SELL, 100, 5, order_slot=0)
    world.order(1, SELL, 100, 5, order_slot=0)
    assert world.order(2, BUY, 100, 6, flags=FOK | rule) == (
        "unfillable" if rule == records.CANCEL_MAKER else "self_trade"
    )
    assert world.level(SELL, 100).count == 2
    assert world.order(2, BUY, 100, 5, flags=FOK | rule) == outcome
    assert world.fills() == ([(1, 100, 5)] if outcome == "accepted" else [])


def test_it_counts_a_bounded_number_of_makers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "MAX_MATCHES", 4)
    world = World.trading()
    for order_slot in range(6):
        world.order(1, SELL, 100 + order_slot, 1, order_slot=order_slot)
    before = world.machine.regs.steps
    assert world.order(2, BUY, 110, 5, flags=FOK) == "unfillable"
    assert world.order(2, BUY, 110, 4, flags=FOK) == "accepted"
    assert world.machine.regs.steps - before <= 2 * (8 * 4 + 32)
