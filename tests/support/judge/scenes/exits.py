"""Exits while withdrawals are limited: to the unit and the second, by every way money has, and through the queue."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import vary
from tests.support.machines.world import BUY

from setoff.shared.codec.records import stamp_message
from setoff.shared.rules import phases
from setoff.shared.state import keys

LIMITED = "withdrawals_limited"


def limit(world: JudgedWorld) -> None:
    """The position of 2 is closed against 1, in a fall: from now on exits are limited. 3 and 4 have 16,000."""
    world.begin(money=16_000)
    world.trade(1, 2, 100, 1_400)
    assert world.press(90) == [OK, OK]
    assert world.took("deleverage") and world.machine.regs.limited_since


def play_hours(world: JudgedWorld) -> None:
    """A sixteenth for each hour that has begun, to the unit and to the second, until all may leave."""
    limit(world)
    since = world.machine.regs.limited_since
    world.wait(since + phases.HOUR - 1 - world.time)
    assert world.run(world.withdraw(3, 1_001), world.withdraw(3, 1_000), world.withdraw(3, 1)) == [LIMITED, OK, LIMITED]
    world.wait(1)
    assert world.run(world.withdraw(3, 1_001), world.withdraw(4, 2_001), world.withdraw(3, 1_000)) == [LIMITED] * 2 + [
        OK
    ]
    world.wait(14 * phases.HOUR - 1)
    assert world.run(world.withdraw(3, 13_001), world.withdraw(4, 15_001), world.withdraw(4, 14_999)) == [
        LIMITED, LIMITED, OK,
    ]  # fmt: skip
    world.wait(1)
    assert world.run(world.withdraw(3, 14_001), world.withdraw(3, 14_000)) == ["insufficient_margin", OK]
    # Whoever has lost since has no part left of what it took before.
    assert world.run(world.withdraw(4, 1)) == [OK]
    assert (world.account(4).exit_since, world.account(4).taken) == (since, 14_999)


def play_free_part(world: JudgedWorld) -> None:
    """What positions and orders need is not free, and no part of it may leave."""
    limit(world)
    assert world.run(world.order(3, BUY, 80, 200)) == [OK]
    inputs = [world.withdraw(3, 1)]
    for amount in (700, 800, 850, 900, 950, 1_000, 1_001):
        vary(world, inputs, {"input.amount": amount})
    assert world.run(*inputs) == [OK]


def play_losses(world: JudgedWorld) -> None:
    """An account that took its part, and then has little left: no more leaves. (It is taken away by hand.)"""
    limit(world)
    assert world.run(world.withdraw(3, 1_000)) == [OK]
    world.machine.state.account(3).collateral -= 14_998
    world.machine.state.account(4).collateral += 14_998
    world.machine.state.commit()
    assert world.run(world.withdraw(3, 1), world.withdraw(4, 1_938), world.withdraw(4, 1_937)) == [LIMITED, LIMITED, OK]


def play_ways(world: JudgedWorld) -> None:
    """Transfers to others count, between an owner's own accounts they do not; a sub-account pays nobody else."""
    limit(world)
    own = keys.sub_account(3, 1)
    ways = [
        world.transfer(3, own, 8_000),
        world.transfer(3, 4, 501),
        world.transfer(3, 4, 300),
        world.withdraw(3, 201),
        world.withdraw(3, 200),
        world.transfer(own, 4, 1),
        world.backstop_deposit(3, 100),
        world.transfer(own, 3, 8_000),
    ]
    assert world.run(*ways) == [OK, LIMITED, OK, LIMITED, OK, LIMITED, OK, OK]
    assert world.account(3).taken == 500 and world.account(own).taken == 0
    world.wait(15 * phases.HOUR)
    assert world.run(world.transfer(3, own, 8_000), world.transfer(own, 4, 8_000)) == [OK, OK]
    assert world.account(3).taken == 500


