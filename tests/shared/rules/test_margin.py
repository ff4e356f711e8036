"""Cross margin at the mark: what may be opened, what may be closed, and which makers are pruned.

Formulas checked against: dYdX documentation, "Margin" (total account value = Q + sum of S * P, with Q the balance, S
the signed size and P the oracle price; initial margin requirement = sum of |S * P * I|, maintenance margin requirement
= sum of |S * P * M|; free collateral = total account value - initial margin requirement). Numbers worked by hand.
"""

from tests.support.machines.world import BUY, IOC, SELL, World

from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.rules.margin import EVERY, compute_health, compute_requirement, get_worst_exposure, is_fill_legal
from setoff.shared.state.leaves import Position, decode_market


def test_the_requirement_rounds_up() -> None:
    market = decode_market(b"")
    market.mark, market.unit = 7, 3
    assert compute_requirement(100_001, market) == 3  # 21 * 0.100001
    assert compute_requirement(0, market) == 0


def test_a_settled_market_takes_no_margin() -> None:
    market = decode_market(b"")
    market.mark, market.unit, market.settled = 7, 3, 1
    assert compute_requirement(5 * 1_000_000, market) == 0


def test_a_cross_margined_account_by_the_published_formulas() -> None:
    # Long 1.2 BTC from 40,000 and short 10 ETH from 3,000, on 10,000 deposited; I = 5 %, M = 3 %; a unit is a cent.
    # A lot is 0.1 BTC or 1 ETH, a tick a dollar: a lot and tick is worth 10 and 100 cents. No fees.
    terms = {"initial_margin": 50_000, "maintenance_margin": 30_000, "taker_fee": 0, "maker_fee": 0}
    world = World.trading(funds=1_000_000, mark=40_000, unit=10, **terms)
    assert world.deposit(2, 10_000_000) == "accepted"
    assert world.list_market(2, unit=100, **terms) == "accepted"
    assert world.report(0, 3_000, market=2) == "accepted"
    trades = [(2, SELL, 40_000, 12, 1), (1, BUY, 40_000, 12, 1), (2, BUY, 3_000, 10, 2), (1, SELL, 3_000, 10, 2)]
    for account, side, price, size, market in trades:
        assert world.order(account, side, price, size, market=market) == "accepted"
    world.set_mark(42_000, market=1)
    world.set_mark(3_150, market=2)
    state = world.machine.state
    # Q = 10,000 - 48,000 + 30,000 = -8,000; value = -8,000 + 1.2 * 42,000 - 10 * 3,150 = 10,900.
    assert state.account(1).collateral == -800_000
    equity, initial = compute_health(world.machine.regs, state, state.account(1), EVERY)
    assert equity == 1_090_000
    # |50,400 * 5 %| + |31,500 * 5 %| = 2,520 + 1,575 = 4,095; at 3 %: 1,512 + 945 = 2,457.
    assert initial == 409_500
    assert compute_maintenance(state, state.account(1)) == (1_090_000, 245_700, 0)
    # Free collateral 10,900 - 4,095 = 6,805 can be taken out, and not a cent more.
    assert world.withdraw(1, 680_501) == "insufficient_margin"
    assert world.withdraw(1, 680_500) == "accepted"


def test_open_orders_count_on_their_worse_side() -> None:
    assert get_worst_exposure(Position(size=5, bids=3, asks=4)) == 8
    assert get_worst_exposure(Position(size=5, bids=3, asks=14)) == 9
    assert get_worst_exposure(Position(size=-5, bids=3, asks=4)) == 9
    assert get_worst_exposure(Position(size=-5, bids=30)) == 25


def test_an_order_needs_margin_and_the_fee_to_the_unit() -> None:
    # 10 lots at 1,000: margin 1,000, fee 5
    assert World.trading(funds=1_005).order(1, BUY, 100, 10) == "accepted"
    assert World.trading(funds=1_004).order(1, BUY, 100, 10) == "insufficient_margin"


