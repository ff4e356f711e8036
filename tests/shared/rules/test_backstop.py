"""The backstop: positions taken over while its margin allows, offered again at cranks."""

from tests.support.machines.world import BACKSTOP, BUY, SELL, World

from setoff.shared.machine.machine import DELEVERAGE, TAKEOVER, UNWIND

PLAIN = {"taker_fee": 0, "maker_fee": 0}


def funded(amount: int = 100_000, **market: int) -> World:
    """Account 3 has `amount` in the backstop; account 1 is long 100 lots at 100 with 10,000; 2 has the other side."""
    world = World.trading(funds=10_000, **{**PLAIN, **market})
    world.deposit(2, 10**8)
    world.deposit(3, 10**8)
    if amount:
        assert world.backstop_deposit(3, amount) == "accepted"
    world.order(1, BUY, 100, 100)
    world.order(2, SELL, 100, 100)
    return world


# --- what it takes over -----------------------------------------------------------------------------------------------


def test_a_cap_bounds_what_its_position_is_worth_and_the_rest_is_deleveraged() -> None:
    world = funded(100_000, backstop_cap=15_000, close_out=50_000)
    world.set_mark(92)
    # At close-out all 100 at once, at 90: 1,500 of 100,000 is one lot of 920. The other side closes at the mark.
    assert world.trades(TAKEOVER) == [(1, BACKSTOP, 90, 1)]
    assert world.trades(DELEVERAGE) == [(1, 2, 92, 99)]
    assert world.market().insurance == 2 * 99 * 10


def test_by_its_margin_it_takes_as_many_lots_as_are_legal() -> None:
    world = funded(5_000, close_out=50_000)
    world.set_mark(92)
    # Of n lots at 90: equity 5,000 + 20 n, needed 92 n.
    assert world.trades(TAKEOVER) == [(1, BACKSTOP, 90, 69)]
    assert world.trades(DELEVERAGE) == [(1, 2, 92, 31)]
    assert world.position(BACKSTOP).size == 69


def test_a_debt_is_not_taken_over_but_closed_against_who_gained() -> None:
    world = funded(close_out=50_000)
    world.set_mark(90)  # just nothing left
    assert world.trades(TAKEOVER) == [(1, BACKSTOP, 90, 100)]
    world = funded(close_out=50_000)
    gained = world.equity(2)
    world.set_mark(89)
    assert world.trades(TAKEOVER) == []
    assert world.trades(DELEVERAGE) == [(1, 2, 90, 100)]
    assert world.equity(BACKSTOP) == 100_000
    assert world.equity(2) == gained + 100 * 10 * 10  # of eleven a lot


def test_dust_takes_no_place() -> None:
    world = funded(256 * 92_000 + 1, close_out=50_000)
    world.set_mark(92)
    assert world.trades(TAKEOVER) == []
    world = funded(256 * 92_000, close_out=50_000)
    world.set_mark(92)
    assert world.trades(TAKEOVER) == [(1, BACKSTOP, 90, 100)]


def test_eight_dust_positions_leave_its_places_free() -> None:
    world = World.trading(accounts=2, funds=10**7, **PLAIN)
    for market in range(2, 10):
        world.list_market(market, **PLAIN)
        world.report(0, 100, market=market)
    world.deposit(3, 10**8)
    world.backstop_deposit(3, 10**7)
    for market in range(2, 10):
        world.deposit(10 + market, 1_000)
        world.order(10 + market, BUY, 100, 1, market=market)
        world.order(2, SELL, 100, 1, market=market)
    for market in range(2, 10):
        world.set_mark(91, market=market)
    assert not any(position.market for position in world.account(BACKSTOP).positions)


def test_it_takes_over_what_the_book_does_not_take() -> None:
    world = funded()
    world.press(94)  # equity 4,000 of 4,700: slices until what is left is healthy
    taken = world.trades(TAKEOVER)
    assert taken[0] == (1, BACKSTOP, 94, 25)  # a sixth of the margin is less than a tick
    assert sum(size for *_, size in taken) == world.position(BACKSTOP).size
    assert world.position(BACKSTOP).size + world.position(1).size == 100
    assert world.machine.regs.drawn == world.position(BACKSTOP).size * 94 * 10
    assert world.equity(BACKSTOP) + world.equity(1) == 104_000


def test_it_takes_no_more_than_its_margin_allows() -> None:
    world = funded(2_000)
    world.press(94)
    # A slice of 25 at 94 needs 2,350. Of 21 it can bear 1,974.
    fills = [(fill.kind, fill.maker, fill.price, fill.size) for fill in world.machine.fills]
    assert fills == [(TAKEOVER, BACKSTOP, 94, 21), (DELEVERAGE, 2, 94, 4)]
    assert world.equity(BACKSTOP) >= world.position(BACKSTOP).size * 94


def test_without_money_in_it_everything_goes_to_the_other_side() -> None:
    world = funded(0)
    world.press(94)
    assert world.trades(TAKEOVER) == []
    assert {maker for _, maker, _, _ in world.trades(DELEVERAGE)} == {2}


def test_every_crank_offers_an_eighth_at_the_mark_or_better() -> None:
    world = funded()
    world.press(94)
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
    world = funded(2_400)
    world.press(94)
    held = world.position(BACKSTOP).size
    assert held > 0
    world.order(3, BUY, 88, 1_000)
    world.set_mark(85)
    assert world.position(BACKSTOP).size < held
    assert world.equity(BACKSTOP) >= 0