def play_limits(world: JudgedWorld) -> None:
    """Draws that do not matter, and one that does by a unit; none while a limit lasts, another once it is over.

    (What is owed, and what 2 has, is set by hand.)
    """
    world.begin(money=16_000)
    world.trade(1, 2, 100, 1_400)
    regs = world.machine.regs
    regs.owed, owed = 2**100, regs.owed
    assert world.run(world.price(90)) == [OK]
    assert regs.limited_since == 0 and regs.drawn > 0 and regs.draw_hour == regs.time // phases.HOUR

    def fail(price: int, more: int, *, late: int = 0) -> int:
        """2 buys again, and fails; by so much more than what does not matter, token units of all, is drawn."""
        world.wait(late)
        meddle(100_000)
        world.trade(1, 2, price, 300, order_slot=5)
        value = world.position(2).size * (price - 1)
        meddle(-value)  # nothing is left of it then, and no debt
        hour = (world.time + 1) // phases.HOUR
        regs.owed = (value + (regs.drawn if hour == regs.draw_hour else 0)) * phases.DRAW_SHARE - more
        assert world.run(world.price(price - 1)) == [OK]
        assert regs.drawn * phases.DRAW_SHARE == regs.owed + more
        return regs.limited_since

    def meddle(collateral: int) -> None:
        """What 2 has beside its positions."""
        world.machine.state.account(2).collateral = collateral
        world.machine.state.commit()

    assert fail(90, 0, late=phases.HOUR) == 0
    first = fail(89, 1)
    assert first == world.time
    assert world.run(world.withdraw(3, 1_000)) == [OK]
    assert fail(88, 1, late=first + phases.EXIT_HOURS * phases.HOUR - 2 - world.time) == first
    assert fail(87, 1) == world.time == first + phases.EXIT_HOURS * phases.HOUR
    assert world.run(world.withdraw(3, 938), world.withdraw(3, 937)) == [LIMITED, OK]
    regs.owed = owed


def play_queue(world: JudgedWorld) -> None:
    """What waits in the queue is limited by no limit that began later, and loses no hour by waiting."""
    limit(world)
    since = world.machine.regs.limited_since

    def late(amount: int, seconds: int, account: int = 3) -> bytes:
        return stamp_message(world.withdraw(account, amount), since + seconds)

    grace = phases.EXIT_GRACE
    outcomes = world.batch(
        [late(1_001, grace), late(2_001, phases.HOUR), late(2_000, phases.HOUR)], [world.withdraw(4, 1_001)]
    )
    assert outcomes == [LIMITED, LIMITED, OK, LIMITED]
    messages = [late(7_000, -1), late(7_000, grace - 1), late(3_001, grace, 4)]
    vary(world, messages, {"input.stamp": 1}, 0)  # any stamp is one, but 0
    assert world.batch(messages) == [OK, OK, LIMITED]
    assert world.account(3).taken == 2_000
    world.wait(2 * phases.HOUR)
    assert world.batch([late(3_000, grace, 4), late(1, grace, 4)]) == [OK, LIMITED]
    assert world.batch([late(4_000, grace - 1, 4)]) == [OK]
    assert world.batch() == []  # a batch begins, and what was queued last is still what it was


def play_other_exits_of_the_queue(world: JudgedWorld) -> None:
    """Whichever way money has: what was queued before the limit goes, from a sub-account, too."""
    limit(world)
    then = world.machine.regs.limited_since - 1
    own = keys.sub_account(3, 1)
    assert world.run(world.transfer(3, own, 8_000)) == [OK]

    def ways() -> list[bytes]:
        return [world.transfer(4, 3, 2_000), world.transfer(own, 4, 5_000)]

    assert world.run(*ways()) == [LIMITED] * 2
    assert world.batch([stamp_message(way, then) for way in ways()]) == [OK] * 2


def play_fresh_when_queued(world: JudgedWorld) -> None:
    """A price that was fresh when a payment was queued is so for it, whatever kind it is."""
    world.begin(money=16_000, max_age=600)
    world.trade(1, 2, 100, 100)
    then = world.time
    world.wait(900)
    ways = [world.transfer(1, 3, 100), world.backstop_deposit(1, 100), world.withdraw(1, 100)]
    assert world.run(*ways) == ["stale_price"] * 3
    ways = [world.transfer(1, 3, 100), world.backstop_deposit(1, 100), world.withdraw(1, 100)]
    assert world.batch([stamp_message(way, then) for way in ways]) == [OK] * 3


SCENES = (
    play_hours,
    play_free_part,
    play_losses,
    play_ways,
    play_limits,
    play_queue,
    play_other_exits_of_the_queue,
    play_fresh_when_queued,
)
