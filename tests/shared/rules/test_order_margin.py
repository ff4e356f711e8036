"""What is kept for an account costs it margin: each order that has a leaf, and each position once."""

import pytest
from tests.support.machines.world import ABOVE, BELOW, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.rules.margin import EVERY, compute_health, compute_initial, compute_order_margin

FREE = {"unit": 1, "taker_fee": 0, "maker_fee": 0, "order_margin": 100}
"""A lot at 100 ticks is worth 100 units and needs 10 of initial margin; an order or a position needs 100 more."""


def world_with(funds: int, accounts: int = 4, **market: int) -> World:
    return World.trading(accounts=accounts, funds=funds, **(FREE | market))


@pytest.mark.parametrize(("flags", "needed"), [(0, 210), (POST_ONLY, 210), (IOC, 110), (FOK, 110)])
def test_an_order_that_may_rest_needs_its_leaf_s_margin(flags: int, needed: int) -> None:
    world = world_with(needed - 1)
    assert world.order(1, BUY, 100, 1, flags=flags) == "insufficient_margin"
    assert world.account(1).positions[0].market == 0
    assert world.deposit(1, 1) == "accepted"
    assert world.order(1, BUY, 100, 1, flags=flags) == ("unfillable" if flags == FOK else "accepted")


def test_the_requirement_counts_each_order_and_each_position_once() -> None:
    world = world_with(10_000)
    for order_slot in range(3):
        assert world.order(1, BUY, 90, 2, order_slot=order_slot) == "accepted"
    assert world.order(1, BUY, 120, 5, flags=ABOVE, trigger=110, order_slot=9) == "accepted"
    state, regs = world.machine.state, world.machine.regs
    account = state.account(1)
    assert compute_health(regs, state, account, EVERY) == (10_000, 6 * 10 + 100 + 4 * 100)
    assert compute_order_margin(state, account) == 400
    assert compute_initial(0, world.market(), 0) == 0
    assert world.withdraw(1, 10_000 - 560 + 1) == "insufficient_margin"
    assert world.withdraw(1, 10_000 - 560) == "accepted"
    assert world.amend(1, 0, 90, 1) == "accepted"  # less at the same price: the same leaf
    assert compute_health(regs, state, account, EVERY) == (560, 5 * 10 + 100 + 4 * 100)


def test_an_account_holds_no_more_orders_than_it_can_pay_for() -> None:
    world = world_with(1_000)
    outcomes = [
        world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, order_slot=order_slot) for order_slot in range(12)
    ]
    assert outcomes == ["accepted"] * 10 + ["insufficient_margin"] * 2
    assert (world.account(1).orders, world.position(1).orders) == (2**10 - 1, 10)
    assert world.cancel(1, 3) == "accepted"
    assert world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, order_slot=11) == "accepted"


def test_a_leg_page_rests_what_the_account_can_pay_for() -> None:
    world = world_with(1_000)
    world.bulk(1, [Leg(0, 1, order_slot, 90, 1) for order_slot in range(8)] + [Leg(0, 1, 8, 90, 1)])
    assert world.account(1).orders == 2**8 - 1  # 8 · 110 + 100 = 980


def test_an_order_in_a_market_that_costs_more_needs_more_from_then_on() -> None:
    world = world_with(1_000)
    assert world.order(1, BUY, 90, 1) == "accepted"
    assert world.set_market(**(FREE | {"order_margin": 10**6})) == "accepted"
    assert world.queue(BUY, 90) == [(1, 0, 1)]  # nothing is taken out
    assert world.withdraw(1, 1) == "insufficient_margin"
    assert world.order(1, BUY, 90, 1) == "insufficient_margin"
    assert world.cancel(1, 0) == "accepted"
    assert world.withdraw(1, 1_000) == "accepted"


def test_the_dead_are_paid_for_until_they_are_gone() -> None:
    world = world_with(1_000)
    world.order(1, BUY, 90, 1, order_slot=0, expiry=START_TIME + 10)
    world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, order_slot=1, expiry=START_TIME + 10)
    world.set_mark(100, seconds=10)
    assert world.withdraw(1, 1_000) == "insufficient_margin"
    assert world.withdraw(1, 690) == "accepted"
    assert world.cancel(1, 0) == "accepted"
    assert world.withdraw(1, 210) == "accepted"
    assert world.cancel(1, 1) == "accepted"
    assert world.withdraw(1, 100) == "accepted"


def loser() -> World:
    """Account 1 bought 80 lots at 100; at a mark of 90 it has 1,200 of the 720 + 100 that they need."""
    world = world_with(2_000)
    world.deposit(2, 10**6)
    world.deposit(3, 10**6)
    assert world.order(2, SELL, 100, 80, order_slot=0) == "accepted"
    assert world.order(1, BUY, 100, 80) == "accepted"
    world.set_mark(90)
    assert world.position(1).size == 80
    return world


