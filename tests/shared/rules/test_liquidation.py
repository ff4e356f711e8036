"""Liquidation to the unit: when it begins, at which price, in which slices, and what becomes of what is left.

Worked numbers from published pages: dYdX v4 docs, "Liquidations" (isolated liquidation price p' = (e - s * p) / (|s| *
MMF - s), with e the equity and s the size), and dYdX v3 docs, "Liquidations" (close price P * (1 -/+ M * V / W), with M
the maintenance fraction, V the equity, W the maintenance margin of the account), which is where the least price ends.
"""

import pytest
from tests.support.machines.world import ABOVE, BACKSTOP, BUY, REDUCE_ONLY, SELL, World, sub

from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TAKEOVER
from setoff.shared.rules import phases
from setoff.shared.rules.liquidation import compute_loss, compute_maintenance, compute_share, compute_zero_price
from setoff.shared.rules.phases import HALT_TIME, LIQUIDATION_PAUSE, LIQUIDATION_WINDOW
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market, Position, decode_market
from setoff.shared.state.registers import Registers

PLAIN = {"taker_fee": 0, "maker_fee": 0}


def position_at(mark: int, size: int, maintenance: int = 50_000, unit: int = 1) -> tuple[Position, Market]:
    market = decode_market(b"")
    market.mark, market.index, market.unit, market.maintenance_margin = mark, mark, unit, maintenance
    return Position(market=1, size=size), market


def one_against_rich(size: int, funds: int, side: int = BUY, **market: int) -> World:
    """Account 1 holds `size` lots at 100 with `funds`; accounts 2 and 3 are rich, 2 has the other side. No fees."""
    world = World.trading(funds=funds, **{**PLAIN, **market})
    world.deposit(2, 10**8)
    world.deposit(3, 10**8)
    world.order(1, side, 100, size)
    world.order(2, 1 - side, 100, size)
    assert world.position(1).size == (size if side == BUY else -size)
    return world


# --- when -------------------------------------------------------------------------------------------------------------


def test_the_published_liquidation_price_of_a_short() -> None:
    # $1,000, short 3 ETH at $3,000, maintenance 5 %: (1,000 + 9,000) / (3 * 0.05 + 3) = $3,174.60. A tick is a cent.
    world = World.trading(funds=100_000, mark=300_000, unit=1, initial_margin=50_000, **PLAIN)
    world.deposit(2, 10**9)
    world.order(1, SELL, 300_000, 3)
    world.order(2, BUY, 300_000, 3)
    world.order(2, SELL, 317_000, 10)
    world.set_mark(317_460)
    assert world.position(1).size == -3
    world.set_mark(317_461)
    assert world.position(1).size > -3


def test_an_account_exactly_at_maintenance_is_left_alone() -> None:
    world = one_against_rich(10, 1_450)
    world.press(90)  # equity 450 of 450
    assert world.position(1).size == 10
    world = one_against_rich(10, 1_449)
    world.press(90)
    assert world.position(1).size < 10


def test_the_first_thing_to_go_are_the_account_s_orders() -> None:
    world = one_against_rich(10, 1_449)
    world.order(1, BUY, 80, 1, order_slot=7)
    world.order(1, BUY, 81, 1, order_slot=255)
    world.order(1, BUY, 120, 1, order_slot=0, flags=ABOVE, trigger=110)
    world.order(3, BUY, 90, 10)
    world.set_mark(90)
    account = world.account(1)
    assert (account.orders, world.position(1).orders, world.position(1).bids) == (0, 0, 0)
    assert [world.resting(1, order_slot).market for order_slot in (0, 7, 255)] == [0, 0, 0]
    assert world.level(BUY, 80).count == world.level(BUY, 81).count == world.level(keys.ABOVE, 110).count == 0


