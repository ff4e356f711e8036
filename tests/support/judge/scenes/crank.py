"""Cranks that measure the book: thin, deep, dead, unfunded, long; and a mark that runs into its bounds."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.pausing import stop
from tests.support.machines.world import BUY, REDUCE_ONLY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import MarketParameters, SetMarketBody
from setoff.shared.rules import phases
from setoff.shared.rules.phases import PREMIUM_ONE

CRANK = records.encode_crank(1)


def crank(world: JudgedWorld, *before: bytes, seconds: int = 60) -> None:
    """A crank some seconds later, behind other records that are accepted."""
    if before:
        assert set(world.run(*before)) == {OK}
    world.wait(seconds)
    assert world.run(CRANK) == [OK]


def play_depth(world: JudgedWorld) -> None:
    """Sides without a level, without enough lots, over several levels; samples, and the funding between them."""
    world.begin(money=10**7, mark=1_000, impact=40, funding_cap=100_000, margin_ppm=600_000)
    world.trade(1, 2, 1_000, 7, order_slot=9)
    crank(world)
    bids = [world.order(1, BUY, 1_020, 30), world.order(1, BUY, 1_010, 30, order_slot=1)]
    crank(world, *bids)  # alone
    assert (world.market().basis0, world.market().excess) == (17, 17)
    crank(world, world.order(2, SELL, 1_030, 39))
    assert world.market().funding > 0
    crank(world, world.order(2, SELL, 1_040, 20, order_slot=1))
    # 1,017.5 and 1,030.25
    assert (world.machine.regs.trigger, world.machine.regs.price) == (1_017, 1_031)
    assert (world.market().basis0, world.market().excess) == (17, 17)
    crank(world, world.order(3, BUY, 1_021, 40), seconds=77)
    crank(world, world.order(3, BUY, 1_025, 40, order_slot=1), seconds=4_000)
    assert world.market().basis2 < world.market().basis1 < world.market().basis0
    world.time += 1
    assert world.run(world.price(1_001)) == [OK]
    assert world.market().mark == 1_001 + (world.market().premium >> 16)
    before = world.market()
    crank(world, world.cancel_all(1), world.cancel_all(3), seconds=100)  # asks alone, at 1,031
    left = 480 - (world.market().sampled - before.sampled)
    assert (world.market().excess, world.market().basis0) == (0, before.basis0 * left // 480)
    crank(world, world.order(3, SELL, 1_003, 50))
    assert (world.market().excess, world.market().basis0) == (0, 2)
    # An index above the book: shorts pay, by asks alone and with bids.
    assert world.run(world.price(1_100), world.cancel_all(3), world.cancel_all(2)) == [OK, OK, OK]
    crank(world, world.order(3, SELL, 1_050, 50))
    assert (world.market().excess, world.market().basis0) == (-50, -50)
    funding = world.market().funding
    crank(world, world.order(4, BUY, 1_000, 50))
    assert world.market().funding < funding
    # At the end of one interval and not at the other: nobody.
    funding = world.market().funding
    for price in (1_020, 900, 1_110, 1_110):
        assert world.run(world.price(price)) == [OK]
        crank(world)
    assert world.market().funding < funding
    # Neither side: by time.
    assert world.run(world.cancel_all(3), world.cancel_all(4)) == [OK, OK]
    basis = world.market().basis0
    crank(world, seconds=100)
    assert world.market().basis0 == -(-basis * 380 // 480) != 0
    crank(world, seconds=480)
    assert (world.market().basis0, world.market().excess) == (0, 0)


def play_bounds(world: JudgedWorld) -> None:
    """A premium beyond a sixth of the maintenance margin, or beyond the band; one of about a taker's fee is none."""
    fields = {"impact": 5, "funding_cap": 50_000, "taker_fee": 10_000, "max_age": 10**9, "step_band": PPM}
    world.begin(money=10**7, mark=1_000, margin_ppm=600_000, band=100_000, **fields)
    for bid, ask, excess in ((1_011, 1_020, 1), (1_012, 1_020, 2), (1_010, 1_020, 0), (980, 989, -1), (980, 990, 0)):
        crank(world, world.order(1, BUY, bid, 5), world.order(2, SELL, ask, 5))
        assert world.market().excess == excess
        assert world.run(world.cancel_all(1), world.cancel_all(2)) == [OK, OK]
    for side, price in ((BUY, 1_060), (SELL, 940)):
        assert world.run(world.order(3, side, price, 5)) == [OK]
        for maintenance, band in ((20_005, 100_000), (600_000, 30_000), (600_000, 100_000)):
            terms = MarketParameters(
                1,
                600_000,
                maintenance,
                taker_fee=10_000,
                maker_fee=0,
                band=band,
                max_age=10**9,
                step_band=PPM,
                impact=5,
            )
            assert world.batch([records.encode(SetMarketBody(1, terms))], []) == [OK]
            crank(world)
            edge = min(60, 1_000 * (maintenance // phases.MARK_PART) // PPM, 1_000 * band // PPM)
            assert world.market().basis0 == (edge if side == BUY else -edge)
        assert world.run(world.cancel_all(3)) == [OK]


def play_a_long_book(world: JudgedWorld) -> None:
    """A crank that finds more makers than its input has steps for goes on with the next record, on the old terms."""
    world.begin(money=10**7, mark=1_000, impact=10, margin_ppm=600_000)
    book = [world.order(1, BUY, 1_020 - slot // 2, 1, order_slot=slot) for slot in range(12)]
    book += [world.order(2, SELL, 1_030 + slot // 2, 1, order_slot=slot, expiry=world.time + 30) for slot in range(4)]
    book += [world.order(3, SELL, 1_040, 10)]
    assert set(world.run(*book)) == {OK}
    world.wait(60)
    stop(world, phases.DEPTH, after=3)
    assert world.run(CRANK) == [OK]
    assert world.machine.regs.has_work and world.machine.regs.next_phase == phases.DEPTH
    terms = MarketParameters(1, 600_000, 600_000, 500, -100, PPM, 10**9, PPM, impact=3)
    stop(world, phases.DEPTH, after=9)
    busy = world.order(4, BUY, 990, 1)
    outcomes = world.batch([records.encode(SetMarketBody(1, terms))], [busy, busy])
    assert outcomes == [OK, "busy", "busy"]
    assert world.machine.regs.has_work == 0
    assert world.account(2).orders == 0 and world.account(4).orders == 0
    assert (world.machine.regs.trigger, world.machine.regs.price, world.market().basis0) == (1_018, 1_040, 18)


def play_makers(world: JudgedWorld) -> None:
    """Makers that are dead, cannot pay, can pay for one of their orders only, only close, or are too many."""
    world.begin(money=10**6, mark=1_000, impact=40, maintenance_margin=100_000)
    assert world.run(world.order(1, BUY, 950, 100), world.order(2, SELL, 1_050, 100)) == [OK, OK]
    dead = [world.order(3, BUY, 990, 5, order_slot=slot, expiry=world.time + 30) for slot in (1, 2)]
    dead.append(world.order(3, SELL, 1_010, 5, order_slot=3, expiry=world.time + 30))
    crank(world, *dead)
    assert world.account(3).orders == 0 and world.market().best_bid == 950
    poor = world.machine.state.account(3).collateral - 5_000
    crank(world, *(world.order(3, BUY, 990, 20, order_slot=slot) for slot in range(4)))
    assert world.machine.regs.trigger == 990
    move(world, poor)
    crank(world)  # each could trade, all of them not
    assert world.machine.regs.trigger == 950 and world.account(3).orders == 0b1111
    move(world, 4_900)
    crank(world)
    assert world.account(3).orders == 0
    move(world, -poor - 4_900)
    world.trade(3, 4, 1_000, 15, order_slot=5)
    closing = [world.order(4, SELL, 1_001, 15, order_slot=1, flags=REDUCE_ONLY)]
    closing += [world.order(3, BUY, 999, 10, order_slot=1, flags=REDUCE_ONLY)]
    crank(world, *closing)
    assert (world.machine.regs.trigger, world.machine.regs.price) == (962, 1_032)
    crank(world, world.cancel_all(3), world.cancel_all(4))
    # However many lots stand in front, those behind them count.
    many = [world.order(4, BUY, 960 + slot, 1, order_slot=slot) for slot in range(39)]
    crank(world, *many)
    assert world.machine.regs.trigger == (sum(range(960, 999)) + 950) // 40


def move(world: JudgedWorld, amount: int) -> None:
    """Money from account 3 to 4, by hand: it leaves 3 less than its orders need."""
    world.machine.state.account(3).collateral -= amount
    world.machine.state.account(4).collateral += amount
    world.machine.state.commit()


def play_mark_band(world: JudgedWorld) -> None:
    """The mark runs into the band around its anchor, up and down, with the next interval from there."""
    world.begin(money=10**7, mark=10_000, impact=1, step_band=10_000, margin_ppm=600_000)
    quotes = [world.order(1, BUY, 10_490, 5), world.order(2, SELL, 10_510, 5)]
    crank(world, *quotes)
    assert world.market().mark == 10_000
    crank(world)
    assert world.market().mark == 10_100
    crank(world)
    assert 10_150 < world.market().mark == 10_000 + (world.market().premium >> 16)
    market = world.machine.state.market(1)
    market.premium, market.basis0, market.basis1 = -600 * PREMIUM_ONE, -600, -600
    world.machine.state.commit()
    assert world.run(world.price(10_001)) == [OK]
    assert world.market().mark == 10_100 - 101
    # A premium that outgrew the prices: never below one tick, never above the last.
    market = world.machine.state.market(1)
    market.mark_anchor, market.step_band = 1, 10**6
    market.premium, market.basis0, market.basis1 = -20_000 * PREMIUM_ONE, -20_000, -20_000
    world.machine.state.commit()
    assert world.run(world.price(10_002)) == [OK]
    assert world.market().mark == 1


SCENES = (play_depth, play_bounds, play_a_long_book, play_makers, play_mark_band)
