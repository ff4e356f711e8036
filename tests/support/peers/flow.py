"""One flow of orders for every engine: what the machine took of a random mix, as its records and as plain events.

Buyers and sellers are different accounts, and all of them rich, so that matching alone decides: an order book that
knows neither accounts nor margins then trades the same.
"""

from typing import Final, NamedTuple

from tests.support.machines.standing_book import Flow, make_batch, make_market

from setoff.shared.codec import records
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine

REST: Final = 0
TAKE: Final = 1
CANCEL: Final = 2

BATCHES: Final = 8

Event = tuple[int, int, bool, int, int]
"""Kind, number of the order, whether it buys, price in ticks, size in lots; of a cancel only the number counts."""


class Play(NamedTuple):
    """What is played."""

    machine: Machine
    """With the standing book in it."""
    batches: list[Batch]
    before: list[Event]
    """The standing book."""
    events: list[Event]
    lots: int
    """Traded by the machine in these events."""


class Events:
    """Records as events: orders by their number, from 1, in place of account and slot."""

    def __init__(self) -> None:
        self._count = 0
        self._numbers: dict[tuple[int, int], int] = {}

    def read(self, record: bytes) -> Event:
        """The event of an order or a cancel."""
        if record[0] == records.CANCEL:
            cancel = records.decode_cancel(record)
            return CANCEL, self._numbers[cancel.account, cancel.order_slot], False, 0, 0
        order = records.decode_order(record)
        self._count += 1
        self._numbers[order.account, order.order_slot] = self._count
        kind = TAKE if order.flags == records.IOC else REST
        return kind, self._count, order.side == records.BUY, order.price, order.size


def make_play(seed: int = 1) -> Play:
    """The machine with a standing book, and full batches behind it, each record of which it takes."""
    flow, events = Flow(seed, markets=1, sides_apart=True), Events()
    standing: list[bytes] = []
    machine = make_market(flow, made=standing)
    trial, batches, lots = machine.copy(), [], 0
    for _ in range(BATCHES):
        batch = make_batch(flow, trial)
        batches.append(batch)
        for input_index in range(batch.header.inputs):
            trial.run_input(batch, input_index)
            lots += sum(fill.size for fill in trial.fills)
    before = [events.read(record) for record in standing]
    return Play(machine, batches, before, [events.read(record) for batch in batches for record in batch.records], lots)
