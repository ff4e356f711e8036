"""A copy of the log: taken while the operator runs, kept up with it, put back, brought to where L1 is."""

import asyncio
import gzip
import shutil
import threading
from pathlib import Path

import pytest
from redis import Redis
from tests.support.processes.rescues import Past, continue_life, live, rebuild
from tests.support.processes.resets import check_order, close, trade
from tests.support.processes.running_operator import DEPLOYMENT, operator
from tests.support.waiting import until

from setoff.operator.rescue.backup import Backup, Copied, read_entries, restore
from setoff.operator.sequencer.journal import Journal, connect
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ConfigError, DataError, StateError

NAMESPACE = DEPLOYMENT.namespace


async def put_back(server: RedisServer, past: Past, file: Path) -> Copied:
    """Into an empty store, which is then brought to where L1 is."""
    with server.client() as redis:
        redis.flushall()
        copied = restore(redis, NAMESPACE, file)
    with pytest.raises(StateError, match="the store is not whole: it was put back"):
        async with operator(server.url, past.traffic, past.l1):
            pass
    await rebuild(server.url, past)
    return copied


async def go_on(server: RedisServer, past: Past) -> None:
    async with operator(server.url, past.traffic, past.l1, batch_interval=0.05) as running:
        past.taken |= await trade(running, 5)
        await close(running)
        check_order(running, past.taken)


async def has_snapshot(server: RedisServer) -> bool:
    client = connect(server.url)
    try:
        return await Journal(client, NAMESPACE).read_snapshot() is not None
    finally:
        await client.aclose()


async def test_a_copy_of_a_running_operators_log_is_put_back_whole(redis_server: RedisServer, tmp_path: Path) -> None:
    past, file = await live(redis_server.url), tmp_path / "log"
    settings = {"batch_interval": 0.05, "snapshot_batches": 1}
    async with operator(redis_server.url, past.traffic, past.l1, **settings) as running:
        for _ in range(5):
            await continue_life(running, past)
            if await has_snapshot(redis_server):
                break
        assert await has_snapshot(redis_server)
        with redis_server.client() as redis:
            written = await asyncio.to_thread(Backup(redis, NAMESPACE).write, file)
    copied = await put_back(redis_server, past, file)
    assert copied == written and copied.next > 0 and copied.commits > 0 and copied.batches == copied.next
    await go_on(redis_server, past)


async def test_a_copy_that_follows_has_every_commit_however_it_ends(redis_server: RedisServer, tmp_path: Path) -> None:
    past, file, killed = await live(redis_server.url), tmp_path / "log", tmp_path / "killed"
    stop, begun = threading.Event(), threading.Event()
    with redis_server.client() as redis:
        backup = Backup(redis, NAMESPACE)
        following = asyncio.create_task(asyncio.to_thread(backup.follow, file, stop.is_set, lambda copied: begun.set()))
        await until(begun.is_set, "the copy does not begin")
        async with operator(redis_server.url, past.traffic, past.l1, batch_interval=0.05) as running:
            await continue_life(running, past)
            commits = running.sequencer.commit
        await until(lambda: _count(file, killed) == commits, "the copy does not follow")
        stop.set()
        assert (await following).commits == commits
    assert (await put_back(redis_server, past, killed)).commits == commits
    await go_on(redis_server, past)


def _count(file: Path, killed: Path) -> int:
    """Commits in the file as it is now, in the middle of being written."""
    shutil.copy(file, killed)
    return sum(1 for name, *_ in read_entries(killed) if name == "commit")


async def test_an_old_copy_goes_on_where_l1_is(redis_server: RedisServer, tmp_path: Path) -> None:
    past, file = await live(redis_server.url), tmp_path / "log"
    with redis_server.client() as redis:
        Backup(redis, NAMESPACE).write(file)
    async with operator(redis_server.url, past.traffic, past.l1, batch_interval=0.05) as running:
        await continue_life(running, past)
        while len(past.l1.posted) <= running.outbox.latest():
            past.l1.take(running.outbox)
    await put_back(redis_server, past, file)
    await go_on(redis_server, past)


async def test_what_is_no_whole_copy_of_this_log_is_refused(redis_server: RedisServer, tmp_path: Path) -> None:
    await live(redis_server.url)
    file, other = tmp_path / "log", tmp_path / "other"
    with redis_server.client() as redis:
        Backup(redis, NAMESPACE).write(file)
        with pytest.raises(ConfigError, match="not empty"):
            restore(redis, NAMESPACE, file)
        redis.flushall()
        with pytest.raises(ConfigError, match="another deployment"):
            restore(redis, "setoff:1:0x00", file)
        for content in (b"", b"no copy", file.read_bytes()[:-200], gzip.compress(b"\x93no"), gzip.compress(b"\xc1")):
            other.write_bytes(content)
            with pytest.raises(DataError):
                restore(redis, NAMESPACE, other)
            redis.flushall()


async def test_a_log_with_a_gap_is_not_copied(redis_server: RedisServer, tmp_path: Path) -> None:
    await live(redis_server.url)
    with redis_server.client() as redis:
        first, second, *_ = _list(redis)
        redis.xdel(f"{NAMESPACE}:journal", second)
        with pytest.raises(DataError, match="again and again"):
            Backup(redis, NAMESPACE).write(tmp_path / "log")
    assert first and not (tmp_path / "log").exists()


def _list(redis: Redis) -> list[str]:
    entries: list[tuple[bytes, object]] = redis.xrange(f"{NAMESPACE}:journal")  # type: ignore[assignment]
    return [identity.decode() for identity, _ in entries]
