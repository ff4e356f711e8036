"""The mark is the middle of three; premiums are smoothed; jumps of the index are cut and halt the market."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import ABOVE, BUY, REDUCE_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.rules.marks import apply_index, begin_interval, take_sample, update_mark
from setoff.shared.rules.phases import HALT_TIME, INDEX_INTERVAL, PREMIUM_ONE
from setoff.shared.state.keys import MAX_TICK
from setoff.shared.state.leaves import Market, decode_market


def market_at(index: int, premium: int = 0, band: int = 100_000, step_band: int = 50_000) -> Market:
    """`premium` in ticks."""
    market = decode_market(b"")
    market.index, market.premium, market.band, market.step_band = index, premium * PREMIUM_ONE, band, step_band
    market.maintenance_margin = 1_200_000
    return market


@pytest.mark.parametrize(
    ("index", "premium", "basis", "mark"),
    [
        (1_000, 0, 0, 1_000),
        (1_000, 0, 500, 1_000),  # the book alone moves nothing
        (1_000, 20, 0, 1_000),  # nor does the past
        (1_000, 20, 10, 1_010),  # the middle one of 1,000, 1,020 and 1,010
        (1_000, 20, 500, 1_020),
        (1_000, 20, -100, 1_000),
        (1_000, -20, -10, 990),
        (1_000, -20, -100, 980),
        (1_000, -2_000, -999, 1),  # never below one tick
        (MAX_TICK, 5, 9, MAX_TICK),
    ],
)
def test_the_mark_is_the_middle_of_index_smoothed_premium_and_basis(
    index: int, premium: int, basis: int, mark: int
) -> None:
    market = market_at(index, premium)
    market.basis0 = market.basis1 = market.basis2 = basis
    update_mark(market)
    assert market.mark == mark


def test_the_basis_is_the_middle_of_the_last_three_samples() -> None:
    market = market_at(10_000, premium=1_000, step_band=1_000_000)
    for basis, mark in ((50, 10_000), (-900, 10_000), (70, 10_050), (900, 10_070), (900, 10_900), (40, 10_900)):
        market.basis2, market.basis1, market.basis0 = market.basis1, market.basis0, basis
        update_mark(market)
        assert market.mark == mark


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 2**24), st.integers(-(2**23), 2**23)), max_size=60))
def test_within_an_interval_the_mark_stays_in_the_band_around_its_beginning(moves: list[tuple[int, int, int]]) -> None:
    market = market_at(100_000, step_band=30_000)
    update_mark(market)
    time, began, beginning = START_TIME, 0, 0
    for seconds, price, basis in moves:
        time += seconds
        if time >= began + INDEX_INTERVAL:
            began, beginning = time, market.mark
        begin_interval(market, time)
        market.index = price
        market.premium, market.basis0, market.basis1 = basis * PREMIUM_ONE, basis, basis
        update_mark(market)
        assert abs(market.mark - beginning) <= max(1, beginning * 30_000 // 1_000_000)
        assert 1 <= market.mark <= MAX_TICK


def test_a_sample_moves_the_premium_by_an_eighth() -> None:
    market = market_at(20_000)
    market.sampled = START_TIME
    take_sample(market, 20_090, 20_110, START_TIME)
    assert market.premium == 90 * PREMIUM_ONE // 8 == 737_280  # 11.25 ticks
    take_sample(market, 20_100, 20_101, START_TIME + 60)
    assert market.premium == 737_280 + (6_553_600 - 737_280) // 8 == 1_464_320  # 22.34 ticks
    take_sample(market, 19_999, 20_001, START_TIME + 120)
    assert market.premium == 1_464_320 - (1_464_320 - PREMIUM_ONE) // 8
    assert (market.basis0, market.basis1, market.basis2) == (1, 100, 90)


def test_rounding_of_a_sample_is_the_same_up_and_down() -> None:
    high, low = market_at(1_000), market_at(1_000)
    high.premium, low.premium = 5, -5
    take_sample(high, 999, 1_001, START_TIME)
    take_sample(low, 999, 1_001, START_TIME)
    assert (high.premium, low.premium) == (5, -5)  # 5 / 8 is nothing


@pytest.mark.parametrize(
    ("band", "maintenance", "most"), [(100_000, 1_200_000, 100), (100_000, 180_000, 30), (100_000, 30_005, 5)]
)
def test_a_sample_is_cut_at_the_price_band_and_at_a_sixth_of_the_maintenance_margin(
    band: int, maintenance: int, most: int
) -> None:
    for bid, ask, basis in ((4_000, 6_000, most), (1, 1, -most), (4_000, 0, most), (0, 1, -most)):
        market = market_at(1_000, band=band)
        market.maintenance_margin = maintenance
        take_sample(market, bid, ask, START_TIME)
        assert (market.premium, market.basis0) == (basis * PREMIUM_ONE // 8, basis)


@pytest.mark.parametrize(
    ("bid", "ask", "seconds", "basis"),
    [
        (0, 0, 60, 70),  # an eighth a minute
        (0, 0, 120, 60),
        (0, 0, 479, 0),
        (0, 0, 480, 0),
        (0, 0, 10**6, 0),
        (1_075, 0, 60, 75),  # not below what is bid
        (1_065, 0, 60, 70),
        (0, 1_065, 60, 65),  # not above what is asked
        (0, 1_075, 60, 70),
        (0, 950, 60, -50),
        (950, 0, 480, 0),
        (1_020, 1_040, 480, 20),
        (1_020, 1_040, 60, 40),
        (1_020, 1_100, 60, 70),
        (900, 1_100, 240, 40),  # far from the index is as good as nothing
    ],
)
def test_a_side_that_is_thin_or_far_leaves_what_was_measured_before_less_with_time(
    bid: int, ask: int, seconds: int, basis: int
) -> None:
    market = market_at(1_000, premium=80)
    market.basis0, market.sampled = 80, START_TIME
    take_sample(market, bid, ask, START_TIME + seconds)
    assert (market.basis0, market.basis1) == (basis, 80)
    # And below the index the same.
    below = market_at(1_000, premium=-80)
    below.basis0, below.sampled = -80, START_TIME
    take_sample(below, 2_000 - ask if ask else 0, 2_000 - bid if bid else 0, START_TIME + seconds)
    assert below.basis0 == -basis


def test_cranks_sample_the_book_and_move_the_mark_and_reports_keep_its_distance() -> None:
    world = World.trading(mark=1_000, impact=1, initial_margin=300_000, maintenance_margin=300_000)
    world.order(1, BUY, 1_035, 1)
    world.order(2, SELL, 1_045, 1)
    assert world.crank() == "accepted"
    assert world.market().mark == 1_000  # one sample is not enough
    world.wait(59)
    assert world.crank() == "not_due"
    world.wait(1)
    assert world.crank() == "accepted"
    assert world.market().mark == 1_008  # 35 / 8, and an eighth of the rest: 8.2
    world.set_mark(1_010)
    assert world.market().mark == 1_018  # a report sets the mark as well, with premium and basis as they were


def test_rejects_crank_without_a_price_or_on_a_stale_one() -> None:
    world = World()
    assert world.crank() == "unknown_market"
    world.list_market(1)
    assert world.crank() == "not_due"
    world.set_signer()
    world.report(0, 100)
    world.wait(61)
    assert world.crank() == "stale_price"
    assert world.crank(0) == "not_due"


def test_a_jump_of_the_index_is_cut_at_the_step_band_and_halts_the_market() -> None:
    market = market_at(1_000, step_band=50_000)
    apply_index(market, 1_050, 5, START_TIME)
    assert (market.index, market.anchor, market.halted_until) == (1_050, 1_000, 0)
    apply_index(market, 2_000, 6, START_TIME + 1)
    assert (market.index, market.halted_until) == (1_050, START_TIME + 1 + HALT_TIME)
    apply_index(market, 1, 7, START_TIME + INDEX_INTERVAL - 1)
    assert (market.index, market.halted_until) == (950, START_TIME + INDEX_INTERVAL - 1 + HALT_TIME)
    # The next interval begins where the index is.
    apply_index(market, 2_000, 8, START_TIME + INDEX_INTERVAL)
    assert (market.index, market.anchor, market.anchor_time) == (997, 950, START_TIME + INDEX_INTERVAL)


def test_the_first_index_is_an_anchor_too() -> None:
    market = market_at(0, step_band=50_000)
    apply_index(market, 1_000, 5, START_TIME)
    apply_index(market, 2_000, 6, START_TIME)
    assert (market.index, market.anchor) == (1_050, 1_000)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, MAX_TICK)), max_size=60), st.integers(1, 1_000_000))
def test_within_an_interval_the_index_stays_in_the_band_around_its_beginning_however_many_reports(
    reports: list[tuple[int, int]], step_band: int
) -> None:
    market = market_at(100_000, step_band=step_band)
    time, began, beginning = START_TIME, 0, 0
    for seconds, price in reports:
        time += seconds
        if time >= began + INDEX_INTERVAL:
            began, beginning = time, market.index
        apply_index(market, price, time, time)
        assert abs(market.index - beginning) <= max(1, beginning * step_band // 1_000_000)
        assert 1 <= market.index <= MAX_TICK


def test_a_step_is_at_least_one_tick() -> None:
    market = market_at(3, step_band=1)
    apply_index(market, 9, 5, START_TIME)
    assert market.index == 4
    for number in range(1, 4):
        apply_index(market, 1, 6, START_TIME + number * INDEX_INTERVAL)
        assert market.index == 4 - number


def test_a_halted_market_is_reduce_only_for_its_time() -> None:
    world = World.trading(mark=1_000, step_band=50_000, max_age=1_000)
    world.order(1, SELL, 1_000, 5)
    world.order(2, BUY, 1_000, 5)
    world.set_mark(1_200)
    assert world.market().index == 1_050
    assert world.order(3, BUY, 1_000, 1) == "halted"
    assert world.order(2, SELL, 1_060, 5, flags=REDUCE_ONLY) == "accepted"
    world.wait(HALT_TIME - 1)
    assert world.order(3, BUY, 1_000, 1) == "halted"
    world.wait(1)
    assert world.order(3, BUY, 1_000, 1) == "stale_price"  # nobody has said that the price is within the band
    world.set_mark(1_060)
    assert world.order(3, BUY, 1_000, 1) == "accepted"


def test_a_stale_market_is_reduce_only_until_the_next_index() -> None:
    world = World.trading(max_age=30)
    world.order(1, SELL, 100, 5)
    world.order(2, BUY, 100, 5)
    world.wait(30)
    assert world.order(3, BUY, 100, 1) == "accepted"
    world.wait(1)
    assert world.order(3, BUY, 100, 1) == "stale_price"
    assert world.order(3, BUY, 100, 1, flags=REDUCE_ONLY) == "not_reducing"
    assert world.order(2, SELL, 104, 5) == "accepted"  # it can only close
    assert world.order(2, SELL, 104, 1) == "stale_price"
    assert world.withdraw(2, 1) == "stale_price"
    assert world.transfer(2, 1, 1) == "stale_price"
    assert world.withdraw(3, 1) == "stale_price"  # an open order counts as well
    world.set_mark(100)
    assert world.order(3, BUY, 100, 1) == "accepted"
    assert world.withdraw(2, 1) == "accepted"


def test_nobody_is_liquidated_on_a_stale_price() -> None:
    world = World.trading(funds=1_010, taker_fee=0, maker_fee=0, max_age=30)
    world.list_market(2, taker_fee=0, maker_fee=0)
    world.report(0, 100, market=2)
    world.deposit(3, 1_000_000)
    world.order(1, BUY, 100, 10)
    world.order(3, SELL, 100, 10)
    world.machine.state.market(1).mark = 94  # equity 410 of 470
    world.wait(31)
    world.report(0, 100, market=2)
    assert world.position(1).size == 10  # the sweep after the other market's report passes it
    world.press(94)
    assert world.position(1).size < 10


def test_the_caps_count_what_an_order_could_add() -> None:
    world = World.trading(max_open_interest=10, max_position=8)
    assert world.order(1, SELL, 100, 9) == "position_limit"
    assert world.order(1, SELL, 100, 8) == "accepted"
    assert world.order(2, BUY, 100, 8) == "accepted"
    assert world.order(3, BUY, 100, 3) == "open_interest_cap"
    assert world.order(3, BUY, 100, 2) == "accepted"
    assert world.order(2, SELL, 101, 8) == "accepted"  # only closes
    assert world.order(2, SELL, 101, 3) == "open_interest_cap"  # would turn it


def test_orders_that_rest_cannot_lift_the_open_interest_over_its_cap() -> None:
    world = World.trading(accounts=6, max_open_interest=10)
    for account in (1, 2):
        world.order(account, SELL, 100, 8)  # each by itself within the cap
    assert world.order(3, BUY, 100, 10) == "accepted"
    assert world.market().open_interest == 10
    assert world.order(4, BUY, 100, 1) == "open_interest_cap"


def test_an_armed_order_enters_under_the_rules_of_its_time() -> None:
    world = World.trading(mark=1_000, step_band=50_000, max_age=1_000)
    assert world.order(3, BUY, 1_100, 1, flags=ABOVE, trigger=1_050, order_slot=0) == "accepted"
    world.set_mark(1_200)  # cut to 1,050: halted, and nothing fires
    assert world.resting(3, 0).market == 1
    world.set_mark(1_060, seconds=60)
    assert world.market().halted_until > world.traffic.time
    assert world.resting(3, 0).market == 0
    assert world.level(BUY, 1_100).count == 0
