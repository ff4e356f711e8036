"""The sequencer: order, batches, back-pressure, and what happens when the store or L1 fails."""

import asyncio
import signal
from pathlib import Path

import pytest
from tests.support.processes.resets import ready
from tests.support.processes.running_operator import (
    DEPLOYMENT,
    HandL1,
    Running,
    open_market,
    opening,
    operator,
    replay,
    store,
)
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, trader_key
from setoff.operator.sequencer.sequencer import Status
from setoff.operator.sequencer.submissions import UnknownFate
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError, ConfigError, DataError, InputError, StateError
from setoff.shared.machine.batch import MAX_INPUTS, ZERO, Batch

BUY, SELL = records.BUY, records.SELL


async def until_batch(running: Running, number: int) -> None:
    """Wait until batch `number` is in the outbox."""
    assert await asyncio.to_thread(running.outbox.wait, number, 10), f"batch {number} does not come"


async def test_many_at_once_share_commits(exchange: Running) -> None:
    traffic = exchange.traffic
    orders = [traffic.order(1 + i % 3, BUY, 50 + i % 40, 1) for i in range(300)]
    before = exchange.sequencer.commit
    answers = await asyncio.gather(*[exchange.sequencer.submit(record) for record in orders])
    assert [a.sequence for a in answers] == list(range(answers[0].sequence, answers[0].sequence + 300))
    assert exchange.sequencer.commit - before < 20


