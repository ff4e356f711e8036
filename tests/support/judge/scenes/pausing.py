"""Orders and legs that find their input out of steps, and go on with the next record, if they still may."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, FOK, REDUCE_ONLY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg, MarketParameters
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases


def stop(world: JudgedWorld, phase: int, after: int = 0) -> None:
    """From now on an input is out of steps where it comes to this phase for the time after so many; once."""

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        nonlocal after
        if micro and machine.regs.phase == phase:
            if after == 0:
                machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1
            after -= 1

    world.bench.meddle = meddle


def pause(world: JudgedWorld, order: bytes, *meanwhile: bytes, seconds: int = 0) -> int:
    """Let account 2's order pause after the first of two makers, with these messages and seconds before it goes on;
    returns how many of ten lots it got.
    """
    asks = [world.order(1, SELL, 100, 5), world.order(1, SELL, 101, 5, order_slot=1)]
    assert world.run(*asks) == [OK, OK]
    before, bids = world.position(2).size, world.position(2).bids
    stop(world, phases.MATCH, after=1)
    assert world.run(order) == [OK]
    assert world.machine.regs.has_work and world.position(2).size == before + 5
    world.wait(seconds)
    outcomes = world.batch(list(meanwhile), [records.encode_crank(0), world.cancel_all(1)])
    assert set(outcomes) == {OK}
    assert world.machine.regs.has_work == 0
    assert world.position(2).bids == bids
    return world.position(2).size - before


def play_paused_orders(world: JudgedWorld) -> None:
    """An order whose input has no steps left goes on with the next record, which is itself not looked at."""
    world.begin(money=10**6)
    assert world.run(world.order(1, SELL, 100, 5), world.order(1, SELL, 101, 5, order_slot=1)) == [OK, OK]
    stop(world, phases.MATCH, after=1)
    busy = world.order(3, BUY, 90, 1)
    assert world.run(world.order(2, BUY, 102, 12), busy, busy) == [OK, "busy", OK]
    assert (world.position(2).size, world.position(2).bids) == (10, 2)
    owner = [world.order(1, SELL, 103, 5), world.order(2, SELL, 104, 5, order_slot=1)]
    assert world.run(*owner) == [OK, OK]
    stop(world, phases.MATCH, after=1)
    taker = world.order(2, BUY, 104, 9, order_slot=2, flags=records.CANCEL_TAKER)
    assert world.run(taker, records.encode_crank(1)) == [OK, OK]
    assert world.position(2).size == 15
    # One that enters anew, and one that has counted what it needs and is not cut in two.
    assert world.run(world.order(1, SELL, 105, 5), world.order(1, SELL, 106, 5, order_slot=1)) == [OK, OK]
    stop(world, phases.MATCH, after=1)
    assert world.run(world.amend(2, 0, 106, 11)) == [OK]
    assert world.machine.regs.has_work == 1
    assert world.run(records.encode_crank(0), world.cancel_all(2)) == [OK, OK]
    assert world.run(world.order(1, SELL, 105, 5), world.order(1, SELL, 106, 5, order_slot=1)) == [OK, OK]
    stop(world, phases.MATCH, after=1)
    assert world.run(world.order(2, BUY, 106, 10, flags=FOK)) == [OK]
    assert world.machine.regs.has_work == 0


def play_late_orders(world: JudgedWorld) -> None:
    """What time does to one that waits: its expiry, its account's deadline, the age of the price."""
    world.begin(money=10**6, max_age=60)
    assert pause(world, world.order(2, BUY, 101, 10, expiry=world.time + 2), seconds=1) == 10
    assert pause(world, world.order(2, BUY, 101, 10, expiry=world.time + 1), seconds=1) == 5
    assert world.run(world.schedule_cancel(2, world.time + 1)) == [OK]
    assert pause(world, world.order(2, BUY, 101, 10), seconds=1) == 5
    assert world.run(world.schedule_cancel(2, 0)) == [OK]
    assert pause(world, world.order(2, BUY, 101, 10), seconds=60) == 5
    assert world.run(world.price(100)) == [OK]
    world.trade(2, 1, 99, 65)
    assert world.position(2).size < -30
    assert pause(world, world.order(2, BUY, 101, 10), seconds=61) == 10
    # With so many bids beside it, it is only its flag that keeps it from opening.
    assert world.run(world.price(100), world.order(2, BUY, 60, 99, order_slot=5)) == [OK, OK]
    assert pause(world, world.order(2, BUY, 101, 10, flags=REDUCE_ONLY), seconds=61) == 10


