"""What L1 will not take, or has in another form, is run again: the same records in the same order, nothing else."""

import asyncio
from functools import reduce

import pytest
from tests.support.processes.resets import begin, check_order, close, in_outbox, ready, refuse, stranger, trade
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, Running, opening, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, stamp_all, trader_key
from setoff.operator.sequencer import l1_monitor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal import Journal
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.outbox import Outbox, Stuck
from setoff.operator.sequencer.reset import Remake, Resetter
from setoff.shared.codec import records, signatures
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import ZERO, Batch, extend_queue_hash
from setoff.shared.params import MAINNET

BUY, SELL = records.BUY, records.SELL


pytestmark = pytest.mark.usefixtures("no_pause")


async def test_a_batch_that_l1_refuses_is_made_anew(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        before = in_outbox(running.outbox)
        running.l1.take(running.outbox)
        old = running.outbox.header(1)
        running.l1.time += 100
        running.l1.force_delay = -100  # the message was due already at the time of the batch
        running.l1.messages.append(running.traffic.deposit(4, 500))
        refuse(running.outbox, 1)
        await until(lambda: running.outbox.header(1) not in (None, old), "the batch is not made anew")
        await until(lambda: ready(running), "the operator stays closed")
        assert in_outbox(running.outbox) == before
        first = running.outbox.header(1)
        assert first is not None and (first.timestamp, first.message_count) == (START_TIME, 1)
        assert running.outbox.header(0) == running.l1.posted[0].header
        taken |= await trade(running, 5)
        await close(running)
        check_order(running, taken)
        machine, namespace = running.sequencer.exchange.machine.hash(), DEPLOYMENT.namespace
        traffic, l1 = running.traffic, running.l1
    async with operator(redis_server.url, traffic, l1) as again:
        assert again.sequencer.exchange.machine.hash() == machine
        assert again.redis.exists(f"{namespace}:stuck") == 0


async def test_a_record_that_is_refused_this_time_is_posted_all_the_same(redis_server: RedisServer) -> None:
    """An order that dies at once by its date is a recorded reject when its batch comes too late."""
    l1 = HandL1(opening(traffic := SampleTraffic(), 4))
    l1.max_skew = 1200
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin(running)
        mortal = running.traffic.order(1, BUY, 50, 3, expiry=START_TIME + 60)
        withdrawal = running.traffic.withdraw(4, 700)
        for record in (mortal, withdrawal):
            status, answer = await running.submit(record)
            assert status == 200, answer
            taken[record] = answer["sequence"]
        await close(running)
        running.l1.take(running.outbox)
        running.l1.time += 1000
        refuse(running.outbox, 1)
        await until(lambda: running.sequencer.exchange.machine.regs.time == START_TIME + 1000, "nothing is made anew")
        await until(lambda: ready(running), "the operator stays closed")
        check_order(running, taken)
        orders = (await running.get("/v1/orders/1"))[1]["orders"]
        assert all(order["expiry"] == 0 for order in orders)
        assert (await running.get("/v1/withdrawals/0"))[1]["amount"] == "700"


async def test_goes_on_after_a_batch_of_a_stranger(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        outbox = running.outbox
        running.l1.take(outbox)
        foreign = stranger(outbox, 1, START_TIME + 9)
        running.l1.time += 50
        running.l1.posted.append(foreign)
        await until(lambda: outbox.header(1) == foreign.header, "the stranger's batch is not taken over")
        await until(lambda: ready(running), "the operator stays closed")
        taken |= await trade(running, 3)
        await close(running)
        check_order(running, taken)
        while len(running.l1.posted) <= outbox.latest():
            running.l1.take(outbox)
        assert running.l1.posted[2].header.parent == foreign.header.hash()


async def test_an_idle_operator_goes_on_after_strangers(redis_server: RedisServer) -> None:
    """Nothing is closed here: L1 has more batches than the operator."""
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        outbox, count = running.outbox, running.outbox.latest() + 1
        while len(running.l1.posted) < count:
            running.l1.take(outbox)
        running.l1.time += 50
        running.l1.posted.append(stranger(outbox, count, START_TIME + 40))
        await until(lambda: outbox.latest() == count, "the stranger's batch is not taken over")
        await until(lambda: ready(running), "the operator stays closed")
        taken |= await trade(running, 3)
        await close(running)
        check_order(running, taken)
        traffic, l1, count = running.traffic, running.l1, running.sequencer.exchange.cursor.records
    async with operator(redis_server.url, traffic, l1) as again:
        assert again.sequencer.exchange.cursor.records == count


async def test_a_posting_that_comes_through_after_all_counts_once(redis_server: RedisServer) -> None:
    """The refused batch reaches L1 after its records have gone into another one."""
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        running.l1.take(running.outbox)
        old = running.outbox.get(1)
        assert old is not None
        running.l1.messages.append(running.traffic.deposit(4, 500))
        refuse(running.outbox, 1)
        await until(lambda: running.outbox.header(1) != old.batch.header, "the batch is not made anew")
        await until(lambda: ready(running), "the operator stays closed")
        running.l1.posted.append(old.batch)
        await until(lambda: running.outbox.header(1) == old.batch.header, "what L1 holds is not taken over")
        await until(lambda: ready(running), "the operator stays closed")
        taken |= await trade(running, 3)
        await close(running)
        check_order(running, taken)


async def test_a_batch_that_grows_too_old_is_made_anew_in_time(redis_server: RedisServer) -> None:
    l1 = HandL1(opening(traffic := SampleTraffic()))
    l1.max_skew = 800
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        l1.time += 650
        await asyncio.sleep(0.3)
        header = running.outbox.header(0)
        assert header is not None and header.timestamp == START_TIME
        l1.time += 60
        await until(lambda: getattr(running.outbox.header(0), "timestamp", 0) == l1.time, "it is left to grow too old")
        await until(lambda: ready(running), "the operator stays closed")
        check_order(running, taken)


async def test_l1_makes_no_block_for_twenty_minutes(redis_server: RedisServer) -> None:
    """What was acknowledged comes to L1 in its order, under the time of the block that comes at last: receipts hold.
    A price that the batch was made with stays the batch's own; nothing is done at one of twenty minutes ago."""
    l1 = HandL1(opening(traffic := SampleTraffic(), 4))
    l1.max_skew = MAINNET.max_skew
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        running.l1.take(running.outbox)
        taken |= await trade(running, 6)
        await close(running)
        late = running.outbox.header(1)
        assert late is not None and late.timestamp == START_TIME
        l1.time += 1200  # the clock stood still meanwhile, and so did whoever reads it
        await until(lambda: getattr(running.outbox.header(1), "timestamp", 0) == l1.time, "it is left to grow too old")
        await until(lambda: ready(running), "the operator stays closed")
        taken |= await trade(running, 3)
        await close(running)
        check_order(running, taken)
        while len(l1.posted) <= running.outbox.latest():
            l1.take(running.outbox)
        assert [batch.header.timestamp for batch in l1.posted[1:]] == [l1.time] * (len(l1.posted) - 1)
        assert all(l1.time - batch.header.timestamp <= MAINNET.max_skew for batch in l1.posted[1:])


async def test_an_open_batch_from_long_ago_is_made_anew_at_the_start(redis_server: RedisServer) -> None:
    l1 = HandL1(opening(traffic := SampleTraffic()))
    l1.max_skew = 800
    async with operator(redis_server.url, traffic, l1) as running:
        taken = await trade(running, 6)
        assert running.sequencer.exchange.is_open
    l1.time += 10_000
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        header = running.outbox.header(0)
        assert header is not None and header.timestamp == l1.time
        await close(running)
        check_order(running, taken)


async def test_pages_stay_behind_their_bulk_record(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        traffic = running.traffic
        legs = [records.Leg(0, 1, 10 + i, 90 - i, 1) for i in range(10)]
        bulk, *leg_pages = traffic.bulk(2, legs)
        result = await running.sequencer.submit(bulk, leg_pages)
        taken |= {body: result.sequence + i for i, body in enumerate((bulk, *leg_pages))}
        await close(running)
        running.l1.take(running.outbox)
        before = running.outbox.latest()
        monkeypatch.setattr("setoff.operator.sequencer.exchange.MAX_INPUTS", 1 + len(leg_pages))
        refuse(running.outbox, 1)
        await until(lambda: running.outbox.latest() > before, "nothing is made anew")
        await until(lambda: ready(running), "the operator stays closed")
        check_order(running, taken)
        batches = [running.outbox.get(number) for number in range(1, running.outbox.latest() + 1)]
        assert [set(leg_pages) <= set(b.batch.records) for b in batches if b and bulk in b.batch.records] == [True]
        assert len((await running.get("/v1/orders/2"))[1]["orders"]) >= 10


async def test_says_why_it_takes_nothing_while_a_batch_is_stuck(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05, l1_patience=0.3) as running:
        await begin(running)
        await close(running)
        header = running.outbox.header(0)
        assert header is not None and await ready(running)
        running.outbox.set_stuck(Stuck(header.hash().hex(), 0, "insufficient_funds", "no ether", False))
        await until(lambda: running.sequencer.obstacle() is not None, "nobody hears that the batch is stuck")
        status, answer = await running.get("/v1/health")
        assert (status, answer["reason"]) == (503, "not_ready") and "no ether" in answer["detail"]
        running.outbox.set_stuck(None)
        await until(lambda: ready(running), "the operator stays closed")
        assert running.outbox.header(0) == header


async def test_a_refusal_of_a_batch_that_is_gone_means_nothing(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        header = running.outbox.header(0)
        running.outbox.set_stuck(Stuck("ab" * 32, 0, "message_left_out", "", True))
        await asyncio.sleep(0.4)
        assert running.outbox.header(0) == header and await ready(running)


async def test_a_backlog_is_limited_by_age_too(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05, max_unposted_age=500.0) as running:
        await begin(running)
        await close(running)
        running.l1.time += 501
        await until(lambda: running.sequencer.obstacle() is not None, "an old backlog is not seen")
        assert (await running.get("/v1/health"))[1]["reason"] == "overloaded"
        while len(running.l1.posted) <= running.outbox.latest():
            running.l1.take(running.outbox)
        await until(lambda: ready(running), "the operator stays closed")


async def test_gives_up_where_l1_has_records_that_nobody_here_knows(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        running.l1.take(running.outbox)
        before = running.outbox.header(0)
        assert before is not None
        other = [running.traffic.report(1, 90)]
        foreign = Batch.seal(
            before.hash(), 1, START_TIME, before.message_count, before.record_count, before.queue_hash, (), other
        )
        running.l1.posted.append(foreign)
        await asyncio.wait_for(running.sequencer.failed.wait(), 10)
        assert isinstance(running.sequencer.failure, DataError)


@pytest.mark.parametrize("moment", ["before the log", "after the log", "in the outbox"])
async def test_a_reset_survives_its_death(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Killed at any point, the next process has every acknowledged record at its place, once."""

    class Killed(Exception):
        pass

    dead = asyncio.Event()

    l1 = HandL1(opening(traffic := SampleTraffic()))
    l1.max_skew = 120
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, snapshot_batches=2) as running:
        taken = await begin(running)
        await close(running)
        while len(running.l1.posted) < 3 <= running.outbox.latest():
            running.l1.take(running.outbox)
        before, held = in_outbox(running.outbox), len(running.l1.posted)
        append, put = Journal.append, Outbox.put

        async def dying_append(self: Journal, events: object) -> None:
            if moment == "after the log":
                await append(self, events)  # type: ignore[arg-type]
            dead.set()
            raise Killed

        def dying_put(self: Outbox, sealed: object, **options: bool) -> None:
            dead.set()
            raise Killed

        with monkeypatch.context() as patch:
            if moment == "in the outbox":
                patch.setattr(Outbox, "put", dying_put)
            else:
                patch.setattr(Journal, "append", dying_append)
            running.l1.time += 77
            refuse(running.outbox, held)
            await asyncio.wait_for(dead.wait(), 10)
            await asyncio.wait_for(running.sequencer.failed.wait(), 10)
        assert put is Outbox.put
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as again:
        await until(lambda: again.sequencer.exchange.machine.regs.time == START_TIME + 77, "the reset is forgotten")
        await until(lambda: ready(again), "the operator stays closed")
        await close(again)
        assert in_outbox(again.outbox) == before
        taken |= await trade(again, 3)
        await close(again)
        check_order(again, taken)


async def test_goes_back_behind_a_snapshot_that_l1_took_back(redis_server: RedisServer) -> None:
    """A reorg deeper than the snapshot: everything is run again from the outbox."""
    async with operator(redis_server.url, batch_interval=0.02, snapshot_batches=2) as running:
        taken = await begin(running)
        while not running.redis.exists(f"{DEPLOYMENT.namespace}:snapshot"):
            running.l1.take(running.outbox)
            taken |= await trade(running, 2)
        await close(running)
        running.l1.posted = running.l1.posted[:1]
        running.l1.posted.append(stranger(running.outbox, 1, START_TIME))
        running.l1.time += 5
        await until(lambda: running.outbox.header(1) == running.l1.posted[1].header, "the reorg is not followed")
        await until(lambda: ready(running), "the operator stays closed")
        check_order(running, taken)
        traffic, l1, machine = running.traffic, running.l1, running.sequencer.exchange.machine.hash()
    async with operator(redis_server.url, traffic, l1) as again:
        assert again.sequencer.exchange.machine.hash() == machine


# --- other messages than were consumed --------------------------------------------------------------------------------


async def consume(running: Running, message: bytes) -> None:
    """Have a message consumed by a closed batch that L1 does not hold yet."""
    consumed = running.sequencer.exchange.cursor.messages
    running.l1.messages.append(message)
    await until(lambda: running.sequencer.exchange.cursor.messages > consumed, "the message is not consumed")


async def settle(running: Running) -> None:
    """Wait until what the outbox has builds on L1's own messages."""
    queue_hash = reduce(extend_queue_hash, stamp_all(running.l1.messages, START_TIME), ZERO)
    await until(lambda: running.sequencer.exchange.cursor.queue_hash == queue_hash, "nothing is made anew", 30)
    await until(lambda: ready(running), "the operator stays closed")
    await close(running)
    running.l1.time += 1
    while len(running.l1.posted) <= running.outbox.latest():
        running.l1.take(running.outbox)
    assert [batch.header.queue_hash for batch in running.l1.posted][-1] == queue_hash


@pytest.mark.parametrize("is_taken_back", [False, True], ids=["waiting", "posted and taken back"])
@pytest.mark.parametrize("is_down", [False, True], ids=["running", "restarted"])
async def test_messages_that_a_reorg_replaced_are_run_as_they_are_now(
    redis_server: RedisServer, is_taken_back: bool, is_down: bool
) -> None:
    """Also from a log in which the old ones stand, and behind batches that L1 held."""
    l1 = HandL1(opening(traffic := SampleTraffic()))
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, snapshot_batches=2) as running:
        taken = await begin(running)
        await close(running)
        l1.take(running.outbox)
        await consume(running, traffic.deposit(4, 500))
        taken |= await trade(running, 5)
        await close(running)
        if is_taken_back:
            while len(l1.posted) <= running.outbox.latest():
                l1.take(running.outbox)
            taken |= await trade(running, 5)
            await close(running)
            del l1.posted[1:]
            running.outbox.set_posted(1)
        before = in_outbox(running.outbox)
        if not is_down:
            l1.messages[-1:] = [traffic.deposit(4, 900), traffic.deposit(4, 7)]
            await settle(running)
    if is_down:
        l1.messages[-1:] = [traffic.deposit(4, 900), traffic.deposit(4, 7)]
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await settle(running)
        assert in_outbox(running.outbox)[: len(before)] == before
        assert running.sequencer.exchange.machine.state.account(4).collateral == 907
        assert running.outbox.header(0) == l1.posted[0].header
        taken |= await trade(running, 4)
        await close(running)
        check_order(running, taken)


async def test_what_was_accepted_on_a_deposit_that_is_gone_keeps_its_place(redis_server: RedisServer) -> None:
    """The account is another's now: its records are recorded rejects, all others are run again."""
    async with operator(redis_server.url, batch_interval=0.05) as running:
        traffic = running.traffic
        taken = await begin(running)
        await consume(running, traffic.deposit(4, 10**12))
        for record in (traffic.order(1, BUY, 90, 2), traffic.order(4, SELL, 90, 2), traffic.withdraw(4, 77)):
            status, answer = await running.submit(record)
            assert status == 200, answer
            taken[record] = answer["sequence"]
        assert running.sequencer.exchange.machine.state.account(4).collateral != 10**12 - 77, "it has traded"
        await close(running)
        newcomer = signatures.address_of(trader_key(5))
        running.l1.messages[-1] = records.encode(records.DepositBody(4, newcomer, 600))
        await settle(running)
        check_order(running, taken)
        assert running.sequencer.exchange.machine.state.account(4).collateral == 600
        assert (await running.get("/v1/withdrawals/0"))[0] == 404


@pytest.mark.parametrize("is_down", [False, True], ids=["running", "restarted"])
async def test_messages_of_an_open_batch_are_replaced(redis_server: RedisServer, is_down: bool) -> None:
    l1 = HandL1(opening(traffic := SampleTraffic()))
    async with operator(redis_server.url, traffic, l1, batch_interval=1000.0 if is_down else 1.0) as running:
        taken = await trade(running, 6)
        assert running.sequencer.exchange.is_open
        l1.messages[-1] = traffic.deposit(3, 10**12 + 1)
        if not is_down:
            await settle(running)
            check_order(running, taken)
    if is_down:
        async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
            await settle(running)
            check_order(running, taken)


async def test_messages_that_are_gone_for_a_while_only_have_to_come_again(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        taken = await begin(running)
        await consume(running, running.traffic.deposit(4, 500))
        await close(running)
        headers = [running.outbox.header(number) for number in range(running.outbox.latest() + 1)]
        gone = running.l1.messages.pop()
        await asyncio.sleep(0.3)
        running.l1.messages.append(gone)
        taken |= await trade(running, 3)
        await close(running)
        assert [running.outbox.header(number) for number in range(len(headers))] == headers
        check_order(running, taken)


async def test_a_contradiction_that_passes_changes_nothing(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a node that stands between two chains for a moment."""

    class Shaky(HandL1):
        shakes = answers = 0

        async def look(self, first: int, queue_hash: bytes) -> L1View:
            if self.shakes:
                self.shakes -= 1
                raise DataError("data_mismatch", "another history")
            self.answers += 1
            return await super().look(first, queue_hash)

    l1 = Shaky(opening(traffic := SampleTraffic()))
    resets: list[Remake | None] = []
    remake = Resetter.remake

    async def end_with_the_reset(self: Resetter, exchange: Exchange) -> Remake | None:
        resets.append(await remake(self, exchange))
        l1.shakes = 0
        return resets[-1]

    monkeypatch.setattr(Resetter, "remake", end_with_the_reset)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        headers = [running.outbox.header(number) for number in range(running.outbox.latest() + 1)]
        commit = running.sequencer.commit

        async def see_l1_again() -> None:
            answers = l1.answers
            await until(lambda: l1.answers > answers, "nobody looks")

        for _ in range(3):
            l1.shakes = l1_monitor.DIVERGENCES - 1
            await until(lambda: l1.shakes == 0, "nobody looks")
            await see_l1_again()
        assert resets == []
        # A reset that finds L1 just as shaky is to be tried again: it has changed nothing.
        l1.shakes = 10**6
        await until(lambda: resets, "nothing is made anew")
        await see_l1_again()
        await until(lambda: ready(running), "the operator stays closed")
        assert resets == [None]
        assert (running.sequencer.commit, running.sequencer.failure) == (commit, None)
        assert [running.outbox.header(number) for number in range(len(headers))] == headers


async def test_gives_up_where_l1_contradicts_the_batches_that_it_holds(redis_server: RedisServer) -> None:
    """Nothing can be made anew there: the node lies, or this is another exchange's store."""
    async with operator(redis_server.url, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        while len(running.l1.posted) <= running.outbox.latest():
            running.l1.take(running.outbox)
        before = in_outbox(running.outbox)
        running.l1.messages[0] = running.traffic.deposit(9, 1)
        await asyncio.wait_for(running.sequencer.failed.wait(), 10)
        assert isinstance(running.sequencer.failure, DataError)
        assert in_outbox(running.outbox) == before