# --- at which price ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "equity", "price"),
    [
        # A sixth of 500 is 83, 8.3 a lot: in favour of the account
        (10, 499, 992),
        (-10, 499, 1_008),
        (10, 300, 992),
        # Below the middle of 500 and 100 as much more as it is below: 50 of 83 + 50
        (10, 250, 987),
        (-10, 250, 1_013),
        (10, 192, 981),
        # v3: close price of a long 1,000 * (1 - 0.05 * 190 / 500) = 981; of a short 1,019
        (10, 190, 981),
        (-10, 190, 1_019),
        (10, 100, 990),
        (10, 0, 1_000),
        (10, -400, 1_040),  # in debt: only a better price than the mark
        (-10, -400, 960),
        (-10, -20_000, 1),
        (10, -(2**40), 2**24 - 1),
    ],
)
def test_the_least_price_is_a_sixth_of_the_margin_from_the_mark_and_never_beyond_the_zero_price(
    size: int, equity: int, price: int
) -> None:
    position, market = position_at(1_000, size)
    share = compute_share(position, market, equity, 500, 100, loss=2**50)
    assert compute_zero_price(position, market, share) == price


def test_the_share_is_that_of_the_position_in_the_maintenance_margin() -> None:
    # v3: M * V / W = 0.05 * 300 / 1,500 = 1 %
    position, market = position_at(1_000, 10)
    share = compute_share(position, market, 300, 1_500, 300, loss=0)
    assert share == 100
    assert compute_zero_price(position, market, share) == 990
    assert compute_share(position, market, 1_200, 1_500, 300, loss=0) == 250 // 3


@pytest.mark.parametrize(
    ("size", "mark_before", "loss"), [(10, 1_030, 600), (10, 990, 0), (-10, 970, 600), (-10, 1_010, 0), (10, 1_000, 0)]
)
def test_a_position_lost_what_the_change_of_the_mark_took(size: int, mark_before: int, loss: int) -> None:
    position, market = position_at(1_000, size, unit=2)
    regs = Registers(trigger_market=1, mark_before=mark_before)
    assert compute_loss(regs, position, market) == loss
    regs.trigger_market = 2
    assert compute_loss(regs, position, market) == 0


def test_a_debt_is_of_the_change_that_made_it_and_no_more() -> None:
    position, market = position_at(1_000, 10)
    assert compute_share(position, market, -600, 1_500, 300, loss=1_000) == -600
    assert compute_share(position, market, -600, 1_500, 300, loss=200) == -200
    assert compute_share(position, market, -600, 1_500, 300, loss=0) == 0
    assert compute_share(position, market, 300, 1_500, 300, loss=1_000) == 100


def test_the_account_never_loses_more_than_its_share() -> None:
    for equity in range(-700, 700, 7):
        for size in (7, -7):
            position, market = position_at(997, size, unit=3)
            price = compute_zero_price(position, market, equity)
            loss = size * (market.mark - price) * market.unit
            assert loss <= equity


# --- in the book ------------------------------------------------------------------------------------------------------


def test_a_slice_goes_to_the_book_and_no_more_than_health_needs() -> None:
    world = one_against_rich(100, 10_000)
    world.order(3, BUY, 94, 1_000)
    world.set_mark(95)  # equity 5,000 of 4,750: healthy
    assert world.position(1).size == 100
    world.set_mark(94)  # equity 4,000 of 4,700; 25 lots at the mark cost nothing; 75 need 3,525
    assert world.trades(LIQUIDATION) == [(1, 3, 94, 25)]
    assert world.position(1).size == 75
    assert world.equity(1) == 4_000