def play_changed_orders(world: JudgedWorld) -> None:
    """What a message does to one that waits: money or other margins."""
    world.begin(money=1_500)
    assert pause(world, world.order(2, BUY, 101, 10), world.deposit(2, 5)) == 10
    dearer = MarketParameters(1, 900_000, 1, 500, -100, PPM, 10**9, PPM, impact=2**40)
    changed = records.encode(records.SetMarketBody(1, dearer))
    assert pause(world, world.order(2, BUY, 101, 10), changed) == 5


def play_order_in_a_wind_down(world: JudgedWorld) -> None:
    """The exchange ends while one waits."""
    world.begin(money=10**6)
    assert pause(world, world.order(2, BUY, 101, 10), records.encode(records.WindDownBody())) == 5


def play_order_in_an_expiring_market(world: JudgedWorld) -> None:
    """The market of one that waits expires."""
    world.begin(money=10**6, expiry=world.time + 1_000)
    world.trade(2, 1, 99, 40)
    assert pause(world, world.order(2, BUY, 101, 10, flags=REDUCE_ONLY), seconds=1_000) == 5


def play_paused_pages(world: JudgedWorld) -> None:
    """A page waits in one of its legs, or between two; its agent may have expired when it goes on."""
    world.begin(money=10**6)
    assert world.run(world.order(1, SELL, 100, 5), world.order(1, SELL, 101, 5, order_slot=1)) == [OK, OK]
    stop(world, phases.MATCH, after=1)
    legs = [Leg(0, 1, 0, 101, 12), Leg(0, 1, 1, 90, 3)]
    assert world.run(*world.bulk(2, legs), records.encode_crank(0)) == [OK, OK, OK]
    assert (world.position(2).size, world.position(2).bids) == (10, 5)
    stop(world, phases.LEG, after=1)
    page = world.bulk(3, [Leg(0, 1, slot, 90, 3) for slot in range(3)])
    assert world.run(*page, records.encode_crank(0)) == [OK, OK, OK]
    assert world.position(3).orders == 3
    for seconds, orders in ((4, 3), (5, 1)):
        assert world.run(world.cancel_all(4), world.set_agent(4, 1, world.time + 5)) == [OK, OK]
        stop(world, phases.LEG, after=1)
        assert world.run(*world.bulk(4, [Leg(0, 1, slot, 90, 3) for slot in range(3)], agent=1)) == [OK, OK]
        world.wait(seconds)
        assert world.run(records.encode_crank(0)) == [OK]
        assert world.position(4).orders == orders


def play_liquidation_out_of_steps(world: JudgedWorld) -> None:
    """A slice that the input has no steps for is given up; the next one visits the account again."""
    world.begin(money=1_100, maintenance_margin=50_000)
    assert world.run(world.backstop_deposit(4, 1_000)) == [OK]
    world.trade(1, 2, 100, 100)
    assert world.run(world.order(3, BUY, 91, 100)) == [OK]
    stop(world, phases.MATCH)
    assert world.run(world.price(91)) == [OK]
    assert world.machine.regs.has_work == 1 and world.took("takeover") == 0
    assert world.position(2).size == 100
    assert world.run(records.encode_crank(0)) == [OK]
    assert world.position(2).size < 100 and world.took("takeover") == 0


SCENES = (
    play_paused_orders,
    play_late_orders,
    play_changed_orders,
    play_order_in_a_wind_down,
    play_order_in_an_expiring_market,
    play_paused_pages,
    play_liquidation_out_of_steps,
)
