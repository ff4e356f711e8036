"""Dated futures at their end, and the end of the exchange."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.holders import enter_holders
from tests.support.machines.world import BUY, GTC, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys


def play_settlement(world: JudgedWorld) -> None:
    """Dated futures come to their end: at the mean of their last half hour, or at the last price."""
    start = world.time
    world.begin(money=10**6, markets=1, expiry=start + 2000)
    assert world.batch([world.listing(2, 100_000, expiry=start + 10_000, max_age=10**9, step_band=PPM)]) == [OK]
    assert world.run(world.price(50, 2)) == [OK]
    world.trade(1, 2, 100, 10)
    world.trade(1, 2, 50, 10, order_slot=1, market=2)
    resting = [world.order(3, BUY, 90, 5, order_slot=3), world.order(2, SELL, 140, 5, order_slot=3)]
    assert world.run(*resting) == [OK, OK]
    world.wait(1000)
    assert world.run(world.price(150), world.price(121)) == [OK] * 2
    world.wait(400)
    assert world.run(world.price(110)) == [OK]
    world.wait(1500)
    crank = records.encode_crank(1)
    late = [world.price(100), crank, crank, world.order(1, BUY, 100, 1, order_slot=9)]
    outcomes = world.run(*late)
    assert outcomes == ["market_expired", OK, "not_due", "market_expired"]
    assert 106 <= world.market().mark <= 110 and world.market().settled == 0
    world.wait(60)
    assert world.run(crank) == [OK]
    assert world.market().settled == 1 and world.position(1).size == world.position(2).size == 0
    assert world.run(crank) == ["not_due"]
    assert world.run(world.cancel(3, 3), world.cancel(2, 3), world.withdraw(2, 1)) == [OK] * 3
    world.wait(10**5)
    assert world.run(records.encode_crank(2)) == [OK]
    assert world.market(2).mark == 50 and world.market(2).open_interest == 0


def play_wind_down(world: JudgedWorld) -> None:
    """Positions in two markets, one of them with a debt behind it, orders of all kinds: all settled, all withdrawn."""
    start = world.time
    world.begin(money=10_000, markets=3, maintenance_margin=50_000)
    assert world.batch([world.listing(4, 100_000, expiry=start + 10**6, max_age=10**9, step_band=PPM)]) == [OK]
    assert world.run(world.price(100, 4), world.backstop_deposit(4, 3_000)) == [OK] * 2
    for number in (1, 2, 4):
        world.trade(1, 2, 100, 100, order_slot=number, market=number)
    armed = world.order(3, SELL, 100, 5, order_slot=1, flags=records.BELOW, trigger=95)
    resting = [world.order(3, BUY, 90, 5, order_slot=2), world.order(3, SELL, 130, 5, order_slot=3, market=2), armed]
    assert world.run(*resting) == [OK] * 3
    # The index leaves the mark of market 1 behind: at it account 2 is worth less than nothing.
    market = world.machine.state.market(1)
    market.index = 10
    world.machine.state.account(2).collateral -= 9_000
    world.machine.state.account(3).collateral += 9_000
    world.machine.state.commit()
    end = records.encode(records.WindDownBody())
    after = [
        world.order(1, BUY, 100, 1, order_slot=9),
        world.amend(3, 2, 90, 1),
        world.backstop_deposit(1, 1),
        world.price(100),
    ]
    refused = ["winding_down"] * 4
    assert world.batch([end, end], [*after, *world.bulk(1, [Leg(GTC, 1, 9, 100, 1)]), world.withdraw(3, 15_000)]) == [
        OK, "winding_down", *refused, OK, OK, OK,
    ]  # fmt: skip
    world.wait(60)
    assert world.run(*(records.encode_crank(number) for number in (1, 2, 3, 4))) == [OK] * 4
    assert (world.market(1).settled, world.market(2).settled, world.market(4).settled) == (0, 1, 1)
    assert world.position(2, 1).size == 0 and world.took("takeover")
    world.wait(60)
    assert world.run(records.encode_crank(1), records.encode_crank(2)) == [OK, "not_due"]
    assert world.account(3).orders == 0b1110  # no visit takes an order out
    assert world.run(world.cancel_all(3)) == [OK]
    for account in (1, 2, 3, 4):
        assert all(not place.size for place in world.account(account).positions)
    world.wait(phases.EXIT_HOURS * phases.HOUR)
    shares = world.account(4).shares
    assert world.run(world.backstop_withdraw(4, shares)) == [OK]
    paid = [world.withdraw(number, world.account(number).collateral) for number in (1, 2, 3, 4)]
    paid = [body for number, body in enumerate(paid, 1) if world.account(number).collateral]
    assert set(world.run(*paid)) == {OK}
    dust = sum(world.market(number).insurance + world.market(number).pool for number in (1, 2, 3, 4))
    assert world.machine.regs.owed == dust + world.account(keys.BACKSTOP).collateral


def play_wind_down_amid_work(world: JudgedWorld) -> None:
    """The wind-down comes while a sweep, a stop and the backstop's offer wait: what was begun ends without the book."""
    world.begin(money=10_000, markets=2, maintenance_margin=50_000)
    assert world.run(world.backstop_deposit(4, 5_000)) == [OK]
    world.trade(1, 2, 100, 900)
    stop_loss = world.order(3, SELL, 90, 5, order_slot=1, flags=records.BELOW, trigger=95)
    assert world.run(world.order(3, BUY, 100, 5), stop_loss) == [OK, OK]
    backstop = world.machine.state.account(keys.BACKSTOP)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 10, 1_000
    backstop.collateral -= 1_000
    world.machine.state.account(1).collateral += 1_000
    world.machine.state.account(1).positions[0].size -= 10
    world.machine.state.market(1).open_interest += 10
    enter_holders(world.machine.state)

    def stop(machine: Machine, input_index: int, micro: int) -> None:
        """The input's steps are used up as soon as the work begins."""
        if micro and machine.regs.phase == phases.WORK and machine.regs.winding_since == 0:
            machine.regs.steps += phases.WORK_LIMIT

    world.bench.meddle = stop
    world.wait(60)
    assert world.run(world.price(94)) == [OK]
    regs = world.machine.regs
    assert (regs.has_work, regs.sweeping, regs.trigger_market) == (1, 1, 1)
    regs.unwind = 1
    matched = world.took("match")
    assert world.batch([records.encode(records.WindDownBody())], [world.cancel_all(3)]) == [OK, "busy"]
    assert (regs.has_work, regs.sweeping, regs.trigger_market, regs.unwind) == (0, 0, 0, 0)
    assert world.took("match") == matched and world.took("fire") == 0
    world.wait(60)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.market(1).settled == 1


def play_late_wind_down(world: JudgedWorld) -> None:
    """What an input has no steps left for is settled later, at a price that by then is old: of a market that ends."""
    world.begin(money=10_000, markets=2, maintenance_margin=50_000, max_age=60)
    world.trade(1, 2, 100, 100)
    world.machine.state.account(2).collateral -= 14_500
    world.machine.state.account(3).collateral += 14_500
    world.machine.state.market(1).index = 10
    world.machine.state.commit()
    assert world.batch([records.encode(records.WindDownBody())], []) == [OK]

    def stop(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps += phases.WORK_LIMIT

    world.bench.meddle = stop
    world.wait(60)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.machine.regs.has_work == 1
    world.bench.meddle = leave_alone
    world.wait(120)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.position(2).size == 0 and world.took("takeover")


SCENES = (
    play_settlement,
    play_wind_down,
    play_wind_down_amid_work,
    play_late_wind_down,
)
