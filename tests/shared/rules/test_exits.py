"""Exits while withdrawals are limited: each owner's part of its own money, hour by hour, whoever else leaves."""

import pytest
from tests.support.machines.world import BUY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.machine.machine import DELEVERAGE, TAKEOVER
from setoff.shared.params import MAX_SKEW
from setoff.shared.rules.exits import compute_hours, compute_room, note_draw
from setoff.shared.rules.phases import EXIT_GRACE, EXIT_HOURS, HOUR
from setoff.shared.state.registers import Registers

PLAIN = {"taker_fee": 0, "maker_fee": 0, "max_age": 2**31, "close_out": 50_000}


def before_a_fall(lots: int = 100, funds: int = 16_000, more: int = 0, **market: int) -> World:
    """5 is long with 10 a lot, 2 is short, the others hold money alone; at 92 account 5 is closed out."""
    world = World.trading(accounts=4, funds=funds, **{**PLAIN, **market})
    world.deposit(5, 100 * lots + more)
    world.deposit(2, 10_000 * lots)
    world.order(5, BUY, 100, lots)
    world.order(2, SELL, 100, lots)
    return world


def limited(lots: int = 100, **market: int) -> World:
    """A world whose withdrawals are limited since now."""
    world = before_a_fall(lots, **market)
    world.set_mark(92)
    assert world.trades(TAKEOVER) or world.trades(DELEVERAGE)
    assert world.machine.regs.limited_since == world.traffic.time
    return world


# --- how much ---------------------------------------------------------------------------------------------------------


def test_each_may_take_a_sixteenth_of_its_own_money_for_each_hour_that_began() -> None:
    world = limited()
    for hour in range(1, EXIT_HOURS + 1):
        assert world.withdraw(3, 1_001) == ("withdrawals_limited" if hour < EXIT_HOURS else "insufficient_margin")
        assert world.withdraw(3, 1_000) == "accepted", hour
        world.wait(HOUR)
    assert world.account(3).collateral == 0


def test_whoever_comes_first_starves_nobody() -> None:
    world = limited()
    assert world.withdraw(3, 1_000) == "accepted"
    assert world.withdraw(3, 1) == "withdrawals_limited"
    assert world.withdraw(2, 10**4) == "accepted"
    assert world.withdraw(4, 1_000) == "accepted"


def test_the_part_is_of_what_was_there_whatever_was_taken_before() -> None:
    world = limited()
    world.wait(7 * HOUR)
    assert [world.withdraw(3, 3_000), world.withdraw(3, 5_001), world.withdraw(3, 5_000)] == [
        "accepted",
        "withdrawals_limited",
        "accepted",
    ]


def test_all_of_it_leaves_fifteen_hours_after_the_limit_began_and_not_a_second_before() -> None:
    world = limited()
    world.wait(15 * HOUR - 1)
    assert world.withdraw(3, 16_000) == "withdrawals_limited"
    world.wait(1)
    assert world.withdraw(3, 16_000) == "accepted"
    assert world.account(3).taken == 0  # nothing is counted any more


