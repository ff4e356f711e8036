"""Shares of the backstop: worth its equity; asked for, and settled when the delay is over."""

import pytest
from tests.support.machines.invariants import check_invariants
from tests.support.machines.world import BACKSTOP, BUY, SELL, World

from setoff.shared.codec import records
from setoff.shared.machine.machine import TAKEOVER
from setoff.shared.rules import phases
from setoff.shared.rules.phases import VIRTUAL_SHARES

ONE = VIRTUAL_SHARES
"""Shares that a unit buys at first."""
DELAY = 1_000
PLAIN = {"taker_fee": 0, "maker_fee": 0}


def give(world: World, amount: int) -> None:
    """A profit of the backstop, paid by account 1."""
    world.machine.state.account(BACKSTOP).collateral += amount
    world.machine.state.account(1).collateral -= amount


def test_the_first_shares_are_1024_for_a_unit() -> None:
    world = World.trading()
    assert world.backstop_deposit(1, 500) == "accepted"
    assert (world.account(1).shares, world.account(1).collateral) == (500 * ONE, 999_500)
    assert (world.account(BACKSTOP).shares, world.account(BACKSTOP).collateral) == (500 * ONE, 500)


def test_later_shares_cost_what_they_are_worth_rounded_against_the_buyer() -> None:
    world = World.trading()
    world.backstop_deposit(1, 500)
    give(world, 250)
    assert world.backstop_deposit(2, 100) == "accepted"
    assert world.account(2).shares == 100 * 501 * ONE // 751 == 68_312
    assert world.backstop_withdraw(1, 500 * ONE) == "accepted"
    assert world.account(1).collateral == 1_000_000 - 500 - 250 + 850 * 500 * ONE // (500 * ONE + 68_312 + ONE)
    assert world.backstop_withdraw(2, 68_312) == "accepted"
    left = world.account(BACKSTOP)
    assert left.shares == 0 and 0 < left.collateral <= 4  # what 1,024 shares are worth that belong to nobody


def test_rejects_deposit_beyond_what_is_free_and_shares_that_are_not_there() -> None:
    world = World.trading()
    assert world.backstop_deposit(1, 1_000_001) == "insufficient_margin"
    assert world.backstop_deposit(1, 0) == "amount_out_of_range"
    world.backstop_deposit(1, 500)
    assert world.backstop_withdraw(1, 500 * ONE + 1) == "insufficient_margin"
    assert world.backstop_withdraw(2, 1) == "insufficient_margin"
    assert world.backstop_withdraw(1, 0) == "amount_out_of_range"


def test_a_deposit_too_small_for_a_share_comes_back() -> None:
    world = World.trading()
    world.backstop_deposit(1, 10)
    give(world, 990 * ONE)
    price = (10 + 990 * ONE + 1) // (11 * ONE)  # and a part of a unit
    for amount, shares in ((price, 0), (price + 1, 1)):
        assert world.backstop_deposit(2, amount) == "accepted"
        assert world.account(2).shares == shares
        assert world.account(2).collateral == 1_000_000 - (amount if shares else 0)


@pytest.mark.parametrize("profit", [1_000, 10**6, 10**9])
def test_who_was_there_with_a_unit_takes_little_from_those_who_come(profit: int) -> None:
    """The attack on ERC-4626 vaults: one unit, then a profit that makes shares dear, and others get none."""
    world = World.trading(funds=10**10)
    world.backstop_deposit(1, 1)
    give(world, profit)
    amount = max(10**6, profit // 100)
    assert world.backstop_deposit(2, amount) == "accepted"
    assert world.backstop_withdraw(2, world.account(2).shares) == "accepted"
    assert 10**10 - world.account(2).collateral <= amount // 10
    world.backstop_withdraw(1, ONE)
    # It paid the profit itself, and half of that stays with the shares of nobody.
    assert world.account(1).collateral < 10**10 - profit // 3


def test_what_nobody_s_shares_are_worth_is_not_given_to_who_comes_first() -> None:
    world = World.trading()
    give(world, 1_000)
    assert world.backstop_deposit(2, 5_000) == "accepted"
    assert world.backstop_withdraw(2, world.account(2).shares) == "accepted"
    assert 999_990 <= world.account(2).collateral <= 1_000_000


@pytest.mark.parametrize("worth", [0, -300])
def test_shares_of_a_backstop_that_lost_all_are_void_and_a_new_generation_begins(worth: int) -> None:
    world = World.trading()
    world.backstop_deposit(1, 500)
    give(world, worth - 500)
    if worth:
        assert world.backstop_deposit(2, -worth) == "accepted"  # all of it would go to what the backstop owes
        assert (world.account(2).shares, world.account(2).collateral) == (0, 1_000_000)
    assert world.backstop_deposit(2, 1_000) == "accepted"
    assert (world.account(BACKSTOP).generation, world.account(2).generation, world.account(1).generation) == (1, 1, 0)
    assert world.account(BACKSTOP).shares == world.account(2).shares == 1_000 * ONE
    assert world.backstop_withdraw(1, 1) == "insufficient_margin"  # its 512,000 are worth nothing
    assert world.backstop_deposit(1, 100) == "accepted"
    assert world.account(1).generation == 1
    assert world.account(1).shares == 100 * 1_001 * ONE // (1_001 + worth)
    assert world.backstop_withdraw(2, 1_000 * ONE) == "accepted"
    assert world.account(2).collateral == 1_000_000 - 1_000 + (1_100 + worth) * 1_000 * ONE // (
        1_001 * ONE + world.account(1).shares
    )