def test_a_limit_beyond_the_mark_needs_its_loss_as_well() -> None:
    # at 105: margin 1,000 at the mark, 10 * 5 * 10 lost against it, 5.25 of fee
    assert World.trading(funds=1_506).order(1, BUY, 105, 10) == "accepted"
    assert World.trading(funds=1_505).order(1, BUY, 105, 10) == "insufficient_margin"
    # a seller at 95 the same, with the smaller fee
    assert World.trading(funds=1_505).order(1, SELL, 95, 10) == "accepted"
    assert World.trading(funds=1_504).order(1, SELL, 95, 10) == "insufficient_margin"


def test_a_limit_better_than_the_mark_earns_nothing_in_advance() -> None:
    assert World.trading(funds=1_004).order(1, BUY, 90, 10) == "insufficient_margin"  # fee 4.5
    assert World.trading(funds=1_005).order(1, BUY, 90, 10) == "accepted"


def test_orders_on_both_sides_share_their_margin() -> None:
    world = World.trading(funds=1_010)
    assert world.order(1, BUY, 99, 10) == "accepted"
    assert world.order(1, SELL, 101, 10) == "accepted"
    assert world.order(1, SELL, 101, 1) == "insufficient_margin"


def test_profit_of_one_market_is_margin_in_another() -> None:
    world = World.trading(funds=20_100, taker_fee=0, maker_fee=0)
    world.list_market(2, taker_fee=0, maker_fee=0)
    world.report(0, 100, market=2)
    world.deposit(1, 100_000)
    world.order(1, SELL, 100, 100)
    world.order(2, BUY, 100, 100)
    assert world.order(2, BUY, 100, 102, market=2) == "insufficient_margin"
    world.set_mark(120)
    # equity 20,100 + 20,000; market 1 now takes 12,000: 28,100 are left for 281 lots
    assert world.order(2, BUY, 100, 282, market=2) == "insufficient_margin"
    assert world.order(2, BUY, 100, 281, market=2) == "accepted"


def loser_at(mark: int, funds: int = 12_000) -> World:
    """Account 2 bought 100 lots at 100 with `funds`; account 1 has plenty. No fees.

    The mark is then set by hand: a report would let the machine liquidate the account.
    """
    world = World.trading(funds=funds, taker_fee=0, maker_fee=0)
    world.deposit(1, 1_000_000)
    world.deposit(3, 1_000_000)
    assert world.order(1, SELL, 100, 100) == world.order(2, BUY, 100, 100) == "accepted"
    world.machine.state.market(1).mark = mark
    return world


def test_an_account_below_its_requirement_may_close_but_not_open() -> None:
    world = loser_at(97)  # equity 9,000, requirement 9,700
    assert world.order(2, BUY, 97, 1) == "insufficient_margin"
    assert world.order(2, SELL, 97, 101) == "insufficient_margin"  # would flip
    assert world.order(2, SELL, 97, 100) == "accepted"


def test_closing_must_not_worsen_the_ratio_of_equity_to_requirement() -> None:
    # equity 9,000 of 9,700. Selling 50 at 97 - d costs 500 d; the ratio holds while 500 d <= 9,000 * 50 / 100 = 4,500
    for price, outcome in ((88, "accepted"), (87, "insufficient_margin")):
        world = loser_at(97)
        world.set_market(taker_fee=0, maker_fee=0, initial_margin=110_000, maintenance_margin=110_000)
        assert world.order(2, SELL, price, 50) == outcome


def test_an_account_whose_equity_is_gone_may_close_at_the_mark_but_not_below() -> None:
    world = loser_at(88)  # equity exactly zero
    assert world.order(2, SELL, 88, 10, flags=IOC) == "accepted"
    assert world.order(2, SELL, 87, 10) == "insufficient_margin"


