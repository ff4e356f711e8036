"""A whole watcher as processes: it keeps up, survives what is killed, stops when told, and never outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.errors import ConfigError
from setoff.watcher.monitor.status import describe_status
from setoff.watcher.pulse import ProcessStatus, read_status
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

pytestmark = pytest.mark.xdist_group("watcher processes")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def alive(desk: Desk, kind: str) -> list[ProcessStatus]:
    return [status for status in read_status(desk.store) if status.process.startswith(kind) and status.is_alive]


def post(exchange: Exchange, first: int, count: int) -> None:
    for number in range(first, first + count):
        exchange.post(number, 0)


@pytest.fixture
def watcher(settings: WatcherSettings) -> Iterator[Watcher]:
    with Watcher(replace(settings, workers=2)) as watcher:
        yield watcher


RUN = """
import sys
from pathlib import Path
from setoff.watcher.service import run_watcher
from setoff.watcher.settings import WatcherSettings
if __name__ == "__main__":
    deployment, rpc_url, redis_url = sys.argv[1:]
    run_watcher(WatcherSettings(deployment=Path(deployment), rpc_url=rpc_url, redis_url=redis_url, l1_poll=0.1))
"""


@contextmanager
def program(settings: WatcherSettings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A watcher that is a program of its own; what it says is in `folder/log`."""
    script = folder / "run.py"
    script.write_text(RUN)
    command = [sys.executable, str(script), str(settings.deployment), settings.rpc_url, settings.redis_url]
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_keeps_up_with_l1(exchange: Exchange, desk: Desk, watcher: Watcher) -> None:
    post(exchange, 0, 5)
    wait_until(lambda: desk.store.epoch_count() == 5)
    post(exchange, 5, 2)
    wait_until(lambda: desk.store.epoch_count() == 7)
    wait_until(lambda: len(alive(desk, "worker")) == 2)
    text = describe_status(read_status(desk.store))
    assert "follower" in text and "supervisor" in text
    wait_until(lambda: "snapshots_MB" in describe_status(read_status(desk.store)))
    wait_until(lambda: alive(desk, "follower")[0].facts.get("executed") == 7)


def test_a_player_tells_how_its_money_lasts(exchange: Exchange, desk: Desk, settings: WatcherSettings) -> None:
    with Watcher(replace(settings, key=dev_keys()[3].hex())):
        wait_until(lambda: any("capital" in status.facts for status in alive(desk, "challenger")))
        (facts,) = (status.facts for status in alive(desk, "challenger"))
        assert "ETH held" in facts["capital"] and facts["short"] is False
        assert "ETH held" in describe_status(read_status(desk.store))


@pytest.mark.parametrize("kind", ["follower", "worker"])
def test_killed_processes_are_started_again(exchange: Exchange, desk: Desk, watcher: Watcher, kind: str) -> None:
    post(exchange, 0, 2)
    wait_until(lambda: desk.store.epoch_count() == 2 and alive(desk, kind))
    killed = [status.facts["pid"] for status in alive(desk, kind)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    post(exchange, 2, 3)
    wait_until(lambda: desk.store.epoch_count() == 5)
    wait_until(lambda: any(status.facts["pid"] not in killed for status in alive(desk, kind)))
    wait_until(lambda: not any(status.facts["pid"] in killed for status in read_status(desk.store)))


def test_stops_with_all_its_processes(exchange: Exchange, desk: Desk, settings: WatcherSettings) -> None:
    with Watcher(settings) as watcher:
        wait_until(lambda: alive(desk, "follower") and alive(desk, "worker") and alive(desk, "archivist"))
        pids = [child.process.pid for child in watcher.children if child.process is not None]
    assert len(pids) == 4 and not any(pid is not None and is_running(pid) for pid in pids)
    assert read_status(desk.store) == []
    watcher.stop()


def test_idle_workers_wait_without_a_word(
    exchange: Exchange, desk: Desk, settings: WatcherSettings, tmp_path: Path
) -> None:
    """Longer than the client's usual patience with a server: the wait for jobs is not taken for a failure."""
    with program(settings, tmp_path):
        post(exchange, 0, 1)
        wait_until(lambda: desk.store.epoch_count() == 1)
        time.sleep(7)
        post(exchange, 1, 1)
        wait_until(lambda: desk.store.epoch_count() == 2)
    assert "ERROR" not in (tmp_path / "log").read_text()


def test_its_own_redis_is_started_again(exchange: Exchange, settings: WatcherSettings, tmp_path: Path) -> None:
    settings = replace(settings, redis_url="", redis_dir=tmp_path / "redis")
    with Watcher(settings) as watcher:
        desk = Desk(watcher.settings)
        post(exchange, 0, 2)
        wait_until(lambda: desk.store.epoch_count() == 2)
        os.kill(desk.store.redis.info("server")["process_id"], signal.SIGKILL)
        post(exchange, 2, 1)

        def is_done() -> bool:
            try:
                return desk.store.epoch_count() == 3
            except RedisError:
                return False

        wait_until(is_done)


def test_a_redis_that_cannot_start_is_tried_again_until_it_can(
    exchange: Exchange, settings: WatcherSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the disk is full: what it writes first cannot be written for a while."""
    settings = replace(settings, redis_url="", redis_dir=tmp_path / "redis")
    with Watcher(settings) as watcher:
        desk, log = Desk(watcher.settings), tmp_path / "redis" / "valkey.log"
        post(exchange, 0, 2)
        wait_until(lambda: desk.store.epoch_count() == 2)
        log.unlink()
        log.mkdir()
        os.kill(desk.store.redis.info("server")["process_id"], signal.SIGKILL)
        wait_until(lambda: sum("that failed" in record.message for record in caplog.records) > 1)
        log.rmdir()
        post(exchange, 2, 1)

        def is_done() -> bool:
            try:
                return desk.store.epoch_count() == 3
            except RedisError:
                return False

        wait_until(is_done)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ends_on_signals_and_leaves_nothing(
    exchange: Exchange, desk: Desk, settings: WatcherSettings, tmp_path: Path, number: signal.Signals
) -> None:
    with program(settings, tmp_path) as process:
        post(exchange, 0, 1)
        wait_until(lambda: desk.store.epoch_count() == 1 and alive(desk, "worker"))
        pids = [status.facts["pid"] for status in read_status(desk.store)]
        process.send_signal(number)
        code = process.wait(20)
        assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, pids)), 20)


def test_loses_the_server_that_its_processes_are_forked_from_and_goes_on(
    exchange: Exchange, desk: Desk, watcher: Watcher
) -> None:
    post(exchange, 0, 1)
    wait_until(lambda: desk.store.epoch_count() == 1 and len(alive(desk, "worker")) == 2)
    pids = [child.process.pid for child in watcher.children if child.process is not None and child.process.pid]
    (server,) = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids}
    os.kill(server, signal.SIGKILL)
    post(exchange, 1, 1)
    wait_until(lambda: not any(map(is_running, pids)), 20)
    wait_until(lambda: desk.store.epoch_count() == 2 and len(alive(desk, "worker")) == 2)


def test_refuses_what_cannot_work(settings: WatcherSettings) -> None:
    with pytest.raises(ConfigError, match="name"):
        replace(settings, name="a:b").check()
