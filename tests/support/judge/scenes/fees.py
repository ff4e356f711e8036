"""Fees that fall with activity: the terms at their bounds, fills all along the slope, days that pass; who gets them."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, sub

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import fields_of
from setoff.shared.codec.records import MAX_ACTIVITY, ExchangeTerms
from setoff.shared.rules.fees import DAY, FADED_DAYS
from setoff.shared.state import keys

TERMS = {"low": 1_000, "high": 5_000, "taker_saving": 140_000, "maker_saving": 150_000, "most_rebate": 100_000}
"""Sound, and with no two numbers that could stand for each other."""
COSTLY = {"money": 10**9, "taker_fee": 10_000, "maker_fee": 2_000}
"""A market in which a hundred lots at a hundred ticks are worth a hundred in fees."""


def change(world: JudgedWorld, market: int = 1, **fields: int) -> bytes:
    """A message that gives a market other parameters than those it began with."""
    given = {"max_age": 10**9, "step_band": PPM, "impact": 2**40, **fields}
    return records.encode(records.SetMarketBody(*records.decode_list_market(world.listing(market, 100_000, **given))))


def play_terms_edges(world: JudgedWorld) -> None:
    """Every one of the terms at its bounds and just over them, and the slope as steep as it may be and steeper."""
    assert world.batch([world.set_terms(**TERMS)]) == [OK]
    # 0.86 * 0.9 * 4 / 5 = 0.6192 of what activity costs is no less than three times 0.2064.
    for name, most, over in (("maker_saving", 206_400, 206_401), ("taker_saving", 193_548, 193_549)):
        outcomes = world.batch([world.set_terms(**TERMS | {name: value}) for value in (most, over)])
        assert outcomes == [OK, "bad_parameters"], name
    given = [TERMS | {"most_rebate": value} for value in (345_930, 345_931)]
    given += [TERMS | {"low": value} for value in (0, 4_999, 5_000, 5_001, 2**128 - 1)]
    given += [{"backstop_share": share, "treasury_share": PPM - 7} for share in (7, 8)]
    given += [TERMS | {"backstop_share": share} for share in (273_255, 273_256)]
    given += [{"low": 1}, {}, {"low": 7, "high": 7}, TERMS | {"high": 1_001}, {"low": 999, "high": 1_000}]
    for field in fields_of(ExchangeTerms):
        for value in (PPM, PPM + 1, MAX_ACTIVITY, MAX_ACTIVITY + 1, field.limits.stop - 1):
            given += [terms | {field.name: value} for terms in (TERMS, {}, {"high": 7})] * (value in field.limits)
    outcomes = world.batch([world.set_terms(**terms) for terms in given])
    assert set(outcomes) == {OK, "bad_parameters"}


def play_slope(world: JudgedWorld) -> None:
    """Two trade until both are past the end of the slope, one of them from further up, and then days go by."""
    world.begin(**COSTLY)
    world.trade(1, 2, 100, 700)
    assert world.batch([world.set_terms(**TERMS)]) == [OK]
    for number in range(9):
        world.trade(1 + number % 2, 2 - number % 2, 100, 733)
    world.trade(1, 3, 100, 377)  # of whom one has nothing yet
    assert world.run(world.transfer(1, sub(1), 10**6)) == [OK]
    world.trade(4, sub(1), 100, 55)  # whose master has much
    world.trade(sub(1), 4, 100, 55)
    for days in (1, 2):
        world.wait(DAY * days)
        world.trade(2, 1, 100, 3_500)
        world.trade(4, 1, 100, 77)
    # A fill that is worth more than the whole slope, by who stands in the middle of it.
    world.trade(4, 1, 100, 2_500)
    world.trade(4, 1, 100, 50_000)
    world.trade(4, 1, 100, 1)
    assert world.batch([world.set_terms()]) == [OK]
    world.trade(1, 4, 100, 1_000)


def play_rebates(world: JudgedWorld) -> None:
    """A rebate is cut to a part of what the taker pays, from its own rate, and once more by what the taker saves."""
    world.begin(**COSTLY | {"maker_fee": -5_000})
    world.trade(1, 2, 100, 1_000)
    for most_rebate in (0, 333_333, 600_000):
        assert world.batch([world.set_terms(low=0, high=4_000, taker_saving=90_000, most_rebate=most_rebate)]) == [OK]
        for size in (333, 1_777):
            world.trade(1, 2, 100, size)
    # A saving of the maker's makes a charge of a rebate.
    assert world.batch([world.set_terms(**TERMS), change(world, taker_fee=10_000, maker_fee=500)]) == [OK, OK]
    for size in (100, 2_500, 2_500, 999):
        world.trade(1, 2, 100, size)


def play_largest_activity(world: JudgedWorld) -> None:
    """An activity ends at the most there is, has none of a market without fees, and fades for so many days."""
    world.begin(markets=2, **COSTLY)
    free = change(world, 2, taker_fee=0, maker_fee=0)
    assert world.batch([free, world.set_terms(**TERMS | {"high": MAX_ACTIVITY})]) == [OK, OK]
    world.trade(1, 2, 100, 333, market=2, order_slot=2)
    world.trade(1, 2, 100, 333)
    state = world.machine.state
    state.activity(1).amount = MAX_ACTIVITY - 1
    state.activity(2).amount = MAX_ACTIVITY // 3
    state.commit()
    world.trade(1, 2, 100, 333)
    world.trade(2, 1, 100, 333)
    for days in (FADED_DAYS - 1, FADED_DAYS):
        world.wait(DAY * days)
        world.trade(1, 2, 100, 333)
        state.activity(1).amount = state.activity(2).amount = MAX_ACTIVITY - 1
        state.commit()


def play_liquidation_with_terms(world: JudgedWorld) -> None:
    """Who makes for a liquidation saves a part of its fee, gets no rebate, and nobody's activity grows."""
    world.begin(markets=2, money=10_000, maintenance_margin=50_000, taker_fee=10_000, maker_fee=2_000)
    assert world.batch([world.set_terms(**TERMS | {"low": 10, "high": 60}), change(world, maker_fee=-500)]) == [OK, OK]
    bids = [world.order(3, BUY, 79, 400, order_slot=market, market=market) for market in (1, 2)]
    for market in (1, 2):
        world.trade(4, 3, 100, 50, market=market)
        world.trade(1, 2, 100, 400, market=market)
    assert world.run(*bids) == [OK, OK]
    for market in (1, 2):
        world.press(80, market)
    assert world.took("fill") >= 6


