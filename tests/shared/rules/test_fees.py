"""Fees and rebates: charges round up, rebates round down, and the difference is the market's; who trades much pays
less, and nobody by trading with himself."""

from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import BACKSTOP, BUY, SELL, World, sub

from setoff.shared.codec import records
from setoff.shared.machine import machine
from setoff.shared.rules.fees import (
    DAY,
    FADED_DAYS,
    WASH_FACTOR,
    add_activity,
    are_terms_sound,
    charge_fees,
    compute_saving,
    get_activity,
)
from setoff.shared.rules.margin import compute_fee
from setoff.shared.state.leaves import Activity, Market, Terms
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


@pytest.mark.parametrize(
    ("value", "rate", "fee"),
    [
        (0, 500, 0),
        (1, 500, 1),
        (2_000, 500, 1),
        (2_001, 500, 2),
        (4_999, -200, 0),
        (5_000, -200, -1),
        (9_999, -200, -1),
        (10_000, -200, -2),
        (123, 0, 0),
    ],
)
def test_charges_round_up_and_rebates_down(value: int, rate: int, fee: int) -> None:
    assert compute_fee(value, rate) == fee


@given(st.integers(0, 2**96), st.integers(0, 100_000))
def test_a_rebate_never_exceeds_the_charge_that_pays_for_it(value: int, rate: int) -> None:
    assert 0 <= compute_fee(value, rate) + compute_fee(value, -rate) <= 1


def test_the_taker_pays_the_maker_earns_and_the_market_keeps_the_rest() -> None:
    world = World.trading()  # 5 bp taker, -2 bp maker, 10 units a lot and tick
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    # 7,000 units: 3.5 up to 4 from the taker, 1.4 down to 1 for the maker
    assert world.account(2).collateral == 1_000_000 - 7_000 - 4
    assert world.account(1).collateral == 1_000_000 + 7_000 + 1
    assert world.market().insurance == 3


def test_every_fill_rounds_by_itself() -> None:
    world = World.trading(unit=1)
    for order_slot in range(3):
        world.order(1, SELL, 100, 1, order_slot=order_slot)
    world.order(2, BUY, 100, 3)
    assert world.account(2).collateral == 1_000_000 - 300 - 3  # three fills of 0.05, each rounded up
    assert world.account(1).collateral == 1_000_000 + 300


def test_a_maker_fee_may_be_a_charge() -> None:
    world = World.trading(maker_fee=100)
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    assert world.account(1).collateral == 1_000_000 + 7_000 - 1
    assert world.market().insurance == 5


def test_without_fees_nothing_is_kept() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    assert world.market().insurance == 0
    assert world.account(1).collateral + world.account(2).collateral == 2_000_000


def test_the_price_is_the_maker_s() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, SELL, 95, 1)
    world.order(2, BUY, 105, 1)
    assert world.account(2).collateral == 1_000_000 - 950


# --- fees that fall with activity -------------------------------------------------------------------------------------

TERMS = {"low": 1_000, "high": 5_000, "taker_saving": 140_000, "maker_saving": 150_000, "most_rebate": 100_000}
COSTLY = {"taker_fee": 10_000, "maker_fee": 2_000, "unit": 1}
"""A hundred lots at a hundred ticks are worth a hundred in fees."""


def trade(world: World, seller: int, buyer: int, size: int) -> tuple[int, int]:
    """(maker's fee, taker's fee) of a sale at a hundred ticks, the seller being the maker."""
    before = world.account(seller).collateral, world.account(buyer).collateral
    assert world.order(seller, SELL, 100, size) == world.order(buyer, BUY, 100, size) == "accepted"
    after = world.account(seller).collateral, world.account(buyer).collateral
    return before[0] + 100 * size - after[0], before[1] - 100 * size - after[1]


def test_nothing_is_saved_and_nothing_counted_without_terms() -> None:
    world = World.trading(funds=10**8, **COSTLY)
    assert [trade(world, 1, 2, 10_000) for _ in range(2)] == [(2_000, 10_000)] * 2
    assert world.machine.state.activity(1).amount == 0


