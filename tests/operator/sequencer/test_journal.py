"""Journal and outbox on a real server: whole commits in order, one writer, nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis import Redis
from tests.support.processes.running_operator import DEPLOYMENT, opening

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal import Draft, Journal, JournalTaken, connect
from setoff.operator.sequencer.journal_events import JournalEvent, Recorded
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.redis_server import RedisServer, check_durable
from setoff.shared.errors import ConfigError, DataError
from setoff.shared.machine.machine import Machine


def commit(number: int) -> list[JournalEvent]:
    return [Recorded(bytes([number]) * 124)]


@pytest.fixture
async def journal(redis_server: RedisServer) -> AsyncIterator[Journal]:
    redis = connect(redis_server.url)
    yield Journal(redis, "test")
    await redis.aclose()


@pytest.fixture
async def other(redis_server: RedisServer) -> AsyncIterator[Journal]:
    redis = connect(redis_server.url)
    yield Journal(redis, "test")
    await redis.aclose()


async def read(journal: Journal, after: int = 0) -> list[list[JournalEvent]]:
    return [events async for events in journal.replay(after)]


async def test_reads_what_was_written(journal: Journal, other: Journal) -> None:
    for number in range(600):
        await journal.append(commit(number % 256))
    assert await read(other) == [commit(number % 256) for number in range(600)]
    assert other.commit == journal.commit == 600


async def test_the_later_writer_wins(journal: Journal, other: Journal) -> None:
    await journal.append(commit(1))
    await read(other)
    await other.append(commit(2))
    with pytest.raises(JournalTaken):
        await journal.append(commit(3))
    with pytest.raises(JournalTaken):
        await journal.append(commit(3))
    await other.append(commit(4))
    other.commit = 0
    assert await read(other) == [commit(1), commit(2), commit(4)]


async def test_a_snapshot_stands_for_the_commits_before_it(journal: Journal, other: Journal) -> None:
    for number in range(5):
        await journal.append(commit(number))
    machine = Machine.genesis(DEPLOYMENT.domain)
    cursor = BatchCursor(number=3, records=7)
    await journal.write_snapshot(Draft(journal.commit, cursor, machine.copy(), machine.hash()))
    await journal.append(commit(9))
    snapshot = await other.read_snapshot()
    assert snapshot is not None
    assert (snapshot.commit, snapshot.cursor) == (5, cursor)
    assert snapshot.restore().hash() == machine.hash()
    assert await read(other, snapshot.commit) == [commit(9)]
    await other.append(commit(10))
    with pytest.raises(JournalTaken):
        await journal.append(commit(10))


async def test_notices_a_missing_commit(journal: Journal, other: Journal, redis_server: RedisServer) -> None:
    for number in range(3):
        await journal.append(commit(number))
    with redis_server.client() as redis:
        redis.xdel("test:journal", "2-0")
    with pytest.raises(DataError):
        await read(other)


async def test_notices_a_damaged_snapshot(journal: Journal) -> None:
    machine = Machine.genesis(DEPLOYMENT.domain)
    await journal.write_snapshot(Draft(0, BatchCursor(), machine.copy(), bytes(32)))
    snapshot = await journal.read_snapshot()
    assert snapshot is not None
    with pytest.raises(DataError):
        snapshot.restore()


def test_refuses_a_server_that_may_forget(redis_server: RedisServer) -> None:
    with redis_server.client() as redis:
        check_durable(redis)
        for name, value in (("appendfsync", "everysec"), ("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")):
            before = redis.config_get(name)
            redis.config_set(name, value)
            with pytest.raises(ConfigError, match=name):
                check_durable(redis)
            redis.config_set(name, next(iter(before.values())))
        check_durable(redis)


def test_the_outbox_gives_back_what_was_put(redis_server: RedisServer) -> None:
    traffic, exchange = SampleTraffic(), Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor())
    with redis_server.client() as redis:
        outbox = Outbox(redis, "test")
        assert outbox.latest() == -1 and outbox.get(0) is None and not outbox.wait(0, 0.01)
        exchange.open(START_TIME, tuple(opening(traffic)))
        for record in (
            traffic.report(0, 100),
            traffic.order(1, 0, 100, 5),
            traffic.order(2, 1, 99, 5),
            traffic.withdraw(3, 7),
        ):
            exchange.offer(record)
        _, sealed = exchange.close()
        assert sealed.fills and sealed.proofs
        outbox.put(sealed)
        outbox.put(sealed)
        assert outbox.get(0) == replace(sealed, proofs=())
        assert outbox.latest() == 0 and outbox.wait(0, 0.01) and not outbox.wait(1, 0.01)
        assert outbox.withdrawal(0) == sealed.proofs[0] and outbox.withdrawal(1) is None
        with pytest.raises(DataError):
            outbox.put(replace(sealed, end=bytes(32)))
        assert outbox.posted() == 0
        outbox.set_posted(1)
        assert outbox.posted() == 1
        count_keys(redis, 4)


def count_keys(redis: Redis, count: int) -> None:
    assert len(list(redis.scan_iter("test:*"))) == count
