"""The backstop: shares worth its equity, positions taken over while its margin allows, offered again at cranks."""

from tests.support.machines.world import BACKSTOP, BUY, SELL, World

from setoff.shared.machine.machine import DELEVERAGE, TAKEOVER, UNWIND
from setoff.shared.rules.phases import DRAWN_TIME

PLAIN = {"taker_fee": 0, "maker_fee": 0}


def funded(amount: int = 100_000) -> World:
    """Account 3 has `amount` in the backstop; account 1 is long 100 lots at 100 with 10,000; 2 has the other side."""
    world = World.trading(funds=10_000, **PLAIN)
    world.deposit(2, 10**8)
    world.deposit(3, 10**8)
    if amount:
        assert world.backstop_deposit(3, amount) == "accepted"
    world.order(1, BUY, 100, 100)
    world.order(2, SELL, 100, 100)
    return world


def test_the_first_shares_cost_a_unit_each() -> None:
    world = World.trading()
    assert world.backstop_deposit(1, 500) == "accepted"
    assert (world.account(1).shares, world.account(1).collateral) == (500, 999_500)
    assert (world.account(BACKSTOP).shares, world.account(BACKSTOP).collateral) == (500, 500)


def test_later_shares_cost_what_they_are_worth_rounded_against_the_buyer() -> None:
    world = World.trading()
    world.backstop_deposit(1, 500)
    world.machine.state.account(BACKSTOP).collateral += 250  # a profit: 1.5 a share
    world.machine.state.account(1).collateral -= 250
    assert world.backstop_deposit(2, 100) == "accepted"
    assert world.account(2).shares == 66
    assert world.backstop_withdraw(1, 500) == "accepted"
    # 850 * 500 / 566 = 750.88
    assert world.account(1).collateral == 1_000_000 - 500 - 250 + 750
    assert world.account(BACKSTOP).collateral == 100
    assert world.backstop_withdraw(2, 66) == "accepted"
    assert (world.account(BACKSTOP).shares, world.account(BACKSTOP).collateral) == (0, 0)


def test_rejects_deposit_beyond_what_is_free_and_shares_that_are_not_there() -> None:
    world = World.trading()
    assert world.backstop_deposit(1, 1_000_001) == "insufficient_margin"
    assert world.backstop_deposit(1, 0) == "amount_out_of_range"
    world.backstop_deposit(1, 500)
    assert world.backstop_withdraw(1, 501) == "insufficient_margin"
    assert world.backstop_withdraw(2, 1) == "insufficient_margin"
    assert world.backstop_withdraw(1, 0) == "amount_out_of_range"


def test_rejects_deposit_too_small_for_a_share() -> None:
    world = World.trading()
    world.backstop_deposit(1, 10)
    world.machine.state.account(BACKSTOP).collateral += 990
    world.machine.state.account(1).collateral -= 990
    assert world.backstop_deposit(2, 99) == "amount_out_of_range"
    assert world.backstop_deposit(2, 100) == "accepted"


def test_rejects_deposit_into_a_backstop_without_equity() -> None:
    world = World.trading()
    world.backstop_deposit(1, 500)
    world.machine.state.account(BACKSTOP).collateral = 0
    world.machine.state.account(1).collateral += 500
    assert world.backstop_deposit(2, 100) == "insufficient_margin"
    assert world.backstop_withdraw(1, 500) == "accepted"  # worth nothing
    assert world.account(1).collateral == 1_000_000


def test_it_takes_over_what_the_book_does_not_take() -> None:
    world = funded()
    world.set_mark(94)  # equity 4,000 of 4,700: slices at 90 until what is left is healthy
    taken = world.trades(TAKEOVER)
    assert taken[0] == (1, BACKSTOP, 90, 25)
    assert sum(size for *_, size in taken) == world.position(BACKSTOP).size
    assert world.position(BACKSTOP).size + world.position(1).size == 100
    assert world.machine.regs.drawn_until == world.traffic.time + DRAWN_TIME
    # it bought below the mark: its profit is what the account in liquidation lost
    assert world.equity(BACKSTOP) + world.equity(1) == 104_000


