"""Funding: an hour costs a long an eighth of the premium; every unit that is paid is received or kept.

Paid is what both ends of an interval show, beyond a taker's fee.
Formulas checked against: dYdX v4, "Funding rates" (premium = max(0, impact bid - index) - max(0, index - impact ask);
hourly rate = the mean of an hour's samples / 8, clamped; payment = - size * index * rate), and Hyperliquid, "Funding"
(the same premium; the eight-hour rate paid hourly at one eighth).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.marks import compute_funding, get_lesser, settle_funding, take_sample
from setoff.shared.rules.phases import FUNDING_ONE, HOUR, MAX_FUNDING_TIME, SAMPLE_INTERVAL
from setoff.shared.state.leaves import Account, Market, Position, decode_market


def market_with(index: int, excess: int, cap: int, unit: int = 10) -> Market:
    """`excess` in ticks, `cap` in ppm of the index."""
    market = decode_market(b"")
    market.index, market.unit, market.funding_cap, market.band = index, unit, cap, 1_000_000
    market.maintenance_margin = 1_000_000
    market.excess = excess
    return market


@pytest.mark.parametrize(
    ("premium", "cap", "paid"),
    [
        # Index 10,000, premium 1 %: 0.125 % an hour of a lot worth 100,000 is 125.
        (100, 50_000, 125),
        (-100, 50_000, -125),
        # A premium of 8 % under a cap of 4 % pays as 4 %: 0.5 % an hour.
        (800, 40_000, 500),
        (-800, 40_000, -500),
        (0, 40_000, 0),
        (100, 0, 0),
    ],
)
def test_an_hour_is_an_eighth_of_the_premium_clamped(premium: int, cap: int, paid: int) -> None:
    market = market_with(10_000, premium, cap)
    assert compute_funding(market, premium, HOUR) == paid * FUNDING_ONE
    assert compute_funding(market, premium, 36) == int(paid * FUNDING_ONE / 100)


def take(market: Market, bid: int, ask: int, time: int) -> int:
    """A sample; returns what it has paid."""
    before = market.funding
    take_sample(market, bid, ask, time)
    market.sampled = time
    return market.funding - before


def test_a_sample_pays_for_the_time_since_the_one_before_and_for_two_minutes_at_most() -> None:
    market = market_with(10_000, 0, 50_000)
    second = 125 * FUNDING_ONE / HOUR
    assert take(market, 10_100, 10_200, HOUR) == 0  # the first only starts the clock
    assert take(market, 10_100, 10_200, HOUR + 60) == int(60 * second)
    assert take(market, 10_100, 10_200, HOUR + 179) == int(119 * second)
    assert take(market, 10_100, 10_200, HOUR + 300) == int(120 * second)
    assert take(market, 10_100, 10_200, 11 * HOUR) == int(120 * second)  # ten hours without a crank
    assert MAX_FUNDING_TIME == 2 * SAMPLE_INTERVAL == 120


@pytest.mark.parametrize(
    ("bid", "ask", "excess"),
    [
        (10_100, 10_200, 100),
        (9_700, 9_900, -100),
        (9_900, 10_300, 0),  # the index is between them, wherever their middle is
        (10_000, 10_400, 0),
        (9_000, 10_000, 0),
        (10_001, 10_002, 1),
        (10_100, 0, 100),  # a side that is thin says nothing, the other what it says
        (0, 9_900, -100),
        (9_900, 0, 0),
        (0, 10_100, 0),
        (0, 0, 0),
    ],
)
def test_only_what_the_index_lies_outside_the_impact_prices_is_paid(bid: int, ask: int, excess: int) -> None:
    market = market_with(10_000, excess, 50_000)
    market.sampled = HOUR
    assert take(market, bid, ask, HOUR + 100) == compute_funding(market, excess, 100)
    assert market.excess == excess
    assert (market.funding > 0) == (excess > 0) and (market.funding < 0) == (excess < 0)
    fee = market_with(10_000, 0, 50_000)
    fee.taker_fee = 500  # five ticks
    take(fee, bid, ask, HOUR)
    assert fee.excess == max(0, excess - 5) - max(0, -excess - 5)


@pytest.mark.parametrize(
    ("before", "after", "paid"),
    [(50, 50, 50), (50, 80, 50), (80, 50, 50), (0, 50, 0), (50, 0, 0), (-20, 50, 0), (50, -20, 0), (-70, -20, -20)],
)
def test_paid_is_what_both_ends_of_an_interval_show(before: int, after: int, paid: int) -> None:
    market = market_with(10_000, 0, 50_000)
    for excess, time in ((before, HOUR), (after, HOUR + 60)):
        charged = take(market, 10_000 + max(0, excess), 10_000 + min(0, excess), time)
    assert charged == compute_funding(market, paid, 60)
    assert get_lesser(before, after) == paid


def test_payments_round_up_and_receipts_down_and_the_market_keeps_the_rest() -> None:
    # bid 20,090 and ask 20,110 over an index of 20,000: 90 ticks outside.
    world = World.trading(funds=10**12, mark=20_000, impact=1, taker_fee=0, maker_fee=0, funding_cap=100_000)
    world.order(1, BUY, 20_000, 1_001)
    world.order(2, SELL, 20_000, 1_001)
    world.order(3, BUY, 20_090, 1)
    world.order(3, SELL, 20_110, 1)
    assert world.crank() == "accepted"
    before = [world.account(number).collateral for number in (1, 2)]
    world.wait(60)
    world.report(0, 20_000)
    assert world.crank() == "accepted"
    # 90 / 8 * 10 / 60 = 1.875 a lot; 1,876.875 for all
    assert world.market().funding == 1_875 * FUNDING_ONE // 1_000
    after = [world.account(number).collateral for number in (1, 2)]
    assert [new - old for old, new in zip(before, after, strict=True)] == [-1_877, 1_876]
    assert world.market().pool == 1


def test_nothing_is_paid_for_a_time_at_whose_end_the_side_is_thin() -> None:
    world = World.trading(funds=10**12, mark=20_000, impact=5, taker_fee=0, maker_fee=0, funding_cap=100_000)
    world.order(1, BUY, 20_000, 10)
    world.order(2, SELL, 20_000, 10)
    world.order(3, BUY, 20_090, 5, order_slot=0)
    world.order(3, SELL, 20_110, 4, order_slot=1)
    world.crank()
    assert world.market().excess == 90
    world.cancel(3, 0)
    world.order(3, BUY, 20_090, 4, order_slot=0)
    world.wait(60)
    world.report(0, 20_000)
    assert world.crank() == "accepted"
    assert (world.market().funding, world.market().excess) == (0, 0)
    world.order(1, BUY, 20_090, 1)
    for _ in range(2):
        assert world.market().funding == 0
        world.wait(60)
        world.report(0, 20_000)
        world.crank()
    assert world.market().funding == compute_funding(world.market(), 90, 60) > 0


def test_an_account_settles_when_it_is_touched_for_all_the_hours_since() -> None:
    world = World.trading(funds=10**9, mark=10_000, taker_fee=0, maker_fee=0)
    world.order(1, BUY, 10_000, 4)
    world.order(2, SELL, 10_000, 4)
    market = world.machine.state.market(1)
    market.funding += 3 * 125 * FUNDING_ONE
    world.machine.state.account(1)
    assert world.position(1).funding == 0
    world.order(1, BUY, 9_000, 1)
    assert world.account(1).collateral == 10**9 - 400_000 - 1_500
    assert world.position(1).funding == world.market().funding
    assert world.market().pool == 1_500
    world.order(2, BUY, 9_000, 1)
    assert world.account(2).collateral == 10**9 + 400_000 + 1_500
    assert world.market().pool == 0


def test_a_new_position_pays_nothing_for_the_time_before_it() -> None:
    world = World.trading(funds=10**9, mark=10_000, taker_fee=0, maker_fee=0)
    world.machine.state.market(1).funding = 10**15
    world.order(1, BUY, 10_000, 4)
    world.order(2, SELL, 10_000, 4)
    assert world.position(1).funding == world.position(2).funding == 10**15
    world.withdraw(1, 1)
    assert world.account(1).collateral == 10**9 - 400_000 - 1


@given(st.lists(st.integers(-(2**38), 2**38), min_size=1, max_size=20), st.integers(-(2**86), 2**86))
def test_the_pool_is_never_short_once_everybody_has_settled(sizes: list[int], index: int) -> None:
    market = decode_market(b"")
    market.funding = index
    sizes.append(-sum(sizes))
    paid = 0
    for size in sizes:
        account = Account()
        settle_funding(account, Position(market=1, size=size), market)
        paid -= account.collateral
    assert market.pool == paid
    assert 0 <= market.pool < len(sizes)


def test_funding_can_push_an_account_below_maintenance_and_the_crank_liquidates_it() -> None:
    world = World.trading(funds=11_000, mark=10_000, impact=1, taker_fee=0, maker_fee=0, funding_cap=100_000)
    world.deposit(2, 10**9)
    world.deposit(3, 10**9)
    world.order(1, BUY, 10_000, 1)  # 100,000: maintenance 5,000
    world.order(2, SELL, 10_000, 1)
    world.deposit(1, 0)
    assert world.withdraw(1, 1_000) == "accepted"  # equity 10,000
    world.machine.state.account(1).collateral -= 4_200  # lost elsewhere
    world.order(3, BUY, 10_490, 100, order_slot=0)
    world.order(3, SELL, 10_510, 100, order_slot=1)
    assert world.crank() == "accepted"
    for _ in range(300):  # the mark rises with the premium, the long gains; then the premium is gone
        world.wait(120)
        world.report(0, 10_000)
        world.crank()
    assert world.position(1).size == 1
    world.cancel(3, 0)
    world.cancel(3, 1)
    world.order(3, BUY, 9_990, 100, order_slot=0)
    world.order(3, SELL, 10_010, 100, order_slot=1)
    for _ in range(2):
        world.wait(60)
        world.report(0, 10_000)
        world.crank()
    assert world.position(1).size == 0
    assert world.market().mark == 10_010  # not above what is asked