def test_closing_orders_need_no_more_than_their_leaves() -> None:
    world = loser()
    world.set_mark(81)  # equity 480 of 648 + 100
    for order_slot in (4, 5, 6, 7):
        assert world.order(1, SELL, 81, 1, order_slot=order_slot) == "accepted"
    assert world.order(1, SELL, 81, 1, order_slot=8) == "insufficient_margin"
    assert world.order(1, SELL, 60, 1, order_slot=8, flags=BELOW | REDUCE_ONLY, trigger=70) == "insufficient_margin"
    assert world.order(1, SELL, 81, 1, order_slot=8, flags=IOC) == "accepted"
    assert world.cancel(1, 4) == "accepted"
    assert world.order(1, SELL, 60, 1, order_slot=8, flags=BELOW, trigger=70) == "insufficient_margin"
    assert world.order(1, SELL, 60, 1, order_slot=8, flags=BELOW | REDUCE_ONLY, trigger=70) == "accepted"
    assert world.order(3, BUY, 81, 76) == "accepted"
    assert world.fills() == [(1, 81, 1)] * 3


@pytest.mark.parametrize("price", [100, 90, 81, 79])
def test_a_whole_position_can_be_closed_at_the_mark_whatever_an_order_costs(price: int) -> None:
    world = loser()
    world.set_market(**(FREE | {"order_margin": 10**12, "maintenance_margin": 1}))
    world.set_mark(price)
    assert world.order(3, BUY, price, 80, order_slot=0) == "insufficient_margin"
    world.set_market(**(FREE | {"maintenance_margin": 1}))
    assert world.order(3, BUY, price, 80, order_slot=0) == "accepted"
    world.set_market(**(FREE | {"order_margin": 10**12, "maintenance_margin": 1}))
    assert world.order(1, SELL, price, 80, flags=IOC) == "accepted"
    # The buyer's opening fill is not funded at such a price of orders; what matters is that the seller was let in.
    assert world.machine.regs.outcome == 0


def test_an_armed_order_waits_for_a_fresh_price_unless_it_can_only_close() -> None:
    world = world_with(10_000, max_age=60)
    assert world.list_market(2, **FREE, max_age=60) == "accepted"
    assert world.report(0, 100, market=2) == "accepted"
    assert world.order(2, SELL, 100, 1, market=2) == "accepted"
    assert world.order(1, BUY, 100, 1, market=2) == "accepted"
    assert world.order(3, BUY, 90, 1, market=2) == "accepted"
    world.wait(61)
    assert world.report(0, 100) == "accepted"
    arm = {"flags": ABOVE, "trigger": 110}
    assert world.order(1, BUY, 120, 1, **arm) == "stale_price"
    assert [place.market for place in world.account(1).positions[:2]] == [2, 0]
    assert world.order(1, BUY, 120, 1, flags=ABOVE | REDUCE_ONLY, trigger=110) == "accepted"
    assert world.order(3, BUY, 120, 1, **arm) == "accepted"  # holds nothing: orders alone are worth nothing
    assert world.order(4, BUY, 120, 1, market=2, **arm) == "accepted"


def test_nine_armed_orders_in_nine_markets_find_no_place() -> None:
    world = world_with(10_000)
    for market in range(2, 10):
        world.list_market(market, **FREE)
        world.report(0, 100, market=market)
    outcomes = [world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, market=market) for market in range(1, 10)]
    assert outcomes == ["accepted"] * 8 + ["too_many_positions"]
    assert world.cancel(1, 0) == "accepted"
    assert world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, market=9) == "accepted"


def test_orders_need_nothing_in_a_wind_down() -> None:
    world = world_with(1_000)
    world.order(1, BUY, 90, 4, order_slot=0)
    world.order(1, BUY, 120, 1, flags=ABOVE, trigger=110, order_slot=1)
    assert world.withdraw(1, 1_000) == "insufficient_margin"
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"
    assert world.withdraw(1, 1_000) == "accepted"
    assert world.account(1).orders == 3  # no visit of a wind-down takes them out
    world.wait(61)
    assert world.crank() == "accepted"
    assert world.account(1).orders == 3


def test_a_liquidation_first_empties_the_book_of_the_account_an_order_a_piece() -> None:
    world = loser()
    for order_slot in (7, 30, 255):
        assert world.order(1, SELL, 130 + order_slot % 20, 1, order_slot=order_slot) == "accepted"
    before = world.machine.regs.sequence
    world.press(78)
    assert world.account(1).orders == 0
    assert world.machine.regs.sequence == before
    assert world.position(1).size < 80
