"""Cranks that measure the book: thin, deep, dead, unfunded, too long; and a mark that runs into its band."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, REDUCE_ONLY, SELL

from setoff.shared.codec import records
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
    world.begin(money=10**7, mark=1_000, impact=40, funding_cap=100_000)
    world.trade(1, 2, 1_000, 7, order_slot=9)
    crank(world)
    bids = [world.order(1, BUY, 1_020, 30), world.order(1, BUY, 1_010, 30, order_slot=1)]
    crank(world, *bids)
    crank(world, world.order(2, SELL, 1_030, 39))
    assert world.market().premium == 0
    crank(world, world.order(2, SELL, 1_040, 20, order_slot=1))
    # 1,017.5 and 1,030.25
    assert (world.market().basis0, world.market().excess) == ((1_017 + 1_031) // 2 - 1_000, 17)
    assert world.market().funding > 0
    crank(world, world.order(3, BUY, 1_021, 40), seconds=77)
    crank(world, world.order(3, BUY, 1_025, 40, order_slot=1), seconds=4_000)
    assert world.market().basis2 < world.market().basis1 < world.market().basis0
    world.time += 1
    assert world.run(world.price(1_001)) == [OK]
    assert world.market().mark == 1_001 + (world.market().premium >> 16)
    crank(world, world.cancel_all(1), world.cancel_all(3))
    assert (world.market().excess, world.market().basis0) == (0, 28)
    # An index above the book: shorts pay.
    assert world.run(world.price(1_100)) == [OK]
    crank(world, world.order(3, BUY, 1_000, 50))
    assert world.market().excess < 0


def play_makers(world: JudgedWorld) -> None:
    """Makers that are dead, cannot pay, can pay for one of their orders only, only close, or are too many."""
    world.begin(money=10**6, mark=1_000, impact=40)
    assert world.run(world.order(1, BUY, 950, 100), world.order(2, SELL, 1_050, 100)) == [OK, OK]
    dead = [world.order(3, BUY, 990, 5, order_slot=slot, expiry=world.time + 30) for slot in (1, 2)]
    dead.append(world.order(3, SELL, 1_010, 5, order_slot=3, expiry=world.time + 30))
    crank(world, *dead)
    assert world.account(3).orders == 0 and world.market().best_bid == 950
    poor = world.machine.state.account(3).collateral - 5_000
    crank(world, *(world.order(3, BUY, 990, 20, order_slot=slot) for slot in range(4)))
    assert world.market().basis0 == 20
    move(world, poor)
    crank(world)  # each could trade, all of them not
    assert world.market().basis0 == 0 and world.account(3).orders == 0b1111
    move(world, 4_900)
    crank(world)
    assert world.account(3).orders == 0
    move(world, -poor - 4_900)
    world.trade(3, 4, 1_000, 15, order_slot=5)
    closing = [world.order(4, SELL, 1_001, 15, order_slot=1, flags=REDUCE_ONLY)]
    closing += [world.order(3, BUY, 999, 10, order_slot=1, flags=REDUCE_ONLY)]
    crank(world, *closing)
    assert world.market().basis0 != 0
    crank(world, world.cancel_all(3), world.cancel_all(4))
    premium = world.market().premium
    many = [world.order(4, BUY, 960 + slot // 3, 1, order_slot=slot) for slot in range(phases.DEPTH_ORDERS + 1)]
    crank(world, *many)
    assert world.market().premium == premium
    crank(world, world.cancel(4, phases.DEPTH_ORDERS))
    assert world.market().premium == premium
    crank(world, world.order(4, BUY, 999, 39, order_slot=50))
    assert world.market().premium != premium


def move(world: JudgedWorld, amount: int) -> None:
    """Money from account 3 to 4, by hand: it leaves 3 less than its orders need."""
    world.machine.state.account(3).collateral -= amount
    world.machine.state.account(4).collateral += amount
    world.machine.state.commit()


def play_mark_band(world: JudgedWorld) -> None:
    """The mark runs into the band around its anchor, up and down, with the next interval from there."""
    world.begin(money=10**7, mark=10_000, impact=1, step_band=10_000)
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


SCENES = (play_depth, play_makers, play_mark_band)