def test_all_but_a_millionth_lost_is_all_lost() -> None:
    world = World.trading(funds=2**40)
    world.backstop_deposit(1, 2**30)
    give(world, 2**10 - 2**30)
    assert world.backstop_deposit(2, 1) == "accepted"
    assert world.account(BACKSTOP).generation == 0  # 2^40 shares on 2^10 units: just not void
    give(world, -2)
    assert world.backstop_deposit(2, 2**10 * (2**10 - 1) - 1) == "accepted"
    assert world.account(BACKSTOP).generation == 0  # what is left is more than a 2^10th of what comes
    give(world, 2**10 - 2 - world.account(BACKSTOP).collateral)
    assert world.backstop_deposit(2, 2**10 * (2**10 - 2)) == "accepted"
    assert world.account(BACKSTOP).generation == 1


# --- requests wait ----------------------------------------------------------------------------------------------------


def waiting(**market: int) -> World:
    """Three accounts with a million; account 3 has 100,000 in the backstop. From now on requests
    wait for `DELAY`."""
    world = World.trading(**{**PLAIN, "max_age": 60, **market})
    assert world.backstop_deposit(3, 100_000) == "accepted"
    world.machine.regs.backstop_delay = DELAY
    return world


def pass_delay(world: World, mark: int = 100) -> None:
    """The delay passes, and a price comes."""
    world.set_mark(mark, seconds=DELAY)


def fail(world: World) -> None:
    """Account 1 fails into the backstop, with all that it has left at the close-out."""
    world.machine.state.account(1).collateral -= 990_000
    world.machine.state.account(2).collateral += 990_000
    assert world.order(1, BUY, 100, 100) == world.order(2, SELL, 100, 100) == "accepted"
    world.set_mark(94)
    assert world.trades(TAKEOVER)


def test_money_that_waits_is_neither_the_account_s_nor_at_risk() -> None:
    world = waiting(close_out=50_000)
    assert world.backstop_deposit(2, 900_000) == "accepted"
    assert world.account(2).collateral == 100_000 and world.account(BACKSTOP).collateral == 100_000
    assert world.withdraw(2, 100_001) == "insufficient_margin"
    assert world.request(2).due == world.traffic.time + DELAY
    world.set_mark(100, seconds=DELAY - 1)
    assert world.account(2).shares == 0
    world.set_mark(100)
    assert world.account(2).shares == 900_000 * ONE and world.account(BACKSTOP).collateral == 1_000_000
    assert world.request(2).amount == 0


def test_who_comes_just_before_a_takeover_has_no_part_in_it() -> None:
    world = waiting(close_out=50_000)
    assert world.backstop_deposit(2, 900_000) == "accepted"
    fail(world)
    assert world.equity(BACKSTOP) > 100_000
    assert world.backstop_withdraw(2, 1) == "request_pending"
    pass_delay(world, 94)
    worth = world.equity(BACKSTOP) * world.account(2).shares // (world.account(BACKSTOP).shares + ONE)
    assert 899_990 <= worth <= 900_000


def test_who_asks_to_leave_before_a_loss_bears_it() -> None:
    world = waiting(close_out=50_000)
    fail(world)
    before, shares = world.equity(BACKSTOP), world.account(3).shares
    assert world.backstop_withdraw(3, shares) == "accepted"
    assert world.account(3).shares == 0 and world.account(BACKSTOP).shares == shares
    for mark in (93, 92, 91, 90):
        world.set_mark(mark)
    after = world.equity(BACKSTOP)
    assert after < before
    money = world.account(3).collateral
    pass_delay(world, 90)
    paid = world.account(3).collateral - money
    assert 0 < paid <= after and world.account(3).shares > 0  # what the margin leaves free; the rest came back