def test_an_account_in_debt_may_close_only_by_paying_it_off() -> None:
    world = loser_at(85)  # equity -3,000 of 8,500
    assert world.order(2, SELL, 85, 10) == "insufficient_margin"  # the same debt on less: a worse ratio
    assert world.order(2, SELL, 85, 100) == "insufficient_margin"
    assert world.order(2, SELL, 87, 100) == "insufficient_margin"
    assert world.order(2, SELL, 88, 100) == "accepted"  # at its limit it earns the 3,000


def test_closing_orders_add_up() -> None:
    world = loser_at(97)
    assert world.order(2, SELL, 98, 60) == "accepted"
    assert world.order(2, SELL, 98, 41) == "insufficient_margin"
    assert world.order(2, SELL, 98, 40) == "accepted"


def test_an_unfunded_maker_is_pruned_and_the_next_one_filled() -> None:
    world = World.trading(funds=10_100, taker_fee=0, maker_fee=0)
    world.list_market(2, taker_fee=0, maker_fee=0)
    world.report(0, 100, market=2)
    world.deposit(3, 1_000_000)
    assert world.order(1, SELL, 100, 10, order_slot=0) == "accepted"
    assert world.order(2, SELL, 100, 10, order_slot=0) == "accepted"
    assert world.order(1, BUY, 100, 91, market=2) == "accepted"
    assert world.order(3, SELL, 100, 91, market=2) == "accepted"
    world.wait(1)
    world.report(0, 99, market=2)  # account 1: equity 9,190, requirement 9,009, and 1,000 more for the fill
    assert world.order(3, BUY, 100, 12) == "accepted"
    assert world.fills() == [(2, 100, 10)]
    assert world.resting(1, 0).market == 0
    assert world.position(1).market == 0
    assert world.queue(BUY, 100)[0][2] == 2


def test_a_maker_who_only_closes_is_filled_below_the_requirement() -> None:
    world = World.trading(funds=12_000, taker_fee=0, maker_fee=0)
    world.deposit(1, 1_000_000)
    world.deposit(3, 1_000_000)
    world.order(1, SELL, 100, 100)
    world.order(2, BUY, 100, 100)
    world.order(2, SELL, 101, 100, order_slot=9)
    world.set_mark(97)
    assert world.order(3, BUY, 101, 40) == "accepted"
    assert world.fills() == [(2, 101, 40)]
    assert world.position(2).size == 60


def test_only_the_size_that_trades_must_be_funded() -> None:
    world = World.trading(funds=1_000, taker_fee=0, maker_fee=0)
    world.deposit(3, 1_000_000)
    assert world.order(1, SELL, 100, 10) == "accepted"
    world.set_mark(101)  # 10 lots now need 1,010; 9 need 909 and lose 90
    assert world.order(3, BUY, 101, 9) == "accepted"
    assert world.fills() == [(1, 100, 9)]
    assert world.order(3, BUY, 101, 1) == "accepted"  # the tenth: equity 900, requirement 1,010
    assert world.fills() == []
    assert world.level(SELL, 100).count == 0


def test_health_reads_the_markets_of_the_account_only() -> None:
    world = World.trading()
    world.list_market(2)
    world.order(1, BUY, 90, 10)
    state = world.machine.state
    state.commit()
    equity, requirement = compute_health(world.machine.regs, state, state.account(1), EVERY)
    assert (equity, requirement) == (1_000_000, 1_000)
    assert len(state.touched) == 2


def test_a_fill_that_is_funded_is_legal_whatever_the_ratio() -> None:
    world = loser_at(100)
    state = world.machine.state
    account = state.account(2)  # equity 12,000, requirement 10,000
    assert is_fill_legal(state, account, 1, 10, 100, 0)
    assert is_fill_legal(state, account, 1, 20, 100, 0)
    assert not is_fill_legal(state, account, 1, 21, 100, 0)
    assert not is_fill_legal(state, account, 1, 20, 101, 0)
    assert not is_fill_legal(state, account, 1, 20, 100, 1)  # 20,000 units at 1 ppm: a fee of one
