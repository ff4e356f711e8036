"""What records that pay no fee make the machine do, against the share of a batch's steps that belongs to a record.

A batch takes 2**10 inputs and 2**20 steps. While a record that costs its sender nothing takes no more steps than its
share, a flood of such records uses up the inputs before the steps: it keeps others out of no more room than it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.support.machines.world import ABOVE, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL, WIDE, World

from setoff.shared.codec.records import CANCEL_LEG, SELL_LEG, Leg
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.rules import phases

STEP_SHARE: Final = phases.BATCH_STEP_CAP // MAX_INPUTS
"""Steps of a batch for each of its inputs."""
MARK: Final = 10_000
ORDER_SLOTS: Final = 250
MAKERS: Final = 4 + phases.MAX_MATCHES // ORDER_SLOTS
TAKER: Final = MAKERS + 1
LEGS: Final = phases.MAX_LEG_PAGES * 8
_EXPIRY: Final = 100


@dataclass(frozen=True)
class FreeRecords:
    """A way to make the machine work without a fee: inputs it takes, steps it takes."""

    name: str
    inputs: int
    steps: int

    @property
    def ratio(self) -> float:
        """Part of a batch's inputs that is used up by part of its steps."""
        return self.inputs * STEP_SHARE / self.steps


def play_free_records(name: str) -> FreeRecords:
    """One of `WAYS`, on a book of more makers than an order may count, each at a price of its own."""
    world = make_book()
    before = world.machine.regs.steps
    inputs = WAYS[name](world)
    return FreeRecords(name, inputs, world.machine.regs.steps - before)


def make_book() -> World:
    """Asks above the mark, a tick apart, of more orders than a fill-or-kill order may count."""
    world = World.trading(accounts=TAKER, funds=10**12, mark=MARK, max_position=2**30, **WIDE)
    for number in range(MAKERS * ORDER_SLOTS):
        account, order_slot = 1 + number // ORDER_SLOTS, number % ORDER_SLOTS
        assert world.order(account, SELL, MARK + 1 + number, 1, order_slot=order_slot) == "accepted"
    return world


def _kill(world: World) -> int:
    assert world.order(TAKER, BUY, 2 * MARK, MAKERS * ORDER_SLOTS, flags=FOK) == "unfillable"
    return 1


def _kill_reducing(world: World) -> int:
    size = phases.MAX_MATCHES + 1
    world.machine.state.account(TAKER).positions[0].market = 1
    world.machine.state.account(TAKER).positions[0].size = -size
    assert world.order(TAKER, BUY, 2 * MARK, size, flags=FOK | REDUCE_ONLY) == "unfillable"
    return 1


def _kill_legs(world: World) -> int:
    legs = [Leg(FOK, 1, n, 2 * MARK, MAKERS * ORDER_SLOTS) for n in range(LEGS)]
    return len(world.bulk(TAKER, legs))


def _amend(world: World) -> int:
    assert world.order(TAKER, BUY, MARK, 1, flags=POST_ONLY) == "accepted"
    assert world.amend(TAKER, 0, 2 * MARK, 1) == "would_cross"
    return 2


def _rest_and_cancel(world: World) -> int:
    placed = world.bulk(TAKER, [Leg(0, 1, n, MARK - 2 * n, 1) for n in range(LEGS)])
    taken_back = world.bulk(TAKER, [Leg(CANCEL_LEG, 1, n) for n in range(LEGS)])
    assert world.account(TAKER).orders == 0
    return len(placed + taken_back)


def _wall(world: World) -> int:
    placed = world.bulk(TAKER, [Leg(SELL_LEG, 1, n, MARK - 2 * n, 1) for n in range(LEGS)])
    assert world.schedule_cancel(TAKER, world.traffic.time + _EXPIRY) == "accepted"
    _wait(world, _EXPIRY)
    assert world.report(0, MARK) == "accepted"
    assert world.order(1, BUY, MARK, 1, order_slot=ORDER_SLOTS, flags=IOC) == "accepted"
    assert world.account(TAKER).orders == 0
    return len(placed) + 3


def _fire(world: World) -> int:
    for order_slot in range(ORDER_SLOTS):
        trigger = MARK + 1 + order_slot
        assert world.order(TAKER, BUY, 2, 1, order_slot=order_slot, flags=ABOVE | IOC, trigger=trigger) == "accepted"
    _wait(world, 1)
    assert world.report(0, 2 * MARK) == "accepted"
    assert world.account(TAKER).orders == 0
    return ORDER_SLOTS + 1


def _wait(world: World, seconds: int) -> None:
    """A new batch, in which the steps are counted on."""
    steps = world.machine.regs.steps
    world.wait(seconds)
    world.machine.regs.steps = steps


WAYS: Final[dict[str, Callable[[World], int]]] = {
    "fill-or-kill orders that come to nothing": _kill,
    "reduce-only fill-or-kill orders that come to nothing": _kill_reducing,
    "fill-or-kill legs": _kill_legs,
    "amends to a price beyond the book, of an order that gives way": _amend,
    "legs that rest, each at a price of its own, and are taken back": _rest_and_cancel,
    "dead orders, each at a price of its own, and who takes them out": _wall,
    "armed orders, and the price that lets them in": _fire,
}
"""Each returns how many inputs it took."""