def earn(world: JudgedWorld, size: int, market: int = 1) -> None:
    """Fees of so many lots; then a crank, with which they are shared."""
    world.trade(1, 2, 100, size, market=market)
    world.wait(60)
    assert world.run(world.crank(market)) == [OK]


def play_revenue(world: JudgedWorld) -> None:
    """Fees are shared as far as the insurance stays above its floor, once, and with a treasury that is there."""
    world.begin(markets=2, **COSTLY)
    shares = {"backstop_share": 333_333, "treasury_share": 499_999, "treasury": 3}
    earn(world, 100)  # before there are terms they are the insurance's, for good
    for terms in (shares, shares | {"treasury": 0}, shares | {"treasury": 5}, {"treasury_share": PPM, "treasury": 4}):
        assert world.batch([world.set_terms(**terms)]) == [OK]
        earn(world, 57)
        world.wait(60)
        assert world.run(world.crank()) == [OK]  # with nothing to share
    world.trade(3, 4, 100, 1_000)
    insured, open_interest = world.market().insurance, world.market().open_interest
    worth = open_interest * world.market().mark
    for floor in (PPM * insured // worth + 1, PPM * (insured - 50) // worth, 2**32 - 1):
        assert world.batch([world.set_terms(**shares, insurance_floor=floor)]) == [OK]
        earn(world, 33)
    earn(world, 41, market=2)


def play_revenue_of_the_backstop_s_market(world: JudgedWorld) -> None:
    """The backstop gets its share in the step in which it offers what it holds."""
    world.begin(money=10**5, maintenance_margin=50_000, taker_fee=1_000, maker_fee=0)
    assert world.batch([world.set_terms(backstop_share=600_000, treasury_share=300_000, treasury=4)]) == [OK]
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000)) + world.press(93) == [OK] * 3
    assert world.position(keys.BACKSTOP).size > 0
    world.wait(60)
    assert world.run(world.price(93), world.crank()) == [OK, OK]
    assert world.market().revenue == 0 and world.account(4).collateral == 10**5 + 270


SCENES = (
    play_revenue,
    play_revenue_of_the_backstop_s_market,
    play_terms_edges,
    play_slope,
    play_rebates,
    play_largest_activity,
    play_liquidation_with_terms,
)