def test_between_two_activities_fees_fall_evenly() -> None:
    world = World.trading(funds=10**8, **COSTLY)
    assert world.set_terms(**TERMS) == "accepted"
    fees = [trade(world, 1, 2, 1_000) for _ in range(8)]  # each worth 1,000 in fees, and 200 to the maker
    # At 1,000, 2,000 … 5,000 of activity none to all of 150 (maker) and 140 (taker) is saved.
    assert fees == [(200, 1_000)] * 2 + [(163, 965), (125, 930), (88, 895)] + [(50, 860)] * 3
    assert world.machine.state.activity(1).amount == world.machine.state.activity(2).amount == 8_000
    assert trade(world, 1, 3, 1_000) == (50, 1_000)  # each side by its own


def test_a_rebate_is_a_part_of_what_this_taker_pays() -> None:
    world = World.trading(funds=10**8, **COSTLY | {"maker_fee": -5_000})
    assert world.set_terms(**TERMS) == "accepted"
    assert trade(world, 1, 2, 10_000) == (-1_000, 10_000)
    assert trade(world, 1, 2, 10_000) == (-930, 9_300)  # of 10,000 only what `high` counts is less: 5,000 * 0.14


def test_sub_accounts_have_their_owner_s_activity() -> None:
    world = World.trading(funds=10**8, **COSTLY)
    assert world.set_terms(**TERMS) == world.transfer(2, sub(2), 10**7) == "accepted"
    for _ in range(5):
        trade(world, 1, 2, 1_000)
    assert trade(world, 3, sub(2), 1_000) == (200, 860)
    assert world.machine.state.activity(2).amount == 6_000


def test_what_is_liquidated_counts_for_nobody() -> None:
    world = World.trading(funds=11_000, maintenance_margin=50_000, **COSTLY)
    assert world.set_terms(**TERMS | {"low": 10, "high": 60}) == "accepted"
    assert world.deposit(3, 10**6) == "accepted"
    assert trade(world, 3, 1, 900) == (180, 900)
    assert world.order(3, BUY, 92, 900) == "accepted"
    kept = world.machine.state.activity(1).amount, world.machine.state.activity(3).amount
    world.press(92)
    assert world.trades(machine.LIQUIDATION)
    assert (world.machine.state.activity(1).amount, world.machine.state.activity(3).amount) == kept == (900, 900)


def test_whoever_can_pay_the_market_s_rates_can_pay_less() -> None:
    """Orders are weighed with what they cost at most, so the last unit of equity is enough for any activity."""
    for activity in (0, 10**6):
        world = World.trading(accounts=2, funds=10**8, initial_margin=100_000, maintenance_margin=50_000, **COSTLY)
        assert world.set_terms(**TERMS) == world.deposit(3, 1_000 + 100) == "accepted"
        world.machine.state.activity(3).amount = activity
        world.machine.state.activity(3).day = world.machine.regs.time // DAY
        assert world.order(1, SELL, 100, 101) == "accepted"
        assert world.order(3, BUY, 100, 101) == "insufficient_margin"
        assert trade(world, 2, 3, 100)[1] == (86 if activity else 100)


@given(st.integers(0, 2**96), st.lists(st.integers(0, FADED_DAYS), max_size=8))
def test_it_makes_no_difference_how_often_an_activity_is_looked_at(amount: int, days: list[int]) -> None:
    """Up to the day after which all is gone, which would have been a ten-thousandth."""
    activity, today = Activity(amount, 0), 0
    for more in days:
        today += more
        activity = Activity(get_activity(activity, DAY * today), today)
    once = get_activity(Activity(amount, 0), DAY * today + DAY - 1)
    assert activity.amount == once if today < FADED_DAYS else activity.amount <= amount // 10_000


rates = st.integers(0, 1_000_000)


