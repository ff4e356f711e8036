"""However the history is come by, it is the same: record by record, from the store after a start, after a reset."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.histories import make_store, read_all
from tests.support.processes.resets import begin, close, ready, refuse, trade
from tests.support.processes.running_operator import DEPLOYMENT, Running, operator
from tests.support.waiting import until

from setoff.operator.history import follower as followers
from setoff.operator.history.follower import Follower
from setoff.operator.history.from_l1 import follow_l1
from setoff.operator.history.observer import Numbers, Observer
from setoff.operator.sequencer import l1_monitor
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.machine import Machine


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Resets come at once."""
    monkeypatch.setattr(l1_monitor, "RESET_PAUSE", 0.0, raising=False)
    yield


async def follow(follower: Follower) -> None:
    """Until nothing has come for a moment."""
    while await asyncio.to_thread(follower.step, 50):
        pass


async def derive(running: Running, folder: Path, name: str) -> dict[str, list[Any]]:
    """A history that begins with nothing."""
    store = make_store(folder, name, DEPLOYMENT.namespace)
    await follow(Follower(running.redis, DEPLOYMENT, store))
    return read_all(store)


async def post(running: Running) -> None:
    """L1 takes all that is closed."""
    for _ in range(running.outbox.latest() + 1 - len(running.l1.posted)):
        running.l1.take(running.outbox)


async def test_following_gives_what_the_store_gives_later(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the journal was cut off, and from a checkpoint on."""
    monkeypatch.setattr(followers, "CHECKPOINT_BATCHES", 2)
    async with operator(redis_server.url, batch_interval=0.05, snapshot_batches=2) as running:
        store = make_store(tmp_path, "live", DEPLOYMENT.namespace)
        live = Follower(running.redis, DEPLOYMENT, store)
        for _ in range(7):
            await trade(running, 8)
            await close(running)
            await post(running)
            await follow(live)
        assert store.open() is not None, "no checkpoint was made"
        assert running.redis.exists(f"{DEPLOYMENT.namespace}:snapshot"), "the journal was not cut off"
        await follow(Follower(running.redis, DEPLOYMENT, store))  # again, from the checkpoint on
        shown = read_all(store)
        assert shown == await derive(running, tmp_path, "later")
        assert len(shown["records"]) == running.sequencer.exchange.cursor.records
        assert len(shown["fills"]) == running.sequencer.exchange.cursor.fills > 0
        assert len(shown["batches"]) == running.outbox.latest() + 1


async def test_what_a_reset_takes_back_is_told_anew(redis_server: RedisServer, tmp_path: Path) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        store = make_store(tmp_path, "live", DEPLOYMENT.namespace)
        live = Follower(running.redis, DEPLOYMENT, store)
        await begin(running)
        await close(running)
        await follow(live)
        before = read_all(store)
        running.l1.take(running.outbox)
        old = running.outbox.header(1)
        running.l1.time += 100
        running.l1.force_delay = -100
        running.l1.messages.append(running.traffic.deposit(4, 500))
        refuse(running.outbox, 1)
        await until(lambda: running.outbox.header(1) not in (None, old), "the batch is not made anew")
        await until(lambda: ready(running), "the operator stays closed")
        await trade(running, 5)
        await close(running)
        await follow(live)
        shown = read_all(store)
        assert shown != before and shown == await derive(running, tmp_path, "later")
        assert {entry[4] for entry in shown["ledger"]} >= {1, 2, 3, 4}


class PostedBatches:
    """L1, as far as what it holds goes."""

    def __init__(self, running: Running) -> None:
        self._l1 = running.l1
        self.deployment = DEPLOYMENT
        self.proven = self
        self.number = 9
        self.hosts = "the node"
        self.l1 = self

    def block(self) -> Any:
        return self

    def messages(self, first: int, last: int) -> list[Any]:
        assert last == 9
        return [type("M", (), {"index": at, "body": body}) for at, body in enumerate(self._l1.messages)]

    def batches(self, first: int, last: int) -> list[Any]:
        return [type("P", (), {"header": batch.header, "batch": batch}) for batch in self._l1.posted]

    def assemble(self, posted: Any, messages: list[bytes]) -> Any:
        assert posted.batch.messages == tuple(messages)
        return posted.batch


async def test_l1_alone_is_enough(redis_server: RedisServer, tmp_path: Path) -> None:
    async with operator(redis_server.url, batch_interval=0.05) as running:
        for _ in range(3):
            await trade(running, 8)
            await close(running)
        await post(running)
        store, reader = make_store(tmp_path, "l1", DEPLOYMENT.namespace), cast(ChainReader, PostedBatches(running))
        store.open()
        observer = Observer(Machine.genesis(*DEPLOYMENT.genesis), Numbers(), {})
        await asyncio.to_thread(follow_l1, reader, observer, store, running.outbox.latest() + 1)
        assert read_all(store) == await derive(running, tmp_path, "store")
        running.redis.set(f"{DEPLOYMENT.namespace}:kept_from", 2)  # as after a week
        running.redis.delete(*[f"{DEPLOYMENT.namespace}:batch:{number}" for number in (0, 1)])
        cursor = replace(running.sequencer.exchange.cursor, number=2).encode()
        snapshot = {"commit": running.sequencer.commit, "cursor": cursor}
        running.redis.hset(f"{DEPLOYMENT.namespace}:snapshot", mapping=snapshot)
        blind = Follower(running.redis, DEPLOYMENT, make_store(tmp_path, "blind"))
        with pytest.raises(DataError, match="on L1 alone"):
            await asyncio.to_thread(blind.step, 50)
