"""What the tests of a lost store do: an operator trades, L1 has some of it, and the store is gone, old, or put back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis import Redis
from tests.support.processes.resets import begin, close, trade
from tests.support.processes.running_operator import DEPLOYMENT, HORIZON, HandL1, Running, opening, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.rescue.promises import GivenRecord, LostRecord
from setoff.operator.rescue.rebuild import Rebuilder, Rebuilt
from setoff.operator.sequencer.journal import Journal, connect
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.recovery import Recovery
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt, extend
from setoff.shared.l1.da.calldata import CALLDATA
from setoff.shared.wire.receipts import SignedReceipt


@dataclass
class Past:
    """What an operator has done before its store was lost. `taken`: every record with its number; `records`: all of the
    log, in their order; `posted`: how many of them L1 holds; `end`: the machine hash after all."""

    l1: HandL1
    traffic: SampleTraffic
    taken: dict[bytes, int] = field(default_factory=dict)
    records: list[bytes] = field(default_factory=list)
    posted: int = 0
    end: bytes = b""

    def receipt(self, number: int) -> GivenRecord:
        """What the trader has of a record."""
        running = bytes(32)
        for record in self.records[: number + 1]:
            running = extend(running, keccak(record))
        receipt = Receipt(number, keccak(self.records[number]), running, self.l1.time + 3600)
        return GivenRecord(self.records[number], SignedReceipt(receipt, bytes(64)))

    def receipts(self) -> dict[int, GivenRecord]:
        """Of all that traders have sent: nobody has one for the sequencer's own cranks."""
        return {number: self.receipt(number) for number in self.taken.values()}


async def live(redis_url: str, batches: int | None = None) -> Past:
    """An operator trades over some batches, of which L1 takes so many (all but the last two for None), and ends."""
    past = Past(HandL1(opening(SampleTraffic())), SampleTraffic())
    async with operator(redis_url, past.traffic, past.l1, batch_interval=0.05) as running:
        past.taken = await begin(running)
        await close(running)
        await continue_life(running, past, batches)
    return past


async def continue_life(running: Running, past: Past, batches: int | None = None) -> None:
    """Two batches more, and what L1 takes of it all."""
    for count in (3, 4):
        past.taken |= await trade(running, count)
        await close(running)
    closed = running.outbox.latest() + 1
    while len(past.l1.posted) < (closed - 2 if batches is None else batches):
        past.l1.take(running.outbox)
    past.records = []
    for number in range(closed):
        sealed = running.outbox.get(number)
        assert sealed is not None
        past.records += sealed.batch.records
    past.posted = sum(len(batch.records) for batch in past.l1.posted)
    past.end = running.sequencer.exchange.machine.hash()


async def rebuild(
    redis_url: str, past: Past, given: dict[int, GivenRecord] | None = None, *,
    own: Sequence[LostRecord] = (), is_dry: bool = False,
) -> Rebuilt:  # fmt: skip
    """As the command does, without a court; `own`: what the history has."""
    client = connect(redis_url)
    with Redis.from_url(redis_url) as redis:
        try:
            journal = Journal(client, DEPLOYMENT.namespace)
            recovery = Recovery(journal, Outbox(redis, DEPLOYMENT.namespace), DEPLOYMENT, CALLDATA.number)
            rebuilder = Rebuilder(
                redis, DEPLOYMENT.namespace, journal, recovery, past.l1, past.l1, None, DEPLOYMENT.epoch_batches,
                batches_kept=10**9, horizon=HORIZON, force_delay=past.l1.force_delay,
            )  # fmt: skip
            return await rebuilder.run(
                lambda first: iter(past.l1.posted[first:]), given or {}, read_own=lambda _: own, is_dry=is_dry
            )
        finally:
            await client.aclose()