@given(st.integers(0, 2**87), rates, rates, rates, st.integers(0, 100_000), st.integers(-1, 1), st.data())
def test_no_fill_pays_who_is_on_both_sides(
    notional: int, taker: int, maker: int, most: int, fee: int, sign: int, data: st.DataObject
) -> None:
    """Whatever the terms, sound or not, and whoever they are: no fee of a taker is negative, nor any sum of both."""
    high = data.draw(st.integers(1, 2**96))
    terms = {"low": data.draw(st.integers(0, high - 1)), "high": high}
    state = State()
    for name, value in {**terms, "taker_saving": taker, "maker_saving": maker, "most_rebate": most}.items():
        setattr(state.terms(), name, value)
    for master in (1, 2):
        state.activity(master).amount = data.draw(st.integers(0, 2**96))
    regs = Registers(account=2, kind=data.draw(st.sampled_from((records.ORDER, records.LIQUIDATION))))
    market = Market(1, 1, 1, fee, sign * fee, 1)
    paid, earned = charge_fees(regs, state, market, 1, notional)
    assert 0 <= paid <= compute_fee(notional, fee)
    assert -paid <= earned <= max(0, compute_fee(notional, sign * fee))
    assert -earned <= paid * most // 10**6 or earned >= 0


def saved(terms: Terms, part: int, activity: int, fills: list[tuple[int, int]]) -> int:
    """What an owner saves, in fees, who begins with an activity; `fills`: (days before it, what it is worth)."""
    total, today, held = 0, 0, Activity(activity, 0)
    for days, worth in fills:
        today += days
        total += compute_saving(worth * 10**6, part, get_activity(held, DAY * today), terms)
        add_activity(held, worth * 10**6, DAY * today)
    return total


SCALE = 10**12


