"""What keeps a store from being written is named, by every look at it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.cli.commands.operator_status import look
from setoff.deploy.simulation.chaos.disk import Disk
from setoff.operator.monitor.alerting import find_all_problems
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.settings import Settings
from setoff.shared.config.store_health import find_store_problems
from setoff.shared.errors import ConfigError


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk")
    try:
        if not disk.is_small:
            pytest.skip("nothing can be mounted here")
        yield disk
    finally:
        disk.close()


@pytest.fixture
def operator(exchange: Exchange, tmp_path: Path) -> OperatorSettings:
    path = tmp_path / "deployment.json"
    exchange.deployment.save(path)
    return OperatorSettings(deployment=path, redis_dir=tmp_path / "disk" / "redis")


def test_a_full_disk_is_named_before_what_follows_from_it(disk: Disk, operator: OperatorSettings) -> None:
    with RedisServer.embed(operator.redis_dir):
        assert not any("disk" in problem for problem in look(operator).problems)
        disk.fill()
        first, *others = look(operator).problems
        assert first.startswith("the store's disk is full: 0.0 MB left at ") and others
        assert find_all_problems(operator, operator.load_deployment())[0] == first
    first, second = look(operator).problems
    assert "disk is full" in first and second.startswith("nothing runs: ")
    disk.clear()
    assert not find_store_problems(operator)


def test_a_server_without_room_is_named(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server, server.client() as redis:
        settings = Settings(redis_url=server.url)
        assert not find_store_problems(settings, redis)
        redis.set("much", bytes(4 * 10**6))
        redis.config_set("maxmemory", 5 * 10**6)
        (problem,) = find_store_problems(settings, redis)
        assert problem.startswith("the store is full: ") and "of its 5 MB" in problem


def test_a_server_that_may_not_be_asked_has_no_problem(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server, server.client() as redis:
        redis.execute_command("ACL SETUSER guest on >guest ~* +@all -info")
        with server.client(username="guest", password="guest") as guest:
            assert find_store_problems(Settings(redis_url=server.url), guest) == []


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process by what /proc tells of it")
def test_who_looks_at_a_stopped_server_soon_hears_that_it_does_not_answer(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server:
        with server.client() as redis:
            number = int(redis.info("server")["process_id"])
        os.kill(number, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(ConfigError, match="runs, but does not answer"):
                RedisServer.find(Settings(redis_dir=tmp_path))
            assert time.monotonic() - began < 30  # not the minute that a long log may take to load
        finally:
            os.kill(number, signal.SIGCONT)
