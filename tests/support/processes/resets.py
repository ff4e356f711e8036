"""What the tests of an operator's resets do to it, and what they ask of it afterwards."""

import random

from tests.support.processes.running_operator import Running, replay
from tests.support.waiting import until

from setoff.operator.sequencer.outbox import Outbox, Stuck
from setoff.shared.codec import records
from setoff.shared.machine.batch import Batch


async def ready(running: Running) -> bool:
    return (await running.get("/v1/health"))[0] == 200


def in_outbox(outbox: Outbox) -> list[bytes]:
    """All records of the closed batches, in order."""
    found: list[bytes] = []
    for number in range(outbox.latest() + 1):
        sealed = outbox.get(number)
        assert sealed is not None
        found += sealed.batch.records
    return found


async def trade(running: Running, count: int) -> dict[bytes, int]:
    """Orders that trade, rest or do both; every record with the number of its receipt."""
    choose, traffic = random.Random(count), running.traffic
    taken: dict[bytes, int] = {}
    time_before = running.sequencer.exchange.machine.state.market(1).index_time
    orders = [
        traffic.order(
            1 + choose.randrange(3), choose.randrange(2), 100 + choose.randrange(-3, 4), choose.randrange(1, 5)
        )
        for _ in range(count)
    ]
    if running.l1.time > time_before:
        orders.insert(0, traffic.report(0, 100, time=running.l1.time))
    for record in orders:
        status, answer = await running.submit(record)
        assert status == 200, answer
        taken[record] = answer["sequence"]
    return taken


async def begin(running: Running) -> dict[bytes, int]:
    """A first price and some trade, over two batches or more."""
    taken = await trade(running, 6)
    await close(running)
    return taken | await trade(running, 6)


async def close(running: Running) -> None:
    """Wait until nothing is in an open batch, and the outbox has all closed ones."""
    exchange, outbox = running.sequencer.exchange, running.outbox
    await until(lambda: not exchange.is_open and outbox.latest() + 1 == exchange.cursor.number, "the batch stays open")


def stranger(outbox: Outbox, number: int, timestamp: int) -> Batch:
    """An empty batch on top of the outbox's batch before `number`."""
    before = outbox.get(number - 1)
    assert before is not None
    header = before.batch.header
    return Batch.seal(
        header.hash(),
        number,
        timestamp,
        header.first_message + header.message_count,
        header.first_record + header.record_count,
        header.queue_hash,
        (),
        (),
    )


def refuse(outbox: Outbox, number: int, reason: str = "message_left_out") -> None:
    """As the publisher does when L1 refuses a batch for good."""
    header = outbox.header(number)
    assert header is not None
    outbox.set_stuck(Stuck(header.hash().hex(), number, reason, "refused", True))


def check_order(running: Running, taken: dict[bytes, int]) -> None:
    """Every receipt's number is the record's index among all posted ones, and the batches are what they say."""
    posted = in_outbox(running.outbox)
    places = {record: number for number, record in enumerate(posted) if record[0] != records.CRANK}
    assert places == taken
    assert replay(running.outbox).hash() == running.sequencer.exchange.machine.hash()
