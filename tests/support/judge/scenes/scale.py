"""Initial margins that rise and fall with open interest: to the unit, a step a minute, at every bound of the terms."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import vary, worth
from tests.support.judge.scenes.fees import change
from tests.support.machines.world import BUY, SELL

from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import stamp_message
from setoff.shared.rules.scale import FULL

BARE = {"taker_fee": 0, "maker_fee": 0}


def measure(world: JudgedWorld, minutes: int = 1) -> int:
    """The scale after so many samples."""
    for _ in range(minutes):
        world.wait(60)
        assert world.run(world.price(100), world.crank()) == [OK, OK]
    return world.market().scale


def begin(world: JudgedWorld, size: int, most: int = 10_000, **fields: int) -> None:
    """1 and 2 hold `size` of 2,000 lots that may be open; margins rise from 1,000 on."""
    world.begin(money=200_000, max_open_interest=2_000, **BARE, **fields)
    assert world.batch([world.set_terms(scale_from=5_000, scale_most=most)]) == [OK]
    world.trade(1, 2, 100, size)


def play_rise(world: JudgedWorld) -> None:
    """At most 32 of 255 a sample, up to what is asked for; what has to stay is all that is not free, to the unit."""
    begin(world, 1_500)
    assert [measure(world) for _ in range(5)] == [32, 64, 96, 127, 127]
    needed = 1_500 * 10 + -(-(1_500 * 900_000 * 127 // FULL) * 100 // PPM)
    free = 200_000 - needed
    inputs = [world.withdraw(1, free + 1), world.withdraw(1, free)]
    for index in (0, 1):  # no less in a wind-down
        vary(world, inputs, {"registers.winding_since": world.time}, index)
    assert world.run(*inputs) == ["insufficient_margin", OK]
    # No more of it; what closes may always be traded.
    assert world.run(world.order(1, SELL, 100, 1), world.order(1, BUY, 100, 1_500)) == ["insufficient_margin", OK]
    assert world.run(world.order(2, SELL, 100, 1_500)) == [OK]
    assert world.market().open_interest == 0
    assert [measure(world) for _ in range(5)] == [95, 63, 31, 0, 0]


def play_bounds(world: JudgedWorld) -> None:
    """Terms and caps at their bounds, and next to them."""
    begin(world, 2_000, most=2_500)
    assert measure(world, 3) == 63
    outcomes = world.batch(
        [world.set_terms(scale_from=share, scale_most=most) for share, most in ((10_001, 0), (0, 10_001), (0, 10_000))]
    )
    assert outcomes == ["bad_parameters", "bad_parameters", OK]
    assert measure(world, 7) == FULL
    for cap, share, minutes, wanted in ((1_999, 9_999, 1, FULL), (4_001, 0, 4, 127), (4_000, 10_000, 1, 95)):
        changes = [change(world, max_open_interest=cap, **BARE), world.set_terms(scale_from=share, scale_most=10_000)]
        assert world.batch(changes) == [OK, OK]
        assert measure(world, minutes) == wanted
    for cap in (0, 2**64 - 1):
        assert world.batch([change(world, max_open_interest=cap, **BARE)]) == [OK]
        assert measure(world, 3) == 0


def play_makers(world: JudgedWorld) -> None:
    """Who could bear his order when he gave it, and not what it needs now, is no maker any more."""
    begin(world, 1_990, tier1_size=50, tier1_initial=400_000, tier1_maintenance=200_000)
    assert world.run(world.withdraw(3, 200_000 - 110)) == [OK]
    offers = [world.order(account, SELL, 101, 10, order_slot=1) for account in (3, 4)]
    assert world.run(*offers) == [OK, OK]
    assert measure(world, 9) > 250
    assert world.run(world.order(2, BUY, 101, 10)) == [OK]
    assert world.machine.state.order(3 << 8 | 1).size == 0 and world.position(4).size == -10


def play_closing(world: JudgedWorld) -> None:
    """What only closes is judged by the usual margins, in the crowded market and in others; what flips is not."""
    world.begin(markets=2, money=200_000, max_open_interest=2_000, **BARE)
    assert world.batch([world.set_terms(scale_from=0, scale_most=10_000)]) == [OK]
    for market in (1, 2):
        world.trade(1, 2, 100, 990, market=market)
    world.trade(3, 4, 100, 1_000)
    for _ in range(8):
        world.wait(60)
        assert world.run(world.price(100), world.price(100, 2), world.crank()) == [OK] * 3
    assert (world.market().scale, world.market(2).scale) == (253, 0)
    assert world.run(world.withdraw(1, 100_000), world.transfer(2, 3, 100_000)) == ["insufficient_margin"] * 2
    # By the queue it leaves, of what is free by the usual margins to the unit.
    queued = [stamp_message(world.withdraw(1, amount), world.time) for amount in (180_201, 180_200)]
    assert world.batch(queued) == ["insufficient_margin", OK]
    # 1 has no more than its usual margins: it closes in either market, at the mark and a tick beside it.
    for market, size in ((1, 400), (2, 400), (1, 590), (2, 590)):
        assert world.run(world.order(4, SELL, 100, size, order_slot=7, market=market)) == [OK]
        assert world.run(world.order(1, BUY, 100, size, order_slot=7, market=market)) == [OK]
    assert world.position(1).size == world.position(1, 2).size == 0
    assert world.run(world.order(1, BUY, 100, 250, order_slot=3)) == ["insufficient_margin"]


def play_dear_closing(world: JudgedWorld) -> None:
    """Who only closes may do it at a price that takes more of what it has than of its position, if its usual margins
    are left; and who opens in another market owes the usual ones in the crowded market."""
    world.begin(markets=2, money=200_000, max_open_interest=2_000, taker_fee=5_000, maker_fee=0)
    assert world.batch([world.set_terms(scale_from=0, scale_most=10_000)]) == [OK]
    world.trade(1, 2, 100, 990)
    world.trade(3, 4, 100, 1_000)
    for _ in range(2):
        world.wait(60)
        assert world.run(world.price(100), world.price(100, 2), world.crank()) == [OK] * 3
    assert world.batch([stamp_message(world.withdraw(1, 200_000 - 9_900 - 150), world.time)]) == [OK]
    assert world.run(world.order(1, SELL, 100, 10, order_slot=2, market=2)) == [OK]
    assert world.run(world.order(4, SELL, 110, 1, order_slot=7)) == [OK]
    assert world.run(world.order(1, BUY, 110, 1, order_slot=7)) == [OK]
    assert world.position(1).size == -989


def play_flipping(world: JudgedWorld) -> None:
    """What closes and then opens is judged as what opens."""
    begin(world, 1_900)
    world.trade(4, 3, 100, 10)
    assert world.run(world.withdraw(3, 198_000)) == [OK]
    assert world.run(world.order(3, SELL, 101, 60, order_slot=1)) == [OK]
    assert measure(world, 4) == 128
    assert world.run(world.order(2, BUY, 101, 60)) == [OK]
    assert world.machine.state.order(3 << 8 | 1).size == 0 and world.position(3).size == 10


def play_rounding(world: JudgedWorld) -> None:
    """To the unit, where a part of a weight is worth some: each is rounded once, and only initial margins rise."""
    unit = PPM
    terms = {"tier1_size": 7, "tier1_initial": 130_001, "tier1_maintenance": 50_000, "maintenance_margin": 50_000}
    world.begin(
        money=10**12, unit=unit, order_margin=12_345, close_out=20_000, max_open_interest=2_000, **terms, **BARE
    )
    assert world.batch([world.set_terms(scale_from=5_000, scale_most=10_000)]) == [OK]
    world.trade(1, 2, 100, 1_501)
    assert measure(world) == 32
    weight = 7 * 100_000 + 1_494 * 130_001
    needed = (weight + (1_501 * PPM - weight) * 32 // FULL) * 100 * unit // PPM + 12_345
    for account in (1, 2):
        free = 10**12 - needed
        assert world.run(world.withdraw(account, free + 1), world.withdraw(account, free)) == [
            "insufficient_margin",
            OK,
        ]
    # 1 has some 13 % left, and then some 4 %: more than maintenance and close-out ask for, less than they would risen.
    assert world.run(world.price(110)) == [OK] and world.position(1).size == -1_501
    assert world.run(world.price(119)) == [OK] and world.position(1).size == -1_501
    assert world.run(world.order(3, SELL, 120, 400)) == [OK]
    assert world.run(world.price(120)) == [OK] and -1_501 < world.position(1).size < 0


def play_thirds(world: JudgedWorld) -> None:
    """Open interest where the lots from which margins rise, and the part they rise by, are no whole numbers."""
    world.begin(money=200_000, max_open_interest=19, **BARE)
    assert world.batch([world.set_terms(scale_from=790, scale_most=9_549)]) == [OK]
    world.trade(1, 2, 100, 3)
    assert measure(world) == 27  # from 1 on: 255 * 2 / 18 * 0.9549, rounded down once


def play_far_market(world: JudgedWorld) -> None:
    """An order in one market, and in no other: margins of the crowded one are as usual, whatever the numbers are."""
    world.begin(markets=32, money=200_000, max_open_interest=2_000, **BARE)
    assert world.batch([world.set_terms(scale_from=0, scale_most=10_000)]) == [OK]
    world.trade(1, 2, 100, 990)
    assert measure(world, 4) == 126
    for market in (2, 32):
        inputs = [world.order(1, BUY, 100, 10, market=market, order_slot=market)]
        for money in (10_000, 11_000, 60_000):  # 9,900 are needed, and 54,000 where the scale counts
            vary(world, inputs, {"account 1.collateral": worth(world, 1, money)})
        assert world.run(*inputs) == [OK]


def play_growing(world: JudgedWorld) -> None:
    """Who adds to a position, by less than it has, needs what has risen, long or short; who closes does not."""
    world.begin(money=200_000, max_open_interest=2_000, **BARE)
    assert world.batch([world.set_terms(scale_from=0, scale_most=10_000)]) == [OK]
    world.trade(1, 2, 100, 900)
    orders = [(account, side) for account in (1, 2) for side in (BUY, SELL)]
    for slot, (account, side) in enumerate(orders):
        price = 99 if side == BUY else 101
        assert world.run(world.order(account, side, price, 10, order_slot=slot)) == [OK]
    assert measure(world, 4) > 100
    for side, price in ((SELL, 99), (BUY, 101)):
        inputs = [world.order(3, side, price, 20, order_slot=9)]
        for account in (1, 2):
            for money in (1_000, 9_200, 9_400, 30_000, 60_000):
                vary(world, inputs, {f"account {account}.collateral": worth(world, account, money)})
        assert world.run(*inputs) == [OK]


SCENES = (
    play_rise,
    play_bounds,
    play_makers,
    play_closing,
    play_dear_closing,
    play_flipping,
    play_rounding,
    play_thirds,
    play_far_market,
    play_growing,
)
