"""One flow of orders for every engine: what the machine took of a random mix, as its records and as plain events.

Buyers and sellers are different accounts, and all of them rich, so that matching alone decides: an order book that
knows neither accounts nor margins then trades the same.
"""

import random
from itertools import count
from typing import Final, NamedTuple

from tests.support.machines.standing_book import DOMAIN, KEYS, PRICE, TIME, make_market, sign
from tests.support.machines.standing_book import Flow as Standing

from setoff.shared.codec import records
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.machine import Machine

REST: Final = 0
TAKE: Final = 1
CANCEL: Final = 2

MARKET: Final = 1
DEPTH: Final = 2_000
BATCHES: Final = 8
TIME_OF_BATCHES: Final = TIME + 1

Event = tuple[int, int, bool, int, int]
"""Kind, number of the order, whether it buys, price in ticks, size in lots; of a cancel only the number counts."""


class Flow(NamedTuple):
    """What is played."""

    machine: Machine
    """With the standing book in it."""
    batches: list[Batch]
    before: list[Event]
    """The standing book."""
    events: list[Event]
    lots: int
    """Traded by the machine in these events."""


class _Maker:
    """Makes events and the records that say the same."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.nonces = [count(1) for _ in KEYS]
        self.free = [list(range(256)) for _ in KEYS]
        self.numbers = count(1)
        self.resting: list[tuple[int, int, int]] = []
        """Number of the order, account, slot."""

    def order(self, kind: int) -> tuple[Event, bytes]:
        """An order too far from the middle to trade, or one that takes the best level or two and keeps nothing."""
        side = self.rng.randrange(2)
        away = self.rng.randrange(10, 200)
        is_buy = side == records.BUY
        price = PRICE + (30 if kind == TAKE else -away) * (1 if is_buy else -1)
        account = self.rng.choice([index for index, slots in enumerate(self.free) if slots and index % 2 == side])
        slot = self.free[account].pop(0)
        number, size = next(self.numbers), self.rng.randrange(1, 20)
        if kind == TAKE:
            self.free[account].append(slot)
        else:
            self.resting.append((number, account, slot))
        flags = records.IOC if kind == TAKE else records.GTC
        body = records.OrderBody(account + 1, next(self.nonces[account]), MARKET, side, flags, slot, price, size)
        return (kind, number, is_buy, price, size), sign(records.encode(body), KEYS[account])

    def cancel(self) -> tuple[Event, bytes]:
        """Takes an order back, if it is still there."""
        number, account, slot = self.resting.pop(self.rng.randrange(len(self.resting)))
        self.free[account].append(slot)
        body = records.CancelBody(account + 1, next(self.nonces[account]), slot)
        return (CANCEL, number, False, 0, 0), sign(records.encode(body), KEYS[account])

    def pick(self) -> tuple[Event, bytes]:
        """An event of the mix: 40 % take, 30 % rest, 30 % are cancels."""
        dice = self.rng.random()
        return self.order(TAKE) if dice < 0.4 else self.order(REST) if dice < 0.7 else self.cancel()


def make_flow(seed: int = 1) -> Flow:
    """The machine with a standing book, and full batches behind it, each record of which it takes."""
    machine = make_market(Standing(seed), depth=0)
    maker = _Maker(seed)
    before: list[Event] = []
    machine.begin(machine.regs.batch + 1, TIME_OF_BATCHES)
    while len(before) < DEPTH:
        if len(before) == MAX_INPUTS:
            machine.begin(machine.regs.batch + 1, TIME_OF_BATCHES)
        event, record = maker.order(REST)
        assert machine.offer(record).was_taken
        before.append(event)
    trial = machine.copy()
    batches, events, lots = [], [], 0
    for number in range(machine.regs.batch + 1, machine.regs.batch + 1 + BATCHES):
        trial.begin(number, TIME_OF_BATCHES)
        accepted: list[bytes] = []
        while len(accepted) < MAX_INPUTS:
            event, record = maker.pick()
            if trial.offer(record).was_taken:
                accepted.append(record)
                events.append(event)
                lots += sum(fill.size for fill in trial.fills)
        batches.append(Batch.seal(bytes(32), number, TIME_OF_BATCHES, 0, 0, bytes(32), (), tuple(accepted)))
    assert machine.regs.domain == DOMAIN
    return Flow(machine, batches, before, events, lots)
