"""Attacks by who has several accounts, capital, and the order of the records: what each must not bring."""

from typing import Final

from tests.support.machines.world import ABOVE, BACKSTOP, BELOW, BUY, IOC, REDUCE_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records

USD: Final = 10**6
PRESET: Final = {
    "unit": 100,
    "initial_margin": 50_000,
    "maintenance_margin": 30_000,
    "close_out": 10_000,
    "taker_fee": 500,
    "maker_fee": -100,
    "band": 100_000,
    "step_band": 100_000,
    "max_position": 1_000_000,
    "backstop_cap": 250_000,
}
"""Terms of the preset; a lot at 100,000 ticks is ten dollars."""


def two_markets() -> World:
    """3 is long in both markets with 30,000 dollars, ten times its equity, twice what margins need; 4 and 5 are the
    attacker's: 80,000 lots against each other fill market 1 to its cap."""
    world = World()
    for account, money in ((1, 10**7), (2, 10**7), (3, 30_000), (4, 42_500), (5, 42_500)):
        assert world.deposit(account, money * USD) == "accepted"
    for market, most in ((1, 100_000), (2, 1_000_000)):
        assert world.list_market(market, max_open_interest=most, impact=10**6, **PRESET) == "accepted"
    assert world.set_signer() == world.set_terms(scale_from=5_000, scale_most=10_000) == "accepted"
    report(world)
    for market, lots in ((1, 20_000), (2, 10_000)):
        assert world.order(1, SELL, 100_000, lots, market=market) == "accepted"
        assert world.order(3, BUY, 100_000, lots, market=market) == "accepted"
    return world


def report(world: World, second: int = 100_000) -> None:
    """Prices of both markets."""
    assert world.report(0, 100_000, market=1) == world.report(0, second, market=2) == "accepted"


def fill_first_market(world: World) -> None:
    """The attacker trades with itself, and waits for nine minutes."""
    assert world.order(4, SELL, 100_000, 80_000) == world.order(5, BUY, 100_000, 80_000) == "accepted"
    for _ in range(9):
        world.wait(60)
        report(world)
        world.crank(1)
        world.crank(2)
    assert world.market(1).scale == 255


def test_a_stop_loss_fires_whatever_others_hold_in_another_market() -> None:
    """Margins that rose in market 1 must not keep somebody from closing in market 2: nobody chose that but others."""
    world = two_markets()
    fields = {"market": 2, "flags": IOC | REDUCE_ONLY | BELOW, "trigger": 97_000}
    assert world.order(3, SELL, 93_000, 10_000, **fields) == "accepted"
    fill_first_market(world)
    world.wait(5)
    assert world.order(2, BUY, 96_990, 20_000, market=2) == "accepted"
    report(world, 97_000)
    assert world.position(3, 2).size == 0


def test_a_reduce_only_order_is_taken_at_a_percent_off_the_mark() -> None:
    world = two_markets()
    fill_first_market(world)
    assert world.order(2, BUY, 99_900, 20_000, market=2) == "accepted"
    assert world.order(3, SELL, 99_000, 10_000, market=2, flags=IOC | REDUCE_ONLY) == "accepted"


def test_a_forced_withdrawal_that_was_free_when_it_was_queued_is_granted_whatever_others_open() -> None:
    """The operator holds it back for nine minutes, in which it fills the market."""
    world = two_markets()
    queued_at = world.traffic.time
    body = records.encode(records.WithdrawBody(3, world.traffic.next_nonce(3), 10_000 * USD))
    forced = world.traffic.sign(body, trader_key(3))
    copy = world.machine.copy()
    assert copy.take(forced, True, queued_at) == 0
    fill_first_market(world)
    assert world.take(forced, is_message=True, queued_at=queued_at) == "accepted"


def test_shares_bought_after_a_total_loss_are_not_void_by_a_small_one() -> None:
    """1 has lost a thousand dollars; 2 brings a million, of which a sixteenth is lost; 3 comes with a thousand."""
    world = World.trading(accounts=9, funds=10**7 * USD)
    backstop = world.machine.state.account(BACKSTOP)
    assert world.backstop_deposit(1, 1_000 * USD) == "accepted"
    backstop.collateral = 1_000  # what a day's share of the fees left in it
    assert world.backstop_deposit(2, 10**6 * USD) == "accepted"
    world.machine.state.account(BACKSTOP).collateral -= 62_500 * USD
    assert world.backstop_deposit(3, 1_000 * USD) == "accepted"
    assert world.backstop_withdraw(2, world.account(2).shares) == "accepted"
    assert world.account(2).collateral > (10**7 - 70_000) * USD


# --- quotes that nobody can hit: bought, bid, cranked and taken back in a row -----------------------------------------


def open_market(*money: int, **terms: int) -> World:
    """One market at 100,000, and an account with each of these dollars."""
    world = World()
    for account, dollars in enumerate(money, 1):
        assert world.deposit(account, dollars * USD) == "accepted"
    given = {"impact": 500, "order_margin": USD, "max_open_interest": 10**9, **PRESET, **terms}
    assert world.list_market(1, **given) == "accepted"
    assert world.set_signer() == world.report(0, 100_000) == "accepted"
    return world


