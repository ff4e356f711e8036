"""Accounts under water: slices, takeovers, and who closes against them."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, SELL

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys


def play_slices(world: JudgedWorld) -> None:
    """The book takes a liquidation in slices, until the account is healthy again; its orders are gone first."""
    world.begin(money=1_100, maintenance_margin=50_000, close_out=1)
    rich = world.deposit(3, 10**6)
    world.trade(1, 2, 100, 100)
    orders = [
        world.order(3, BUY, 92, 30),
        world.order(3, BUY, 91, 400, order_slot=1),
        world.order(3, BUY, 50, 400, order_slot=2),
    ]
    assert world.batch([rich], [*orders, world.price(91)]) == [OK] * 5
    assert world.took("liquidated") > 1 and world.took("takeover") == 0
    assert 0 < world.position(2).size < 100


def play_shorts(world: JudgedWorld) -> None:
    """A short that the price runs away from: slices, the backstop's takeover, and how it buys its own way out."""
    world.begin(money=10**5, maintenance_margin=50_000, close_out=40_000)
    world.trade(1, 2, 100, 9_000)
    asks = [world.order(3, SELL, 108, 300), world.order(3, SELL, 110, 300, order_slot=1)]
    assert world.run(world.backstop_deposit(4, 90_000), *asks, world.price(106)) == [OK] * 4
    assert world.took("liquidated") > 1 and -9_000 < world.position(1).size < 0
    assert world.run(world.price(108)) == [OK]
    assert world.took("takeover") > 0 and world.position(1).size == 0
    held = world.position(keys.BACKSTOP).size
    assert held < 0
    world.wait(60)
    asks = [world.order(3, SELL, 108, 300, order_slot=2), records.encode_crank(1)]
    assert world.run(*asks) == [OK] * 2
    assert held < world.position(keys.BACKSTOP).size < 0
    # The price gone on, the backstop itself is closed against those who won.
    assert world.run(world.price(160)) == [OK]
    assert world.took("deleverage") > 0 and world.position(keys.BACKSTOP).size == 0


def play_two_positions(world: JudgedWorld) -> None:
    """Of two positions the one that needs more margin goes first, wherever it is kept."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=2)
    world.trade(1, 2, 100, 6_000)
    world.trade(1, 2, 100, 3_000, order_slot=1, market=2)
    assert world.run(world.backstop_deposit(4, 90_000), world.price(88)) == [OK] * 2
    taken = [step.before.market for step in world.steps if step.kind == "takeover"]
    assert taken and taken[0] == 1


def play_small_winners(world: JudgedWorld) -> None:
    """Whoever is ranked first closes all it has, which is less than is to be closed; then the next one."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 7_900)
    world.trade(3, 2, 100, 100, order_slot=1)
    assert world.run(world.withdraw(3, 98_000), world.price(91)) == [OK, OK]
    assert world.took("deleverage") > 1 and world.position(3).size == 0


def play_insurance(world: JudgedWorld) -> None:
    """What an account owes more than it has is first drawn from the insurance fund; then others close against it."""
    world.begin(money=1_100)
    world.trade(1, 2, 100, 100)
    funded = world.market().insurance
    assert world.run(world.price(60)) == [OK]
    assert world.market().insurance == 0 < funded
    assert world.took("deleverage") == 1 and world.position(2).size == world.position(1).size == 0


def play_losers(world: JudgedWorld) -> None:
    """Where nobody on the other side has gained anything, those close who have lost least; and where nobody is left on
    it (which no trace leads to) the account stays as it is."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(2, 1, 100, 1_000)
    assert world.run(world.price(120)) == [OK]
    # 1 sells what it bought at 100 to 3, at 120: at 110 both 2 (short from 100) and 3 have lost.
    out = world.withdraw(3, 86_000)
    assert world.run(out, world.order(3, BUY, 120, 1_000), world.order(1, SELL, 120, 1_000, order_slot=1)) == [OK] * 3
    assert world.run(world.price(110)) == [OK]
    scores = [taken.after.best_score for taken in world.steps if taken.kind == "deleverage"]
    assert scores and max(scores) <= phases.SCORE_ONE
    world.trade(2, 4, 110, 7_000, order_slot=3)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.GATHER and machine.regs.ranking:
            machine.regs.best_score = machine.regs.best_account = 0

    world.bench.meddle = meddle
    last = world.deposit(9, 1)
    assert world.batch([last], [world.price(100)]) == [OK, OK]
    assert any(taken.after.skip_account for taken in world.steps)
    world.bench.meddle = lambda machine, input_index, micro: None


def play_owed(world: JudgedWorld) -> None:
    """Nobody takes out more than is owed to all: with an old price a debt may stand, and a gain beside it."""
    world.begin(money=1_100, margin_ppm=10_000)
    assert world.run(world.withdraw(3, 1_100), world.withdraw(4, 1_000)) == [OK, OK]

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro == 0:
            machine.regs.owed = 10

    world.bench.meddle = meddle
    assert world.run(world.withdraw(4, 11)) == ["withdrawals_limited"]
    world.bench.meddle = lambda machine, input_index, micro: None


SCENES = (
    play_slices,
    play_shorts,
    play_two_positions,
    play_small_winners,
    play_insurance,
    play_losers,
    play_owed,
)