def steepest(low: int, most_rebate: int) -> Terms:
    """Terms that save as much as they may, of both sides the same; `low`, `most_rebate`: ppm."""
    kept = (10**6 - most_rebate) * (10**6 - low)
    # (1 - s) * kept >= 3 * s
    saving = kept * 10**6 // (WASH_FACTOR * 10**12 + kept)
    terms = Terms(low * SCALE // 10**6, SCALE, saving, saving, most_rebate)
    assert are_terms_sound(terms)
    assert not are_terms_sound(Terms(terms.low, SCALE, saving + 1, saving, most_rebate))
    return terms


flows = st.lists(st.tuples(st.sampled_from((0, 0, 1, 1, 2, 7, 30, 200)), st.integers(1, 3 * SCALE)), max_size=40)


@given(st.integers(0, 950_000), st.integers(0, 999_000), st.integers(1, 2 * SCALE), st.integers(0, SCALE), flows)
def test_buying_activity_never_pays(
    low: int, most_rebate: int, bought: int, held: int, fills: list[tuple[int, int]]
) -> None:
    """Whatever is traded later: it saves less than the trades with oneself cost by which the activity came."""
    terms = steepest(low, most_rebate)
    gain = saved(terms, terms.taker_saving, held + bought, fills) - saved(terms, terms.taker_saving, held, fills)
    cost = bought * (10**6 - terms.taker_saving) * (10**6 - most_rebate) // 10**12
    assert gain <= cost + len(fills)


def test_the_factor_is_what_the_worst_trader_makes_of_it() -> None:
    """One that goes up to the end of the slope in small fills, and stays there, saves by what he bought up to two
    thirds of what it cost; in large fills (the property above) up to all of it. Without a factor it would pay."""
    fills = [(0, SCALE // 100)] * 100 + [(1, SCALE - SCALE * 27 // 28)] * 500
    bought = SCALE // 1_000
    shares = []
    for saving in (steepest(0, 0).taker_saving, 500_000):
        terms = Terms(0, SCALE, saving, saving, 0)
        gain = saved(terms, saving, bought, fills) - saved(terms, saving, 0, fills)
        shares.append(gain / (bought * (10**6 - saving) / 10**6))
    assert 0.6 < shares[0] < 2 / 3
    assert shares[1] > 1.8


@given(flows, flows, st.integers(0, SCALE))
def test_two_accounts_save_no_more_than_one(
    ours: list[tuple[int, int]], others: list[tuple[int, int]], bought: int
) -> None:
    """So whoever trades with an account of his own, and has both sides count, gets no more than by one of them."""
    terms = steepest(100_000, 0)
    dated = [
        (sum(days for days, _ in fills[: n + 1]), worth)
        for fills in (ours, others)
        for n, (_, worth) in enumerate(fills)
    ]
    in_time = sorted(dated, key=itemgetter(0))  # of one day each owner's in their order
    days = [0, *(day for day, _ in in_time)]
    together = [(day - days[n], worth) for n, (day, worth) in enumerate(in_time)]
    apart = sum(saved(terms, terms.taker_saving, bought, fills) for fills in (ours, others))
    assert apart <= saved(terms, terms.taker_saving, bought, together) + len(together)


# --- who gets them ----------------------------------------------------------------------------------------------------


def earn(world: World, size: int, floor: int = 0, **terms: int) -> tuple[int, int, int]:
    """What insurance, backstop and treasury (account 3) have more after so many lots, at a unit a lot, and a crank."""
    assert world.set_terms(treasury=3, insurance_floor=floor, **terms) == "accepted"
    before = world.market().insurance, world.account(BACKSTOP).collateral, world.account(3).collateral
    trade(world, 1, 2, size)
    world.wait(60)
    assert world.report(0, 100) == world.crank() == "accepted"
    after = world.market().insurance, world.account(BACKSTOP).collateral, world.account(3).collateral
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


def test_all_fees_are_the_insurance_s_unless_the_terms_say_so() -> None:
    world = World.trading(funds=10**8, **COSTLY | {"maker_fee": 0})
    assert earn(world, 100) == (100, 0, 0)
    assert earn(world, 100, backstop_share=333_333, treasury_share=500_000) == (17, 33, 50)
    assert earn(world, 100, backstop_share=1_000_000) == (0, 100, 0)
    world.wait(60)
    assert world.report(0, 100) == world.crank() == "accepted"
    assert world.market().revenue == 0 and world.market().insurance == 117  # nothing that was kept is passed on later


def test_insurance_is_filled_up_to_its_floor_first() -> None:
    world = World.trading(funds=10**8, **COSTLY | {"maker_fee": 0})
    shares = {"backstop_share": 500_000, "treasury_share": 250_000}
    # Each trade of 1,000 lots opens as many, worth 100,000, and brings 1,000: 1.5 % of what is open are 1,500 more.
    assert earn(world, 1_000, 15_000, **shares) == (1_000, 0, 0)
    assert earn(world, 1_000, 15_000, **shares) == (1_000, 0, 0)
    # At half a percent of 300,000 there are 1,500 more than it needs, and only what came in since is shared.
    assert earn(world, 1_000, 5_000, **shares) == (250, 500, 250)
    # At 7,812 ppm of 400,000 it needs 3,125 and has 3,250, with the fees: 125 are shared.
    assert earn(world, 1_000, 7_812, **shares) == (907, 62, 31)


@pytest.mark.parametrize("treasury", [0, 4, 2**32 - 1])
def test_the_share_of_a_treasury_that_is_not_there_is_kept(treasury: int) -> None:
    world = World.trading(funds=10**8, **COSTLY | {"maker_fee": 0})
    assert world.set_terms(backstop_share=100_000, treasury_share=900_000, treasury=treasury) == "accepted"
    trade(world, 1, 2, 100)
    world.wait(60)
    assert world.report(0, 100) == world.crank() == "accepted"
    assert (world.market().insurance, world.account(BACKSTOP).collateral) == (90, 10)


def test_shares_of_more_than_all_are_refused() -> None:
    world = World.trading()
    assert world.set_terms(backstop_share=400_000, treasury_share=600_000) == "accepted"
    assert world.set_terms(backstop_share=400_001, treasury_share=600_000) == "bad_parameters"


def test_who_has_the_backstop_s_shares_gets_nothing_for_washing() -> None:
    """What of a fee comes back by them is no part of what activity costs."""
    terms = Terms(0, SCALE, 200_000, 200_000, 200_000)
    assert are_terms_sound(terms)
    terms.backstop_share = 62_500
    assert are_terms_sound(terms)
    terms.backstop_share += 1
    assert not are_terms_sound(terms)