def test_it_takes_no_more_than_its_margin_allows() -> None:
    world = funded(2_000)
    world.set_mark(94)
    # A slice of 25 at 90 brings 1,000 and needs 2,350: 3,000 are enough. The next, of 19, needs 4,136: too much.
    first, second = world.machine.fills[:2]
    assert (first.kind, first.price, first.size) == (TAKEOVER, 90, 25)
    assert (second.kind, second.maker, second.price, second.size) == (DELEVERAGE, 2, 90, 19)
    assert world.equity(BACKSTOP) >= world.position(BACKSTOP).size * 94


def test_without_money_in_it_everything_goes_to_the_other_side() -> None:
    world = funded(0)
    world.set_mark(94)
    assert world.trades(TAKEOVER) == []
    assert {maker for _, maker, _, _ in world.trades(DELEVERAGE)} == {2}


def test_every_crank_offers_an_eighth_at_the_mark_or_better() -> None:
    world = funded()
    world.set_mark(94)
    held = world.position(BACKSTOP).size
    world.order(3, BUY, 93, 1_000, order_slot=0)  # below the mark: not good enough
    assert world.crank() == "accepted"
    assert world.trades(UNWIND) == []
    world.order(3, BUY, 94, 1_000, order_slot=1)
    world.wait(60)
    world.report(0, 94)
    assert world.trades(UNWIND) == []  # a report does not
    assert world.crank() == "accepted"
    size = -(-held // 8)
    assert world.trades(UNWIND) == [(BACKSTOP, 3, 94, size)]
    assert world.position(BACKSTOP).size == held - size
    assert world.position(BACKSTOP).asks == 0


def test_it_is_liquidated_like_anybody_when_it_is_below_maintenance() -> None:
    world = funded(3_500)
    world.set_mark(94)
    held = world.position(BACKSTOP).size
    assert held > 0
    world.order(3, BUY, 88, 1_000)
    world.set_mark(85)
    assert world.position(BACKSTOP).size < held
    assert world.equity(BACKSTOP) >= 0


def test_shares_cannot_be_taken_out_of_the_margin() -> None:
    world = funded()
    world.set_mark(94)
    size = world.position(BACKSTOP).size
    equity, needed = world.equity(BACKSTOP), size * 94
    worth = equity - needed
    shares = ((worth + 1) * 100_000 - 1) // equity  # as many as are worth no more than that, rounded down
    assert world.backstop_withdraw(3, shares + 1) == "insufficient_margin"
    assert world.backstop_withdraw(3, shares) == "accepted"


def test_rejects_deposit_and_withdrawal_on_a_stale_price() -> None:
    world = funded()
    world.set_mark(94)
    world.wait(61)
    assert world.backstop_deposit(3, 5) == "stale_price"
    assert world.backstop_withdraw(3, 5) == "stale_price"


def test_withdrawals_are_limited_for_a_day_after_it_was_drawn() -> None:
    world = funded()
    assert world.withdraw(3, 1_000) == "accepted"
    world.set_mark(94)
    owed = world.machine.regs.owed
    assert owed == 10_000 + 2 * (10_000 + 10**8) - 1_000
    share = owed // 16
    world.set_market(1, **PLAIN, max_age=2**31)
    assert world.withdraw(3, share - 1_000 + 1) == "withdrawals_limited"  # the 1,000 of this hour count as well
    assert world.withdraw(3, share - 1_000) == "accepted"
    assert world.withdraw(2, 1) == "withdrawals_limited"
    world.wait(3_600)
    assert world.withdraw(2, share // 2) == "accepted"
    world.wait(DRAWN_TIME)
    assert world.withdraw(2, 5 * 10**7) == "accepted"
