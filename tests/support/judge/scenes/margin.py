"""What an account may open, close or keep: positions, tiers, limits, and the last unit of its funds."""

from dataclasses import asdict

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.listing_edges import tiered
from tests.support.machines.world import BUY, FOK, IOC, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import MarketParameters, SetMarketBody
from setoff.shared.rules import phases
from setoff.shared.rules.margin import EVERY, compute_health
from setoff.shared.state.store import State


def play_position_limit(world: JudgedWorld) -> None:
    """The largest orders fill a position up to its limit; one more lot is refused, on either side."""
    most = phases.MAX_ORDER_SIZE
    world.begin(money=10**13, margin_ppm=1, mark=1, max_position=2 * most)
    full = [world.order(1, BUY, 1, most, order_slot=order_slot) for order_slot in range(2)]
    short = [world.order(2, SELL, 2, most, order_slot=order_slot) for order_slot in range(2)]
    over = [world.order(1, BUY, 1, 1, order_slot=9), world.order(2, SELL, 2, 1, order_slot=9)]
    assert world.run(*full, *short, *over) == [OK] * 4 + ["position_limit"] * 2


def play_too_many_positions(world: JudgedWorld) -> None:
    """The ninth market finds no free place, until an order is cancelled."""
    world.begin(markets=9)
    eight = [world.order(1, BUY, 90, 1, order_slot=market, market=market) for market in range(1, 9)]
    ninth = world.order(1, BUY, 90, 1, order_slot=9, market=9)
    again = world.order(1, BUY, 90, 1, order_slot=9, market=9)
    outcomes = world.run(*eight, ninth, world.cancel(1, 3), again)
    assert outcomes == [OK] * 8 + ["too_many_positions", OK, OK]


def play_under_water(world: JudgedWorld) -> None:
    """A long loses its equity: its orders are pruned, it may close at a price good enough, and nothing else."""
    world.begin(money=2_000, maintenance_margin=50_000)
    open_both = [
        world.order(1, SELL, 100, 100),
        world.order(2, BUY, 100, 100),
        world.order(2, BUY, 82, 10, order_slot=1),
    ]
    assert set(world.run(*open_both)) == {OK}
    # At 85 account 2 is worth 500 less what it needs (850): the close at 89 is taken as a maker, the bid pruned.
    close = world.order(2, SELL, 89, 10, order_slot=2)
    assert world.run(world.price(85), close, world.order(3, BUY, 89, 5)) == [OK] * 3
    assert world.run(world.order(3, SELL, 60, 5, flags=IOC)) == [OK]
    # A close as a taker at the mark keeps the ratio but for the fee; to open more is refused.
    assert world.run(world.order(4, BUY, 88, 50), world.order(2, SELL, 88, 20, order_slot=3)) == [OK] * 2
    assert world.run(world.order(2, BUY, 85, 1, order_slot=4)) == ["insufficient_margin"]
    # Below zero even a close at the mark makes things no better. (Its money is taken by hand: else it is liquidated.)
    terms = MarketParameters(1, 100_000, 100_000, 500, -100, PPM, max_age=1, step_band=PPM)
    aged = records.encode(SetMarketBody(1, terms))
    shut = world.order(2, SELL, 80, 1, order_slot=5)
    world.wait(10)
    state = world.machine.state
    state.account(2).collateral -= 2_000
    state.account(3).collateral += 2_000
    state.commit()
    assert world.batch([aged], [shut, world.withdraw(2, 1)]) == [OK, "insufficient_margin", "stale_price"]
    assert world.took("takeover") == 0


def play_exact_funds(world: JudgedWorld) -> None:
    """A maker who can just bear the fill is filled; another a unit poorer is not."""
    world.begin(money=1_090)
    orders = [world.order(2, BUY, 100, 100), world.order(4, BUY, 100, 100)]
    assert world.run(*orders, world.withdraw(4, 1), world.price(99)) == [OK] * 4
    # At 99 the fill costs 100 and asks for 990, whatever rebate it may earn: 1090 - 100 is just that.
    deposit = world.deposit(3, 10**6)
    assert world.batch([deposit], [world.order(3, SELL, 100, 200, flags=IOC)]) == [OK] * 2


def play_reduce_only(world: JudgedWorld) -> None:
    """Orders that only close: cut to the position, together more than it, and pruned when there is none left."""
    world.begin(money=10**6)
    world.trade(1, 2, 100, 10)
    only = records.REDUCE_ONLY
    closes = [
        world.order(2, SELL, 101, 8, order_slot=1, flags=only),
        world.order(2, SELL, 101, 800, order_slot=2, flags=only),
    ]
    assert world.run(*closes, world.order(2, BUY, 99, 1, order_slot=3, flags=only)) == [OK, OK, "not_reducing"]
    # The scan does not count two orders that close the same lots; without it the second is cut.
    assert world.run(world.order(3, BUY, 101, 5, flags=FOK)) == ["unfillable"]
    assert world.run(world.order(3, BUY, 101, 15, flags=IOC)) == [OK]
    assert world.position(2).size == 0


def play_tiers(world: JudgedWorld) -> None:
    """Margins rise with the size of a position: just under and at the sizes of either tier."""
    tiers = asdict(tiered(MarketParameters(1, 100_000, 50_000, 500, -100, PPM)))
    fields = {name: value for name, value in tiers.items() if name.startswith("tier")}
    world.begin(money=10**6, maintenance_margin=50_000, **fields)
    for order_slot, size in enumerate((999, 1, 3_999, 1)):
        world.trade(1, 2, 100, size, order_slot=order_slot)
        state = State(world.machine.state.tree)
        equity, requirement = compute_health(world.machine.regs, state, state.account(1), EVERY)
        assert world.run(world.price(100), world.withdraw(1, equity - requirement + 1)) == [OK, "insufficient_margin"]


SCENES = (
    play_position_limit,
    play_too_many_positions,
    play_under_water,
    play_exact_funds,
    play_reduce_only,
    play_tiers,
)