def test_margin_in_use_is_no_part_of_free_money() -> None:
    world = limited()
    assert world.order(3, BUY, 80, 100) == "accepted"  # at the mark a tenth of 92,000
    assert world.withdraw(3, 6_800 // 16 + 1) == "withdrawals_limited"
    assert world.withdraw(3, 6_800 // 16) == "accepted"


def test_what_comes_in_meanwhile_is_free_money_as_well() -> None:
    world = limited()
    assert world.withdraw(3, 1_000) == "accepted"
    world.deposit(3, 16_000)
    assert world.withdraw(3, 1_001) == "withdrawals_limited"
    assert world.withdraw(3, 1_000) == "accepted"


def test_whoever_has_lost_since_takes_no_more_than_the_part_of_what_there_was() -> None:
    assert compute_room(free=1_000, taken=15_000, hours=15) == 0
    assert compute_room(free=1_001, taken=15_000, hours=15) == 0
    assert compute_room(free=1_002, taken=15_000, hours=15) == 1
    assert compute_room(free=2**128 - 1, taken=2**131, hours=16) == 2**128 - 1
    assert compute_room(free=0, taken=5, hours=1) == 0


def test_what_was_taken_under_another_limit_does_not_count() -> None:
    world = limited()
    assert world.withdraw(3, 1_000) == "accepted"
    first = world.machine.regs.limited_since
    world.wait(EXIT_HOURS * HOUR)
    world.set_mark(92)
    world.deposit(6, 9_200)
    world.order(6, BUY, 92, 100)
    world.order(2, SELL, 92, 100)
    world.set_mark(84)
    assert world.machine.regs.limited_since == world.traffic.time > first
    assert world.withdraw(3, 938) == "withdrawals_limited"
    assert world.withdraw(3, 937) == "accepted"  # a sixteenth of 15,000
    assert (world.account(3).exit_since, world.account(3).taken) == (world.traffic.time, 937)


# --- ways around ------------------------------------------------------------------------------------------------------


def test_a_transfer_to_somebody_else_leaves_as_a_withdrawal_does() -> None:
    world = limited()
    assert world.transfer(3, 4, 1_001) == "withdrawals_limited"
    assert world.transfer(3, 4, 600) == "accepted"
    assert world.withdraw(3, 401) == "withdrawals_limited"
    assert world.withdraw(3, 400) == "accepted"
    assert world.withdraw(4, 16_600 // 16 + 1) == "withdrawals_limited"
    assert world.withdraw(4, 16_600 // 16) == "accepted"


def test_no_chain_of_accounts_takes_out_more_than_one_would() -> None:
    world = limited()
    gone = 0
    for payer, payee in ((3, 4), (4, 1), (1, 3), (3, 4)):
        room = find_room(world, payer)
        assert world.transfer(payer, payee, room // 2) == "accepted"
    for account in (1, 3, 4):
        room = find_room(world, account)
        assert world.withdraw(account, room) == "accepted"
        gone += room
    assert gone <= 3 * 16_000 // 16


def find_room(world: World, account: int) -> int:
    """What the account, without positions, may take out now."""
    leaf, regs = world.account(account), world.machine.regs
    taken = leaf.taken if leaf.exit_since == regs.limited_since else 0
    hours = compute_hours(regs.limited_since, 0, world.traffic.time)
    return compute_room(leaf.collateral, taken, hours)


def test_between_an_owners_own_accounts_money_moves_freely_and_counts_where_it_is() -> None:
    world = limited()
    assert world.transfer(3, sub(3), 12_000) == "accepted"
    assert world.withdraw(3, 251) == "withdrawals_limited"
    assert world.withdraw(3, 250) == "accepted"
    assert world.transfer(sub(3), 3, 12_000) == "accepted"
    assert world.withdraw(3, 751) == "withdrawals_limited"
    assert world.withdraw(3, 750) == "accepted"


def test_a_sub_account_pays_nobody_else_while_exits_are_limited() -> None:
    world = limited()
    assert world.transfer(3, sub(3), 12_000) == "accepted"
    assert world.transfer(sub(3), 4, 1) == "withdrawals_limited"
    world.wait(15 * HOUR)
    assert world.transfer(sub(3), 4, 12_000) == "accepted"


def test_money_goes_into_the_backstop_without_a_limit() -> None:
    world = limited()
    assert world.backstop_deposit(3, 16_000) == "accepted"
    assert world.account(3).taken == 0


# --- when a limit begins, and how long it lasts -----------------------------------------------------------------------


def test_a_takeover_a_debt_that_insurance_pays_and_deleveraging_are_draws() -> None:
    world = before_a_fall()
    world.set_mark(92)
    assert [size for *_, size in world.trades(DELEVERAGE)] == [100]
    assert world.machine.regs.drawn == 100 * 92 * 10  # what was closed, at the mark

    world = before_a_fall()
    world.backstop_deposit(4, 10_000)
    world.set_mark(92)
    assert sum(size for *_, size in world.trades(TAKEOVER)) == 100
    assert world.machine.regs.drawn == 100 * 92 * 10

    world = before_a_fall(more=1_000, taker_fee=10_000)
    assert world.market().insurance == 1_000
    world.set_mark(88)  # 12 a lot lost, of 11
    assert world.market().insurance == 0
    assert world.machine.regs.drawn == 1_000 + 100 * 88 * 10


def test_the_insurance_alone_is_a_draw() -> None:
    regs = Registers(time=10**9, owed=2**14)
    note_draw(regs, 1)
    assert regs.limited_since == 0
    note_draw(regs, 1)
    assert (regs.limited_since, regs.drawn) == (10**9, 2)


def test_dust_limits_nobody() -> None:
    world = before_a_fall(lots=1, funds=10**9)
    world.set_mark(92)
    assert world.machine.regs.drawn == 920
    assert world.machine.regs.limited_since == 0
    assert world.withdraw(3, 10**9) == "accepted"


def test_small_draws_of_an_hour_are_summed_up_and_those_of_others_not() -> None:
    regs = Registers(time=HOUR * 1_000, owed=100 * 2**14)
    note_draw(regs, 60)
    regs.time += HOUR
    note_draw(regs, 60)
    assert (regs.limited_since, regs.drawn) == (0, 60)
    note_draw(regs, 40)
    assert (regs.limited_since, regs.drawn) == (0, 100)
    note_draw(regs, 1)
    assert (regs.limited_since, regs.drawn) == (regs.time, 101)


def test_a_later_draw_makes_no_limit_longer_and_one_after_its_last_hour_begins_another() -> None:
    regs = Registers(time=10**9, owed=10**9)
    note_draw(regs, 10**9)
    first = regs.time
    for later in (1, HOUR, 15 * HOUR, EXIT_HOURS * HOUR - 1):
        regs.time = first + later
        note_draw(regs, 10**9)
        assert regs.limited_since == first
    regs.time = first + EXIT_HOURS * HOUR
    note_draw(regs, 10**9)
    assert regs.limited_since == regs.time


@pytest.mark.parametrize(
    ("stamp", "time", "hours"),
    [
        (None, 0, 1),
        (None, HOUR - 1, 1),
        (None, HOUR, 2),
        (None, 15 * HOUR - 1, 15),
        (None, 15 * HOUR, 16),
        (None, 10**9, 16),
        (EXIT_GRACE, 0, 1),
        (EXIT_GRACE, 3 * HOUR, 4),  # what waits loses nothing
        (3 * HOUR, 0, 4),  # nor by a clock that is late
        (EXIT_GRACE - 1, 0, 16),  # its batch may have been posted after this was queued
        (-1, 0, 16),  # asked for before there was a limit
    ],
)
def test_hours_of_a_limit(stamp: int | None, time: int, hours: int) -> None:
    since = 10**9
    assert compute_hours(since, 0 if stamp is None else since + stamp, since + time) == hours


def test_the_grace_is_as_long_as_a_batch_may_be_late() -> None:
    assert EXIT_GRACE == MAX_SKEW


# --- through L1 -------------------------------------------------------------------------------------------------------


def forced(world: World, amount: int, queued_at: int) -> str:
    """Account 3 withdraws through the queue."""
    body = records.encode(records.WithdrawBody(3, world.traffic.next_nonce(3), amount))
    message = records.encode(records.ForcedBody(address_of(trader_key(3)), body))
    return world.take(message, is_message=True, queued_at=queued_at)


def test_a_forced_withdrawal_is_granted_what_it_might_have_had_when_it_was_queued() -> None:
    world = limited()
    now = world.traffic.time
    assert forced(world, 1_001, queued_at=now + EXIT_GRACE) == "withdrawals_limited"
    assert forced(world, 1_000, queued_at=now + EXIT_GRACE) == "accepted"
    assert world.withdraw(3, 1) == "withdrawals_limited"
    assert forced(world, 15_000, queued_at=now - 1) == "accepted"  # before there was a limit


@pytest.mark.parametrize("skew", [0, 1, MAX_SKEW - 1])
def test_whoever_dates_a_batch_back_does_not_limit_what_was_queued_before_it_was_posted(skew: int) -> None:
    """An operator that sees it in the queue has an account of its own taken over in a batch that is dated before."""
    world = limited()
    began_at = world.machine.regs.limited_since
    assert began_at == world.traffic.time
    queued_at = began_at + skew
    world.wait(skew)  # the next batch may have the very time of the stamp
    assert forced(world, 16_000, queued_at) == "accepted"


def test_a_new_limit_does_not_touch_what_is_in_the_queue() -> None:
    world = limited()
    world.wait(15 * HOUR)
    queued_at = world.traffic.time
    world.wait(HOUR)
    note_draw(world.machine.regs, 10**12)
    assert world.machine.regs.limited_since == world.traffic.time
    world.wait(HOUR)
    assert world.withdraw(3, 16_000) == "withdrawals_limited"
    assert forced(world, 16_000, queued_at) == "accepted"