def quote(world: World, middle: int) -> None:
    """The honest maker, 4, comes back each minute."""
    world.cancel_all(4)
    world.order(4, BUY, middle - 10, 2_000, order_slot=0)
    world.order(4, SELL, middle + 10, 2_000, order_slot=1)


def test_quotes_that_are_there_for_a_crank_alone_liquidate_nobody() -> None:
    """Who orders the records buys what is offered, bids 3 % above the index, cranks, and takes the bids back, all at
    once: nobody else could have sold to them. Then it asks 2.7 % above for what the short 3 loses, which it is long."""
    world = open_market(10**6, 10**6, 20_400, 10**6, 10**6)
    assert world.backstop_deposit(5, 900_000 * USD) == "accepted"
    assert world.order(3, SELL, 100_000, 40_000) == world.order(1, BUY, 100_000, 40_000, order_slot=0) == "accepted"
    before = world.equity(1) + world.equity(2)
    for _ in range(12):
        world.wait(60)
        assert world.report(0, 100_000) == "accepted"
        quote(world, 100_000)
        world.order(2, BUY, 103_000, 10_000, order_slot=7, flags=IOC)
        assert world.order(2, BUY, 103_000, 500, order_slot=5) == world.crank() == world.cancel(2, 5) == "accepted"
        world.order(1, SELL, world.market().mark * 10_048 // 10_000, 40_000, order_slot=6)
        world.wait(31)
        assert world.report(0, 100_000) == "accepted"
        world.cancel(1, 6)
    for _ in range(12):  # the premium goes
        world.wait(60)
        quote(world, 100_000)
        assert world.report(0, 100_000) == world.crank() == "accepted"
    assert world.market().mark == 100_000
    assert world.position(3).size == -40_000
    assert world.equity(1) + world.equity(2) <= before


def flick(world: World, index: int, lots: int = 0, ask: int = 0) -> None:
    """2 buys what is offered, bids 3 % above the index, has the book measured, and takes the bid back; 1 may ask."""
    world.wait(60)
    assert world.report(0, index) == "accepted"
    quote(world, index)
    world.order(2, BUY, index * 103 // 100, 10_000, order_slot=7, flags=IOC)
    assert world.order(2, BUY, index * 103 // 100, 500, order_slot=5) == "accepted"
    if lots:
        world.order(1, SELL, ask, lots, order_slot=3)
    assert world.crank() == "accepted"
    world.cancel(2, 5)
    if lots:
        world.cancel(1, 3)


def worth(world: World, account: int, index: int) -> int:
    """What the account is worth at the index."""
    leaf = world.account(account)
    return leaf.collateral + sum(place.size * index * 100 for place in leaf.positions)


def test_quotes_that_are_there_for_a_crank_alone_fire_no_stop() -> None:
    """The short 3 has a stop a percent above the index, which does not move; it buys at 103,950 from the attacker."""
    world = open_market(10**6, 10**6, 60_000, 10**6, 10**6)
    assert world.order(5, BUY, 100_000, 40_000) == world.order(3, SELL, 100_000, 40_000) == "accepted"
    stop = {"flags": IOC | REDUCE_ONLY | ABOVE, "trigger": 101_000, "order_slot": 9}
    assert world.order(3, BUY, 106_000, 40_000, **stop) == "accepted"
    for _ in range(5):
        flick(world, 100_000, 40_000, 103_950)
    gained = sum(worth(world, account, 100_000) for account in (1, 2)) - 2 * 10**6 * USD
    assert (gained // USD, world.position(3).size) == (min(gained // USD, 0), -40_000)


def test_quotes_that_are_there_for_a_crank_alone_make_no_shares_dear() -> None:
    """1 and 3 have half of a backstop each, which has just taken over what its cap allows; 1 asked to leave."""
    world = open_market(10**7, 10**6, 10**7, 10**6, 10**6, 204_000)
    for account in (1, 3):
        assert world.backstop_deposit(account, 9 * 10**6 * USD) == "accepted"
    assert world.order(5, SELL, 100_000, 400_000) == world.order(6, BUY, 100_000, 400_000) == "accepted"
    world.set_mark(95_900)
    assert world.position(BACKSTOP).size == 400_000
    fair = worth(world, BACKSTOP, 95_900) // 2
    for _ in range(11):
        flick(world, 95_900)
    before = world.account(1).collateral
    assert world.backstop_withdraw(1, world.account(1).shares) == "accepted"
    assert (world.account(1).collateral - before - fair) // USD <= 5_000


def test_quotes_that_are_there_for_a_crank_alone_earn_no_funding() -> None:
    """The long 3 borrows nothing: it has all that its position is worth. The attacker, 1, is short. An hour."""
    world = open_market(10**6, 10**7, 10**6, 10**6, funding_cap=40_000)
    assert world.order(1, SELL, 100_000, 100_000) == world.order(3, BUY, 100_000, 100_000) == "accepted"
    for _ in range(60):
        flick(world, 100_000)
    world.cancel_all(3)
    world.order(1, BUY, 100_010, 1_000, flags=IOC, order_slot=9)  # each is touched, and pays what is due
    world.order(3, SELL, 99_990, 1_000, flags=IOC, order_slot=9)
    gained = sum(worth(world, account, 100_000) for account in (1, 2)) - 11 * 10**6 * USD
    assert gained // USD <= 0