class HeldJournal:
    """Holds every commit of a sequencer back until it is told to go on."""

    def __init__(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []  # events of each commit
        self.go_on = asyncio.Event()
        self.error: Exception | None = None
        self._really = running.sequencer._journal.append
        monkeypatch.setattr(running.sequencer._journal, "append", self._append)

    async def _append(self, events: list[object]) -> None:
        self.asked.append(len(events))
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        await self._really(events)  # type: ignore[arg-type]


async def test_the_machine_runs_the_next_group_while_one_is_written(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, traffic, sequencer = HeldJournal(exchange, monkeypatch), exchange.traffic, exchange.sequencer
    before = sequencer.exchange.cursor.records
    orders = [traffic.order(1 + i % 3, BUY, 50 + i % 40, 1) for i in range(3)]
    first = asyncio.create_task(sequencer.submit(orders[0]))
    await until(lambda: len(held.asked) == 1, "no commit")
    rest = [asyncio.create_task(sequencer.submit(order)) for order in orders[1:]]
    await until(lambda: sequencer.exchange.cursor.records == before + 3, "the machine waits for the store")
    await asyncio.sleep(0.05)
    assert held.asked == [1] and not first.done()  # one commit at a time, and nothing is answered before
    held.go_on.set()
    answers = await asyncio.gather(first, *rest)
    assert [answer.sequence for answer in answers] == [before, before + 1, before + 2]
    assert held.asked == [1, 2]


async def test_when_the_store_fails_nothing_of_either_group_is_answered(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, traffic, sequencer = HeldJournal(exchange, monkeypatch), exchange.traffic, exchange.sequencer
    before = sequencer.exchange.cursor.records
    first = asyncio.create_task(sequencer.submit(traffic.order(1, BUY, 60, 1)))
    await until(lambda: len(held.asked) == 1, "no commit")
    second = asyncio.create_task(sequencer.submit(traffic.order(2, BUY, 60, 1)))
    await until(lambda: sequencer.exchange.cursor.records == before + 2, "the machine waits for the store")
    held.error = ConnectionError("gone")
    held.go_on.set()
    for task in (first, second):
        with pytest.raises(UnknownFate, match="pending"):
            await task
    held.error = None
    await until(lambda: sequencer.status is Status.READY, "it does not come back")
    assert sequencer.exchange.cursor.records == before  # as the store has it
    assert (await sequencer.submit(traffic.order(1, BUY, 60, 2))).sequence == before


async def test_a_full_batch_closes_and_the_next_goes_on(exchange: Running) -> None:
    traffic = exchange.traffic
    first = exchange.sequencer.exchange.inputs
    receipts = []
    for start in range(0, 1200, 100):
        pairs = [
            traffic.order(1, BUY, 100, 1) if i % 2 else traffic.order(2, SELL, 100, 1)
            for i in range(start, start + 100)
        ]
        receipts += await asyncio.gather(*[exchange.sequencer.submit(record) for record in pairs])
    assert [r.batch for r in receipts] == [0] * (MAX_INPUTS - first) + [1] * (1200 - MAX_INPUTS + first)
    assert receipts[MAX_INPUTS - first].input_index == 0
    sealed = exchange.outbox.get(0)
    assert sealed is not None and sealed.batch.header.inputs == MAX_INPUTS
    replay(exchange.outbox)


async def test_a_batch_closes_after_the_interval(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.1) as running:
        await open_market(running)
        await until_batch(running, 0)
        await asyncio.sleep(0.3)
        assert running.outbox.latest() == 0  # nothing to do: no batch
        await running.submit(running.traffic.order(1, BUY, 100, 1))
        await until_batch(running, 1)
        assert replay(running.outbox).hash() == running.sequencer.exchange.machine.hash()


async def test_messages_open_a_batch_by_themselves(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.1) as running:
        await until_batch(running, 0)
        running.l1.time += 7
        running.l1.messages.append(running.traffic.deposit(4, 500))
        await until_batch(running, 1)
        sealed = running.outbox.get(1)
        assert sealed is not None
        assert sealed.batch.messages == (running.l1.messages[-1],)
        assert sealed.batch.header.timestamp == START_TIME + 7
        assert (await running.get("/v1/accounts/4"))[1]["collateral"] == "500"


async def test_messages_wait_for_the_next_batch(exchange: Running) -> None:
    exchange.l1.messages.append(exchange.traffic.deposit(4, 500))
    await asyncio.sleep(0.1)
    assert (await exchange.get("/v1/accounts/4"))[0] == 404
    assert (await exchange.status())["batch"] == 0


async def test_a_forced_record_is_taken_whatever_becomes_of_it(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    forced = [traffic.withdraw(1, 1000), traffic.withdraw(1, 10**20), traffic.order(1, BUY, 0, 1)]
    async with operator(redis_server.url, traffic, HandL1([*opening(traffic), *forced]), batch_interval=0.1) as running:
        await until_batch(running, 0)
        assert running.sequencer.exchange.machine.regs.withdrawals == 1
        _, proof = await running.get("/v1/withdrawals/0")
        assert (proof["account"], proof["amount"]) == (1, "1000")
        replay(running.outbox)


async def test_an_idle_operator_still_closes_batches(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05, heartbeat=0.1) as running:
        await until_batch(running, 3)
        sealed = running.outbox.get(3)
        assert sealed is not None and sealed.batch.header.inputs == 0
        replay(running.outbox)


async def test_too_many_at_once_are_told_to_wait(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_waiting=10) as running:
        await open_market(running)
        orders = [running.traffic.order(1, BUY, 50, 1) for _ in range(40)]
        results = await asyncio.gather(*map(running.sequencer.submit, orders), return_exceptions=True)
        refused = [r for r in results if isinstance(r, StateError)]
        assert len(refused) == 30 and {r.reason for r in refused} == {"overloaded"}
        assert running.sequencer.exchange.cursor.records == 12  # with the first report and the first crank


async def test_stops_taking_when_batches_do_not_reach_l1(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, heartbeat=0.02, max_unposted=2, batch_interval=0.01) as running:
        await until_batch(running, 3)
        status, answer = await running.submit(running.traffic.report(0, 100))
        assert (status, answer["reason"]) == (503, "overloaded")
        running.outbox.set_posted(10_000)
        await asyncio.sleep(0.1)
        assert (await running.status())["unposted"] >= 0  # however many L1 has that are not ours
        assert (await running.submit(running.traffic.report(0, 100)))[0] == 200


async def test_stops_taking_when_l1_is_silent(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, l1_patience=1.0) as running:
        await open_market(running)
        running.l1.error = ChainError("rpc_unreachable", "gone")
        await asyncio.sleep(1.5)
        assert (await running.get("/v1/health"))[0] == 503
        status, answer = await running.submit(running.traffic.order(1, BUY, 50, 1))
        assert (status, answer["reason"]) == (503, "not_ready")
        running.l1.error = None
        await asyncio.sleep(0.1)
        assert (await running.submit(running.traffic.order(1, BUY, 50, 1)))[0] == 200


async def test_one_refusal_of_l1_ends_no_start(redis_server: RedisServer) -> None:
    l1 = HandL1([])
    l1.error = ChainError("rpc_unreachable", "busy")
    asyncio.get_running_loop().call_later(0.3, setattr, l1, "error", None)
    async with operator(redis_server.url, l1=l1) as running:
        assert l1.error is None and (await running.get("/v1/health"))[0] == 200
    l1.error = ChainError("rpc_unreachable", "gone")
    with pytest.raises(ChainError, match="gone"):
        async with operator(redis_server.url, l1=l1, l1_patience=0.2):
            pytest.fail("it started without L1")


async def test_gives_up_when_l1_takes_back_what_was_consumed(exchange: Running) -> None:
    exchange.l1.error = DataError("data_mismatch", "another history")
    await asyncio.wait_for(exchange.sequencer.failed.wait(), 5)
    assert isinstance(exchange.sequencer.failure, DataError)
    assert (await exchange.submit(exchange.traffic.order(1, BUY, 50, 1)))[0] == 503


async def test_gives_up_when_another_one_writes_the_journal(redis_server: RedisServer) -> None:
    async with operator(redis_server.url) as old:
        await open_market(old)
        async with operator(redis_server.url, old.traffic, old.l1) as new:
            assert (await new.submit(new.traffic.order(1, BUY, 99, 1)))[0] == 200
            status, answer = await old.submit(old.traffic.order(2, BUY, 99, 1))
            assert (status, answer["reason"]) == (503, "pending")
            await asyncio.wait_for(old.sequencer.failed.wait(), 5)
            assert (await new.submit(new.traffic.order(3, BUY, 99, 1)))[0] == 200


async def test_goes_on_where_it_stopped(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    async with operator(redis_server.url, traffic, l1) as running:
        await open_market(running)
        _, resting = await running.submit(traffic.order(1, SELL, 101, 5))
        before = await running.status()
    async with operator(redis_server.url, traffic, l1) as running:
        after = await running.status()
        assert after | {"waiting": 0, "unposted": 0} == before | {"waiting": 0, "unposted": 0}
        _, taken = await running.submit(traffic.order(2, BUY, 101, 5))
        assert (taken["batch"], taken["input_index"]) == (0, resting["input_index"] + 1)
        assert taken["fills"][0]["fill"] == 1


async def test_snapshots_cut_the_journal(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    fills = []
    async with operator(redis_server.url, traffic, l1, batch_interval=0.02, snapshot_batches=3) as running:
        await open_market(running)
        while running.outbox.latest() < 9:
            l1.take(running.outbox)
            for record in (traffic.order(1, SELL, 100, 1), traffic.order(2, BUY, 100, 1)):
                fills += (await running.submit(record))[1]["fills"]
        first = running.redis.xrange(f"{DEPLOYMENT.namespace}:journal", count=1)[0][0]  # type: ignore[index]
        assert first > b"1-0", "nothing was cut off"
        before = await running.status()
    async with operator(redis_server.url, traffic, l1) as running:
        assert (await running.status())["machine"] == before["machine"]
        assert (await running.get("/v1/fills?after=0&limit=1000"))[1]["fills"] == fills
        assert (await running.get("/v1/accounts/0x" + address_of(trader_key(1)).hex()))[0] == 200


async def test_old_batches_leave_the_store_and_it_goes_on_from_the_snapshot(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    often = {"batch_interval": 0.02, "snapshot_batches": 2, "batches_kept": 5}
    async with operator(redis_server.url, traffic, l1, **often) as running:
        await open_market(running)
        while running.outbox.kept_from() < 4:
            assert (await running.submit(traffic.order(1, BUY, 80, 1)))[0] in (200, 503)
            await running.submit(traffic.cancel_all(1))
            l1.take(running.outbox)
            l1.time += 1
        kept = running.outbox.kept_from()
        for number in range(running.outbox.latest()):
            sealed = running.outbox.get(number)
            assert (sealed is None) == (number < kept)
            assert sealed is None or sealed.batch.header.timestamp > START_TIME
        status, answer = await running.get("/v1/batches/0")
        assert (status, answer["reason"]) == (404, "not_found") and "L1 alone" in answer["detail"]
        before = await running.status()
    async with operator(redis_server.url, traffic, l1) as running:
        assert (await running.status())["machine"] == before["machine"]
        assert (await running.submit(traffic.order(2, BUY, 80, 1)))[0] == 200


async def test_answers_nothing_that_the_store_did_not_take(tmp_path: Path) -> None:
    """The store dies in mid-traffic and comes back: what was answered is there, and the sequencer goes on."""
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    folder = tmp_path / "redis"
    with store(folder) as first:
        port = int(first.url.rsplit(":", 1)[1].split("/")[0])
        async with operator(first.url, traffic, l1) as running:
            await open_market(running)
            answered: list[int] = []
            lost = 0

            async def trade(account: int) -> None:
                nonlocal lost
                for i in range(200):
                    side = BUY if account == 1 else SELL
                    record = traffic.order(account, side, 100 - (i % 30 if side == BUY else 0), 1, flags=records.IOC)
                    try:
                        answered.append((await running.sequencer.submit(record)).sequence)
                    except StateError as error:
                        assert error.reason in ("not_ready", "pending")
                        lost += 1
                        await asyncio.sleep(0.01)
                    except InputError as error:
                        raise AssertionError(error.reason) from error

            trading = [asyncio.create_task(trade(account)) for account in (1, 2, 3)]
            await until(lambda: len(answered) >= 50, pause=0.001)
            assert first._server is not None and first._server._process is not None
            first._server._process.send_signal(signal.SIGKILL)
            first._server._process.wait()
            await asyncio.sleep(0.2)
            assert (await running.get("/v1/health"))[0] == 503
            assert (await running.get("/v1/book/1"))[0] == 503
            with RedisServer.embed(folder, port):
                await asyncio.gather(*trading)
                await until(lambda: ready(running), "the operator stays closed")
                after = await running.submit(traffic.order(1, BUY, 90, 1))
                assert after[0] == 200
                assert lost and len(answered) == len(set(answered))
                assert running.sequencer.exchange.cursor.records > max(answered)
                async with operator(f"redis://127.0.0.1:{port}/0", traffic, l1) as again:
                    assert (await again.status())["machine"] == (await running.status())["machine"]
    first._server = None


async def test_refuses_a_store_that_has_lost_batches(redis_server: RedisServer) -> None:
    l1 = HandL1()
    l1.posted = [Batch.seal(ZERO, 0, START_TIME, 0, 0, ZERO, (), [SampleTraffic().report(0, 100)])]
    with pytest.raises(DataError, match="the store is empty, and L1 holds 1 batches"):
        async with operator(redis_server.url, l1=l1):
            pass


async def test_refuses_a_store_that_may_forget(redis_server: RedisServer) -> None:
    with redis_server.client() as redis:
        redis.config_set("appendfsync", "everysec")
    with pytest.raises(ConfigError, match="appendfsync"):
        async with operator(redis_server.url):
            pass
    async with operator(redis_server.url, allow_volatile_store=True) as running:
        await open_market(running)


async def test_refuses_a_taken_port(exchange: Running, redis_server: RedisServer) -> None:
    with pytest.raises(ConfigError) as caught:
        async with operator(redis_server.url, listen=exchange.url.removeprefix("http://")):
            pass
    assert caught.value.reason == "port_taken"
    assert (await exchange.get("/v1/health"))[0] == 200
