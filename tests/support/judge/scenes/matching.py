"""Takers and makers: who trades with whom, how much of it, and how levels are found and left."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, FOK, IOC, SELL

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys


def play_flip(world: JudgedWorld) -> None:
    """A taker and then a maker go from long to short in one fill."""
    world.begin(money=10**6)
    trades = [
        world.order(1, SELL, 100, 7),
        world.order(2, BUY, 100, 7),
        world.order(3, BUY, 101, 20),
        world.order(2, SELL, 101, 13),  # long 7, short 6 after it
        world.order(1, BUY, 99, 30, order_slot=1),  # short 7, long 23 after it
        world.order(4, SELL, 99, 37, flags=IOC),
    ]
    assert set(world.run(*trades)) == {OK}


def play_own_orders(world: JudgedWorld) -> None:
    """A taker never trades with itself or a sub-account of its own: the maker goes, or the taker, or both."""
    world.begin(money=10**6)
    sub = keys.sub_account(1, 2)
    trades = [
        world.transfer(1, sub, 1000),
        world.order(1, SELL, 100, 5),
        world.order(2, SELL, 100, 5),
        world.order(sub, BUY, 100, 5, order_slot=1),
        world.order(1, SELL, 100, 5),
        world.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_TAKER),
        world.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_TAKER | FOK),
        world.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_BOTH),
        world.order(1, SELL, 100, 5),
        world.order(1, BUY, 100, 5, order_slot=2, flags=FOK),
    ]
    outcomes = world.run(*trades)
    assert outcomes == [OK] * 5 + ["self_trade", "self_trade", OK, OK, "unfillable"]


def play_fill_or_kill(world: JudgedWorld) -> None:
    """What a scan counts, level by level, and where it stops: the book ends, the limit, the makers it may visit."""
    world.begin(money=10**6)
    book = [
        world.order(1, SELL, price, 5, order_slot=order_slot) for order_slot, price in enumerate((100, 100, 101, 300))
    ]
    fok = [world.order(2, BUY, 100, 11, flags=FOK), world.order(2, BUY, 150, 16, flags=FOK)]
    fok += [world.order(2, BUY, 150, 15, flags=FOK), world.order(2, SELL, 1, 1, flags=FOK, order_slot=7)]
    assert world.run(*book, *fok) == [OK, OK, OK, "price_band", "unfillable", "unfillable", OK, "unfillable"]


def play_far_levels(world: JudgedWorld) -> None:
    """Levels in other bitmap words, on either side; and a scan that has visited all the makers it may."""
    world.begin(money=10**8, mark=20_000, margin_ppm=10**6)
    far = [
        world.order(3, SELL, price, 1, order_slot=order_slot)
        for order_slot, price in enumerate((20_000, 20_255, 20_480, 39_999))
    ]
    assert world.run(*far, world.order(4, BUY, 39_999, 4, flags=FOK)) == [OK] * 5
    far = [
        world.order(3, BUY, price, 1, order_slot=order_slot)
        for order_slot, price in enumerate((20_000, 19_712, 19_711, 2))
    ]
    assert world.run(*far, world.order(4, SELL, 1, 4, flags=FOK)) == [OK] * 5

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.PROBE:
            machine.regs.matches = phases.MAX_MATCHES - 1

    world.bench.meddle = meddle
    two = [world.order(3, BUY, 20_000, 1, order_slot=order_slot) for order_slot in (5, 6)]
    assert world.run(*two, world.order(4, SELL, 1, 2, flags=FOK)) == [OK, OK, "unfillable"]
    world.bench.meddle = leave_alone


def play_far_counts(world: JudgedWorld) -> None:
    """A fill-or-kill order counts over levels that have nothing in common but the side's first bitmap word."""
    world.begin(money=10**8, mark=66_000)
    asks = [
        world.order(1, SELL, 65_500, 5),
        world.order(2, SELL, 66_000, 5),
        world.order(2, SELL, 66_300, 5, order_slot=1),
    ]
    assert world.run(*asks, world.order(3, BUY, 66_300, 15, flags=FOK)) == [OK] * 4
    assert world.position(3).size == 15


def play_queue_of_a_level(world: JudgedWorld) -> None:
    """Orders leave a level from its middle, its head, its tail, and as the only one."""
    world.begin(money=10**6)
    assert world.run(*(world.order(account, BUY, 90, 5) for account in (1, 2, 3, 4))) == [OK] * 4
    assert world.run(*(world.cancel(account, 0) for account in (2, 1, 4, 3))) == [OK] * 4
    assert world.market().best_bid == 0


SCENES = (
    play_flip,
    play_own_orders,
    play_fill_or_kill,
    play_far_levels,
    play_far_counts,
    play_queue_of_a_level,
)