def test_the_account_gets_the_book_s_price_and_pays_its_fee_half_to_the_insurance_half_to_the_backstop() -> None:
    world = one_against_rich(100, 10_050, taker_fee=500, maker_fee=-200)
    world.order(3, BUY, 95, 1_000)
    kept = world.market().insurance
    cash = [world.account(number).collateral for number in (1, 3)]
    world.set_mark(94)
    assert world.trades(LIQUIDATION) == [(1, 3, 95, 25)]
    fee = -(-25 * 950 * (50_000 // 6) // 10**6)
    assert fee == 198 < 25 * 10  # a tick better than its least price, which is the mark
    assert world.account(1).collateral - cash[0] == 25 * 950 - fee
    assert world.account(3).collateral - cash[1] == -25 * 950  # and no rebate, for nobody paid for it
    assert world.market().insurance == kept + 99
    assert world.account(BACKSTOP).collateral == 99


@pytest.mark.parametrize(
    ("bid", "fee"),
    [
        (94_100, 2_353),  # 0.8333 % of three lots, up
        (94_000, 2_349),  # 783 ticks a lot are all that the account may lose, by price and fee
        (93_300, 249),
        (93_217, 0),
        (93_216, None),
    ],
)
def test_price_and_fee_cost_no_more_than_a_sixth_of_the_margin(bid: int, fee: int | None) -> None:
    world = World.trading(accounts=1, funds=100_000, mark=100_000, unit=1, **PLAIN)
    for account in (2, 3):
        world.deposit(account, 10**10)
    world.order(1, BUY, 100_000, 10)
    world.order(2, SELL, 100_000, 10)
    world.order(3, BUY, bid, 10)
    world.set_mark(94_000)  # equity 40,000 of 47,000
    lots = 0 if fee is None else 3
    assert sum(size for *_, size in world.trades(LIQUIDATION)) == lots
    assert 40_000 - world.equity(1) == lots * (94_000 - bid) + (fee or 0) <= 3 * 783 + 1
    assert world.account(BACKSTOP).collateral == (fee or 0) // 2


# --- gently -----------------------------------------------------------------------------------------------------------


def fine(money: int = 100_000, lots: int = 10, **market: int) -> World:
    """Account 1 is long of `lots` at 100,000, account 2 short; a lot and tick is a token unit. No fees, no book."""
    world = World.trading(accounts=1, funds=money, mark=100_000, unit=1, **{**PLAIN, **market})
    for account in (2, 3):
        world.deposit(account, 10**10)
    world.order(1, BUY, 100_000, lots)
    world.order(2, SELL, 100_000, lots)
    return world


def test_who_is_just_below_is_left_alone_for_a_while_after_a_first_slice() -> None:
    world = fine()
    world.order(3, BUY, 93_500, 1)
    world.set_mark(94_000)
    assert [(f.kind, f.price, f.size) for f in world.machine.fills] == [(LIQUIDATION, 93_500, 1)]
    assert world.account(1).paused_until == world.traffic.time + LIQUIDATION_PAUSE
    world.order(3, BUY, 93_500, 10)
    for _ in range(2):
        world.set_mark(93_900, seconds=(LIQUIDATION_PAUSE - 1) // 2)
        assert world.machine.fills == []
    world.set_mark(93_900, seconds=2)
    assert world.trades(LIQUIDATION)


def test_a_first_slice_asks_the_book_alone_and_what_comes_after_the_pause_everybody() -> None:
    world = fine()
    world.backstop_deposit(3, 10**6)
    world.set_mark(94_000)
    assert world.machine.fills == []
    world.set_mark(94_000, seconds=LIQUIDATION_PAUSE)
    assert {fill.kind for fill in world.machine.fills} == {TAKEOVER}
    assert world.trades(TAKEOVER)[0] == (1, BACKSTOP, 94_000 - 783, 3)


def test_an_account_that_is_deep_below_does_not_wait() -> None:
    world = fine(close_out=10_000)
    world.set_mark(92_800)  # 28,000 of 46,400; the middle of that and 9,280 is 27,840
    assert world.machine.fills == []
    world.set_mark(92_750)  # 27,500, and 27,825
    assert world.trades(DELEVERAGE)
    world = fine(close_out=10_000)
    world.set_mark(92_750)
    assert world.trades(DELEVERAGE)


def test_there_is_one_pause_in_ten_minutes() -> None:
    world = fine()
    world.set_mark(94_000)
    first = world.account(1).paused_until
    world.set_mark(94_000, seconds=LIQUIDATION_PAUSE)
    assert world.trades(DELEVERAGE)
    assert world.account(1).paused_until == first
    state = world.machine.state
    for seconds, is_paused in ((LIQUIDATION_WINDOW - 2, False), (2, True)):
        world.set_mark(94_000, seconds=seconds)
        # As if it had lost money meanwhile: a thousand above the middle of the margins.
        size = world.position(1).size
        spare = world.equity(1) - size * 2_350 - 1_000
        state.account(1).collateral -= spare
        state.account(2).collateral += spare
        world.set_mark(94_000)
        assert (world.machine.fills == []) == is_paused
    assert world.account(1).paused_until == world.traffic.time + LIQUIDATION_PAUSE


def test_the_owner_s_closing_orders_stay_in_a_pause_and_go_first_when_it_is_over() -> None:
    world = fine()
    world.order(1, SELL, 101_000, 1, order_slot=3)
    world.set_mark(94_000)
    assert world.account(1).orders == 0
    assert world.order(1, SELL, 95_000, 5, order_slot=4, flags=REDUCE_ONLY) == "accepted"
    assert world.order(1, BUY, 93_000, 1, order_slot=5) == "insufficient_margin"
    assert world.withdraw(1, 1) == "insufficient_margin"
    world.set_mark(94_000, seconds=10)
    assert world.order(3, BUY, 95_000, 2, order_slot=6) == "accepted"
    assert world.position(1).size == 8 and world.account(1).orders
    world.set_mark(93_000, seconds=LIQUIDATION_PAUSE)
    assert world.account(1).orders == 0


def test_money_that_comes_in_a_pause_saves_the_position() -> None:
    world = fine()
    world.set_mark(94_000)
    world.deposit(1, 8_000)
    world.set_mark(94_000, seconds=LIQUIDATION_PAUSE)
    assert world.machine.fills == [] and world.position(1).size == 10


def test_a_pause_costs_the_others_no_more_than_half_the_way_to_close_out_by_a_jump() -> None:
    """Who waits has more than the middle of the margins, so it owes less than (maintenance - close-out) / 2 more by a
    jump than one that has the whole margin."""
    given = []
    for equity in (27_850, 46_400):  # at 92,800, just above the middle of 46,400 and 9,280; and the margin itself
        world = fine(close_out=10_000)
        state = world.machine.state
        spare = world.account(1).collateral + 10 * 92_800 - equity
        state.account(1).collateral -= spare
        state.account(2).collateral += spare
        world.set_mark(92_800)
        assert world.machine.fills == []
        held = world.equity(2)
        world.set_mark(86_000)
        assert world.position(1).size == 0
        given.append(held + 10 * 6_800 - world.equity(2))
    assert given == [68_000 - 27_850, 68_000 - 46_400]
    assert given[0] - given[1] <= (46_400 - 9_280) // 2


def test_a_maker_fee_is_charged_in_a_liquidation() -> None:
    world = one_against_rich(100, 10_050, taker_fee=0, maker_fee=100)
    world.order(3, BUY, 95, 1_000)
    kept = world.market().insurance
    world.set_mark(94)
    assert world.market().insurance == kept + 3 + 99  # 23,750 * 0.0001, up; and half of the liquidation fee


def test_a_short_is_bought_back_from_the_lowest_ask_up_to_its_least_price() -> None:
    world = one_against_rich(100, 10_000, side=SELL)
    # at 108: equity 2,000 of 5,400, 700 below half of it: 1,600 for 100 lots are a tick each, and 110 is too dear
    world.order(3, SELL, 107, 10, order_slot=0)
    world.order(3, SELL, 109, 10, order_slot=1)
    world.order(3, SELL, 110, 10, order_slot=2)
    world.set_mark(108)
    assert world.trades(LIQUIDATION) == [(1, 3, 107, 10), (1, 3, 109, 10)]
    insurance = world.market().insurance
    assert world.trades(DELEVERAGE)[0][2] == 108  # who closes pays the mark, and the account one tick more
    assert insurance >= sum(size for *_, size in world.trades(DELEVERAGE)) * 10


def test_the_largest_position_goes_first() -> None:
    world = World.trading(funds=20_000, accounts=4, **PLAIN)
    world.list_market(2, **PLAIN)
    world.report(0, 100, market=2)
    for account in (2, 3):
        world.deposit(account, 10**7)
    for market, size in ((1, 40), (2, 120)):
        world.order(1, BUY, 100, size, market=market)
        world.order(2, SELL, 100, size, market=market)
        world.order(3, BUY, 90, 1_000, market=market, order_slot=market)
    world.set_mark(92, market=2)  # equity 20,000 - 9,600 of 2,000 + 5,520
    assert world.machine.fills == []
    world.set_mark(89, market=2)  # equity 6,800 of 2,000 + 5,340: 30 lots at 90 earn 300, and 90 need 4,005
    assert [(f.market, f.price, f.size) for f in world.machine.fills] == [(2, 90, 30)]
    assert world.position(1).size == 40


def test_the_sweep_visits_sub_accounts_and_everybody_below_maintenance() -> None:
    world = World.trading(accounts=6, funds=1_449, **PLAIN)
    world.deposit(5, 10**7)
    world.deposit(6, 10**7)
    world.transfer(5, sub(5, 2), 1_449)
    for account in (1, 2, 4, sub(5, 2)):
        world.order(account, BUY, 100, 10)
        world.order(6, SELL, 100, 10)
    world.order(6, BUY, 90, 1_000)
    world.set_mark(90)
    assert {fill.taker for fill in world.machine.fills} == {1, 2, 4, sub(5, 2)}


# --- beyond the book --------------------------------------------------------------------------------------------------


def test_what_the_book_does_not_take_is_closed_against_the_other_side() -> None:
    world = one_against_rich(100, 10_000)
    world.press(94)  # no bids: equity 4,000 of 4,700, and not a tick for each lot
    assert world.trades(DELEVERAGE) == [(1, 2, 94, 25)]
    assert world.equity(1) >= 0
    state = world.machine.state
    equity, maintenance, _ = compute_maintenance(state, state.account(1))
    assert equity >= maintenance


def test_below_close_out_everything_goes_at_once_past_the_book() -> None:
    world = one_against_rich(100, 10_000, close_out=20_000)
    world.order(3, BUY, 92, 1_000)
    world.set_mark(92)  # equity 2,000 of 4,600, and more than the close-out of 1,840: to the book
    assert {fill.kind for fill in world.machine.fills} == {LIQUIDATION}
    world = one_against_rich(100, 10_000, close_out=20_000)
    world.order(3, BUY, 92, 1_000)
    world.set_mark(91)  # 1,000 < 1,820: 1 tick a lot is left, which is no prize of the other side
    assert world.trades(DELEVERAGE) == [(1, 2, 91, 100)]
    assert world.account(1).collateral == 0
    assert world.market().insurance == 1_000
    assert world.level(BUY, 92).size == 1_000


def test_the_insurance_fund_pays_a_debt_before_anybody_on_the_other_side_does() -> None:
    world = one_against_rich(100, 10_000)
    world.machine.state.market(1).insurance += 5_000
    world.machine.regs.owed += 5_000
    world.set_mark(87)  # equity -3,000
    assert world.trades(DELEVERAGE) == [(1, 2, 87, 100)]  # at the mark: the other side loses nothing
    assert world.market().insurance == 2_000
    assert world.account(1).collateral == 0


@pytest.mark.parametrize(("silence", "kept"), [(HALT_TIME + 600, 2_000), (HALT_TIME + 601, 5_000)])
def test_the_insurance_pays_for_no_change_by_an_index_that_comes_back_after_long(silence: int, kept: int) -> None:
    world = one_against_rich(100, 10_000, max_age=600)
    world.machine.state.market(1).insurance += 5_000
    world.machine.regs.owed += 5_000
    world.set_mark(87, seconds=silence)
    assert world.market().insurance == kept
    assert world.trades(DELEVERAGE) == [(1, 2, 87 if kept == 2_000 else 90, 100)]
    assert world.account(1).collateral == 0


def test_an_index_is_back_after_the_first_report_that_is_not_cut() -> None:
    world = one_against_rich(100, 100_000, max_age=600, step_band=60_000)
    found = []
    for price, seconds in ((70, HALT_TIME + 601), (70, 60), (70, 60), (83, 60), (83, 60), (60, 60)):
        world.set_mark(price, seconds=seconds)
        found.append((world.market().index, world.market().index_flags))
    # Bands of 6, 5, 5 and 5 ticks; the price is within the fourth. One that is cut later on is no return.
    back, cut = phases.INDEX_RETURNING, phases.INDEX_CUT
    assert found == [(94, back | cut), (89, back | cut), (84, back | cut), (83, back), (83, 0), (79, cut)]


def test_without_insurance_the_other_side_closes_at_the_bankruptcy_price() -> None:
    # dYdX v4 docs, "Contract loss mechanisms": B with $100 is short 500 at $1; at $2 its bankruptcy price is $1.20, and
    # A's long is closed there for a profit of $100 instead of $500. A tick is a cent, and all opens at once.
    world = World.trading(accounts=2, funds=10_000, mark=100, unit=1, initial_margin=200_000, **PLAIN)
    world.order(2, SELL, 100, 500)
    world.order(1, BUY, 100, 500)
    world.set_mark(200)
    assert world.trades(DELEVERAGE) == [(2, 1, 120, 500)]
    assert (world.account(1).collateral, world.account(2).collateral) == (20_000, 0)


def test_a_crash_in_one_market_takes_nothing_from_those_who_trade_in_another() -> None:
    world = World.trading(accounts=3, funds=21_000, **PLAIN)
    world.list_market(2, **PLAIN)
    world.report(0, 100, market=2)
    world.deposit(3, 100_000)
    for market, other in ((1, 3), (2, 2)):
        world.order(1, BUY, 100, 100, market=market)
        world.order(other, SELL, 100, 100, market=market)
    assert world.withdraw(2, 11_000) == "accepted"
    # Account 1 owes 29,000. Account 3 gained 50,000 from it and gives 29,000 back: closed at 79, not at 50. Account 2,
    # with 10,000 and the larger position opposite to it, could not have paid its part; it closes at its mark.
    world.set_mark(50)
    assert world.trades(DELEVERAGE) == [(1, 3, 79, 100), (1, 2, 100, 100)]
    assert [world.equity(number) for number in (1, 2, 3)] == [0, 10_000, 121_000 + 21_000]


def two_markets(signer_age: int = 60) -> World:
    """Account 1: 2,000 lots long in market 2 against account 2, and one in market 1 against account 3, who is poor."""
    world = World.trading(accounts=0, **PLAIN, step_band=200_000)
    world.list_market(2, **PLAIN, step_band=200_000)
    world.set_signer(max_age=signer_age)
    world.report(0, 100, market=2)
    for account, funds in ((1, 200_100), (2, 10**7), (3, 200)):
        world.deposit(account, funds)
    for market, other, size in ((2, 2, 2_000), (1, 3, 1)):
        world.order(other, SELL, 100, size, market=market, order_slot=market)
        world.order(1, BUY, 100, size, market=market, order_slot=market)
    return world


def test_a_debt_is_closed_at_once_however_old_the_report_that_made_it() -> None:
    world = two_markets(signer_age=120)
    world.wait(100)
    # 90 seconds old, and the market takes what is older than 60 for stale. Account 1 lost 220,000 of 200,100.
    assert world.report(0, 89, market=2, time=world.traffic.time - 90) == "accepted"
    assert world.trades(DELEVERAGE) == [(1, 2, 90, 2_000)]  # 19,900 a lot and up: one tick of the 11 it gained
    assert world.equity(1) == 100
    before = world.equity(3)
    world.report(0, 100, market=1)
    assert world.equity(3) == before
    assert world.equity(1) == 100


def test_what_a_change_did_not_make_is_the_account_s_own() -> None:
    world = two_markets()
    world.machine.state.account(1).collateral -= 250_000
    world.machine.state.account(2).collateral += 250_000
    world.machine.state.market(1).insurance += 5_000
    world.machine.state.market(2).insurance += 5_000
    world.machine.regs.owed += 10_000
    world.set_mark(99)  # it owed 49,900 before: insurance pays nothing
    assert world.trades(DELEVERAGE) == [(1, 3, 100, 1), (1, 2, 100, 2_000)]
    assert [world.market(market).insurance for market in (1, 2)] == [5_000, 5_000]
    assert (world.equity(1), world.equity(3)) == (-49_900, 200)


@pytest.mark.parametrize(("equity", "paid"), [(1_780, 9_220), (1_779, 0)])
def test_insurance_is_for_whom_a_change_took_from_above_its_close_out_margin(equity: int, paid: int) -> None:
    margins = {"close_out": 20_000, "maintenance_margin": 20_000, "initial_margin": 20_000}
    world = one_against_rich(100, 100_000, **margins)
    world.machine.state.account(1).collateral -= 100_000 - equity
    world.machine.state.account(2).collateral += 100_000 - equity
    world.machine.state.market(1).insurance += 50_000
    world.machine.regs.owed += 50_000
    world.set_mark(89)  # at which the close-out margin is 1,780; the change took 11,000
    assert world.market().insurance == 50_000 - paid


def test_without_insurance_the_other_side_gives_back_the_change_and_no_more() -> None:
    world = two_markets()
    world.machine.state.account(1).collateral -= 250_000
    world.machine.state.account(2).collateral += 250_000
    world.set_mark(99)
    assert world.trades(DELEVERAGE) == [(1, 3, 100, 1), (1, 2, 100, 2_000)]
    assert (world.equity(1), world.equity(3)) == (-49_900, 200)


def test_a_gain_of_the_other_side_is_not_charged_to_those_who_lost() -> None:
    world = two_markets()
    world.machine.state.account(1).collateral -= 250_000
    world.machine.state.account(2).collateral += 250_000
    world.set_mark(101)  # up: account 3, on the other side, has lost itself
    assert world.trades(DELEVERAGE) == [(1, 2, 100, 2_000)]
    assert (world.equity(1), world.equity(3)) == (-49_890, 190)
    world.set_mark(101)  # what has gained waits for the next sweep
    assert world.trades(DELEVERAGE) == [(1, 3, 101, 1)]
    assert (world.equity(1), world.equity(3)) == (-49_890, 190)


@pytest.mark.parametrize(
    ("equity", "price", "left"), [(2_000, 99, 1_000), (1_000, 99, 0), (550, 94, 50), (99, 89, 99), (-100, 99, -1_100)]
)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_other_side_is_never_left_below_zero(equity: int, price: int, left: int, side: int) -> None:
    """It pays what it has; but who was below zero already gives back all that this change brought it."""
    world = one_against_rich(10, 1_000, side=side, step_band=200_000)
    state, mark = world.machine.state, 89 if side == BUY else 111
    for account, at_the_mark in ((1, -1_000), (2, equity)):
        state.account(account).collateral = at_the_mark - world.position(account).size * mark * 10
    world.set_mark(mark)
    assert world.trades(DELEVERAGE) == [(1, 2, price if side == BUY else 200 - price, 10)]
    assert world.equity(2) == left
    assert world.equity(1) == equity - 1_000 - left


def test_an_account_without_a_fresh_price_waits() -> None:
    world = one_against_rich(10, 1_449, max_age=10)
    world.machine.state.market(1).mark = 90
    world.wait(11)
    world.list_market(2)
    world.report(0, 5, market=2)
    assert world.position(1).size == 10


def test_a_liquidation_leaves_what_it_must_to_the_unit() -> None:
    world = one_against_rich(10, 1_449)
    world.order(3, BUY, 90, 100)
    total = sum(world.account(number).collateral for number in range(4))
    world.set_mark(90)
    # equity 449; slices of 3, 2, … at the mark cost nothing: 7 lots need 315
    assert world.trades(LIQUIDATION) == [(1, 3, 90, 3)]
    assert world.equity(1) == 449
    assert sum(world.account(number).collateral for number in range(4)) == total


def test_takeover_comes_before_deleveraging() -> None:
    world = one_against_rich(100, 10_000)
    world.backstop_deposit(3, 1_000_000)
    world.press(94)
    assert {fill.kind for fill in world.machine.fills} == {TAKEOVER}
