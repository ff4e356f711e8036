"""Fills, one by one, against an order book that somebody else wrote: liquibook, a C++ matching engine.

Price-time priority, immediate-or-cancel, fill-or-kill. Orders and cancels enter the machine as a fetch leaves them in
the registers, signature and nonce already checked; every phase from there on runs. Accounts are rich, so that only
matching decides. Buyers and sellers are different accounts: the referee would trade an order with its owner's own, the
machine prunes it.
"""

from random import Random
from typing import Any, NamedTuple

import pytest
from tests.support.machines.invariants import check_invariants
from tests.support.machines.world import BUY, FOK, GTC, IOC, SELL, World

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.step import apply_step
from setoff.shared.state.keys import order_handle

liquibook = pytest.importorskip("liquibook", reason="no build of the independent engine for this platform")

ORDERS = 100_000
ACCOUNTS = 400
"""Accounts of the exchange: odd ones buy, even ones sell."""
MID, RANGE = 100_000, 40_000

Fill = tuple[int, int, int]
"""Order number of the maker, price, size."""

CONDITIONS = {
    GTC: liquibook.oc_no_conditions,
    IOC: liquibook.oc_immediate_or_cancel,
    FOK: liquibook.oc_fill_or_kill,
}


class Referee(liquibook.OrderListener):  # type: ignore[misc, name-defined]
    """An order book with numbered orders."""

    def __init__(self) -> None:
        super().__init__()
        self.book = liquibook.DepthOrderBook()
        self.book.set_order_listener(self)
        self.orders: dict[int, Any] = {}  # keeps the wrappers alive as long as the book points at them
        self._numbers: dict[int, int] = {}
        self._fills: list[Fill] = []

    def add(self, number: int, side: int, price: int, size: int, flags: int) -> list[Fill]:
        condition = CONDITIONS[flags]
        order = liquibook.SimpleOrder(side == BUY, price, size)
        self.orders[number] = order
        self._numbers[order.order_id_] = number
        self._fills = []
        self.book.add(order, condition)
        return self._fills

    def cancel(self, number: int) -> None:
        self.book.cancel(self.orders[number])

    def open(self, number: int) -> int:
        """Lots left of an order that rests."""
        lots: int = self.orders[number].open_qty()
        return lots

    def on_accept(self, order: object) -> None: ...

    def on_cancel(self, order: object) -> None: ...

    def on_fill(self, order: Any, maker: Any, size: int, price: int) -> None:
        for side in (order, maker):
            side.fill(size, size * price, 0)
        self._fills.append((self._numbers[maker.order_id_], price, size))


class Resting(NamedTuple):
    account: int
    order_slot: int


class Flow:
    """Random orders and cancels around a price that wanders across bitmap words."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.mid = MID
        self.live: list[int] = []  # numbers of resting orders, and where each of them is in this list
        self.index: dict[int, int] = {}
        self.free = {account: list(range(256)) for account in range(1, ACCOUNTS + 1)}
        self.where: dict[int, Resting] = {}

    def order(self) -> tuple[int, int, int, int]:
        """(side, price, size, flags), about 30 % of them crossing."""
        random = self.random
        self.mid = min(max(self.mid + random.randint(-3, 3), MID - RANGE), MID + RANGE)
        side = random.getrandbits(1)
        distance = -random.randint(1, 8) if random.random() < 0.3 else random.randint(0, 300)
        price = self.mid - distance if side == BUY else self.mid + distance
        return side, price, random.randint(1, 100), random.choices((GTC, IOC, FOK), (85, 8, 7))[0]

    def seat(self, side: int) -> Resting:
        """An account of that side with a free order slot."""
        while True:
            account = 2 * self.random.randint(1, ACCOUNTS // 2) - (side == BUY)
            if self.free[account]:
                return Resting(account, self.free[account][-1])

    def rests(self, number: int, seat: Resting) -> None:
        self.free[seat.account].remove(seat.order_slot)
        self.where[number] = seat
        self.index[number] = len(self.live)
        self.live.append(number)

    def gone(self, number: int) -> None:
        seat = self.where.pop(number)
        self.free[seat.account].append(seat.order_slot)
        at, last = self.index.pop(number), self.live.pop()
        if last != number:
            self.live[at] = last
            self.index[last] = at


class Engine:
    """The machine's phases, from an order's or a cancel's first one on."""

    def __init__(self, world: World) -> None:
        self.regs = world.machine.regs
        self.state = world.machine.state

    def order(self, seat: Resting, side: int, price: int, size: int, flags: int) -> list[tuple[Resting, int, int]]:
        """Run an order; returns its fills as (maker, price, size)."""
        regs = self.regs
        regs.clear()
        regs.kind, regs.phase = records.ORDER, phases.ADMIT
        regs.account, regs.order_slot = seat
        regs.market, regs.side, regs.flags, regs.price, regs.size = 1, side, flags, price, size
        return self._run()

    def cancel(self, seat: Resting) -> None:
        regs = self.regs
        regs.clear()
        regs.kind, regs.phase = records.CANCEL, phases.UNLINK
        regs.account, regs.order_slot = seat
        regs.cursor = order_handle(*seat)
        self._run()

    def _run(self) -> list[tuple[Resting, int, int]]:
        regs, fills = self.regs, []
        regs.outcome = errors.ACCEPTED
        regs.started = regs.steps  # an input of its own, as a fetch begins one
        while regs.phase != phases.IDLE:
            is_fill, maker, before = regs.phase == phases.FILL, regs.cursor, regs.size
            apply_step(regs, self.state)
            if is_fill:
                fills.append((Resting(maker >> 12, maker & 0xFFF), regs.tick, before - regs.size))
        killed = regs.flags == FOK and not fills
        assert regs.outcome == (errors.UNFILLABLE if killed else errors.ACCEPTED)
        return fills


def test_every_fill_is_the_referee_s() -> None:
    world = World.trading(accounts=ACCOUNTS, funds=2**90, mark=MID)
    engine, referee, flow = Engine(world), Referee(), Flow(seed=7)
    by_seat: dict[Resting, int] = {}
    left: dict[int, int] = {}
    fills = cancels = whole = 0
    for number in range(ORDERS):
        if flow.live and flow.random.random() < 0.55:
            victim = flow.random.choice(flow.live)
            engine.cancel(flow.where[victim])
            referee.cancel(victim)
            flow.gone(victim)
            cancels += 1
        side, price, size, flags = flow.order()
        seat = flow.seat(side)
        trades = engine.order(seat, side, price, size, flags)
        ours = [(by_seat[maker], at, lots) for maker, at, lots in trades]
        assert ours == referee.add(number, side, price, size, flags)
        for maker, _, lots in ours:
            size -= lots
            left[maker] -= lots
            if left[maker] == 0:
                flow.gone(maker)
        fills += len(ours)
        whole += flags == FOK and bool(ours)
        if size and flags == GTC:
            left[number] = size
            by_seat[seat] = number
            flow.rests(number, seat)

    orders = {number: world.resting(*flow.where[number]) for number in flow.live}
    assert {number: order.size for number, order in orders.items()} == {n: referee.open(n) for n in flow.live}
    assert world.market().best_bid == max(order.price for order in orders.values() if order.side == BUY)
    assert world.market().best_ask == min(order.price for order in orders.values() if order.side == SELL)
    check_invariants(world.machine, ACCOUNTS * 2**90)
    assert fills > ORDERS // 4
    assert cancels > ORDERS // 3
    assert whole > ORDERS // 100