def test_nobody_takes_a_request_back_or_has_two() -> None:
    world = waiting()
    assert world.backstop_deposit(2, 1_000) == "accepted"
    assert world.backstop_deposit(2, 1_000) == world.backstop_withdraw(2, 1) == "request_pending"
    assert world.backstop_deposit(1, 1_000) == "accepted"
    pass_delay(world)
    assert world.backstop_deposit(2, 1_000) == "accepted"


def test_requests_are_settled_in_turn_at_one_price() -> None:
    world = waiting()
    for account in (1, 2):
        assert world.backstop_deposit(account, 50_000) == "accepted"
    world.wait(10)
    assert world.backstop_withdraw(3, 40_000 * ONE) == "accepted"
    give(world, 10_000)
    pass_delay(world)
    assert world.account(1).shares == world.account(2).shares == 50_000 * 100_001 * ONE // 110_001
    assert world.account(3).collateral == 900_000 + 40_000 * 110_001 // 100_001
    check_invariants(world.machine, 3_000_000)


def test_they_wait_for_a_fresh_price_of_what_the_backstop_holds() -> None:
    world = waiting(close_out=50_000)
    fail(world)
    assert world.backstop_deposit(2, 1_000) == "accepted"
    world.wait(DELAY)
    assert world.crank(0) == "stale_price" and world.request(2).amount == 1_000
    world.report(0, 94)
    assert world.request(2).amount == 0 and world.account(2).shares > 0


def test_what_the_margin_does_not_leave_free_comes_back_as_shares() -> None:
    world = waiting()
    assert world.backstop_withdraw(3, 100_000 * ONE) == "accepted"
    account = world.machine.state.account(BACKSTOP)
    account.positions[0].market, account.positions[0].size, account.collateral = 1, 1_000, 100_000 - 1_000_000
    pass_delay(world)  # 100,000 of equity, and 100,000 of margin are needed
    assert (world.account(3).collateral, world.account(3).shares) == (900_000, 100_000 * ONE)
    assert world.backstop_withdraw(3, 100_000 * ONE) == "accepted"
    world.machine.state.account(BACKSTOP).positions[0].size = 900
    world.machine.state.account(BACKSTOP).collateral += 100_000
    pass_delay(world)
    free = 100_000 - 90_000
    assert free - 2 <= world.account(3).collateral - 900_000 <= free
    assert world.account(3).shares == world.account(BACKSTOP).shares
    assert world.account(3).shares == 100_000 * ONE - free * (100_000 + 1) * ONE // 100_000


def test_a_crank_of_no_market_settles_what_is_due() -> None:
    world = waiting()
    assert world.crank(0) == "not_due"
    assert world.backstop_deposit(2, 1_000) == "accepted"
    assert world.crank(0) == "not_due"
    world.wait(DELAY)
    assert world.crank(0) == "accepted" and world.account(2).shares == 1_000 * ONE
    assert world.crank(0) == "not_due"


def test_in_a_wind_down_nothing_waits_and_deposits_come_back() -> None:
    world = waiting()
    assert world.backstop_deposit(2, 1_000) == world.backstop_withdraw(3, 60_000 * ONE) == "accepted"
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"
    assert world.crank(0) == "accepted"
    assert (world.account(2).collateral, world.account(2).shares) == (1_000_000, 0)
    assert world.account(3).collateral == 959_999
    assert world.backstop_withdraw(3, 40_000 * ONE) == "accepted"
    assert world.account(3).collateral == 999_999 and world.account(BACKSTOP).shares == 0


def test_more_requests_than_an_input_has_steps_for_are_settled_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.trading(accounts=40, **PLAIN)
    world.machine.regs.backstop_delay = DELAY
    for account in range(1, 41):
        assert world.backstop_deposit(account, 1_000) == "accepted"
    monkeypatch.setattr(phases, "WORK_LIMIT", 64)
    pass_delay(world)
    check_invariants(world.machine, 40_000_000)
    inputs = 1
    while world.machine.regs.has_work:
        assert world.order(1, BUY, 100, 1) == "busy"
        check_invariants(world.machine, 40_000_000)
        inputs += 1
    assert inputs == 3
    assert world.account(BACKSTOP).shares == 40_000 * ONE
    assert all(world.account(account).shares == 1_000 * ONE for account in range(1, 41))
