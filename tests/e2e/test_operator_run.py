"""`setoff operator run`: two processes under one supervisor, which starts again what ends."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import requests
from tests.support.chains.exchange import Exchange
from tests.support.processes.operator_run import addresses, operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.settings import Settings
from setoff.shared.l1.receipts import ReceiptsContract

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc, as Linux has it")


def find_part(process: int, name: str) -> int:
    """The number of the process that runs a part; 0 while there is none."""
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        if name in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
            return int(child)
    return 0


def test_a_part_that_is_killed_is_started_again_and_said(exchange: Exchange, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with operator(exchange, tmp_path) as running:
        wait_until(lambda: len(addresses(log)) == 1, 60)
        os.kill(find_part(running.pid, "sequencer"), signal.SIGKILL)
        wait_until(lambda: len(addresses(log)) == 2, 60)
        assert requests.get(f"{addresses(log)[1]}/v1/status", timeout=10).status_code == 200
        publisher = find_part(running.pid, "publisher")
        os.kill(publisher, signal.SIGKILL)
        wait_until(lambda: find_part(running.pid, "publisher") not in (0, publisher), 60)
        running.terminate()
        assert running.wait(30) == 0
    said = log.read_text()
    assert "the sequencer was ended by SIGKILL; it is started again in 1.0 s" in said
    assert "the publisher was ended by SIGKILL; it is started again in 1.0 s" in said
    assert [line.partition("supervisor: ")[2] for line in said.splitlines()[-3:]] == [
        f"the {name} has stopped" for name in ("publisher", "sequencer", "store")
    ]
    assert RedisServer.find(Settings(redis_dir=tmp_path / "redis")) is None


def test_the_store_outlives_its_parts_comes_back_and_ends_with_the_supervisor(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, settings = tmp_path / "log", Settings(redis_dir=tmp_path / "redis")
    with operator(exchange, tmp_path) as running:
        wait_until(lambda: "publisher: 0x" in log.read_text(), 60)
        store = RedisServer.find(settings)
        with store.client() as redis:
            redis.set("kept", "1")
            server = int(redis.info("server")["process_id"])
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: "the store ended with code 3; it is started again" in log.read_text(), 20)
        wait_until(lambda: RedisServer.find(settings) is not None, 20)
        again = RedisServer.find(settings)
        assert again is not None and again.url == store.url, "those who knew the address would not find it"
        with again.client() as redis:
            assert redis.get("kept") == b"1"
        url = addresses(log)[0]
        wait_until(lambda: requests.get(f"{url}/v1/health", timeout=10).status_code == 200, 30)
        assert len(addresses(log)) == 1, "the sequencer was not to be started again"
        words = [
            "operator",
            "status",
            f"--set=redis_dir={tmp_path / 'redis'}",
            f"--set=deployment={tmp_path / 'deployment.json'}",
        ]
        wait_until(lambda: main(words) == 0, 30, what="the status does not become well")
        told = capsys.readouterr().out
        assert "sequencer: alive" in told and "publisher: alive" in told and "health of the API: ready" in told
        assert main([*words, "--prometheus"]) == 0 and "setoff_operator_ready 1" in capsys.readouterr().out
        running.kill()
        running.wait()
        wait_until(lambda: not again.is_running, 20, what="the store outlives a killed supervisor")
    assert main(words) == 1 and "nothing runs: there is no store" in capsys.readouterr().out


def test_what_cannot_start_is_not_tried_for_ever(exchange: Exchange, tmp_path: Path) -> None:
    with operator(exchange, tmp_path, SETOFF_OPERATOR_HEARTBEAT="999999") as running:
        assert running.wait(60) == 2
    said = (tmp_path / "log").read_text()
    assert "the sequencer could not start, see above" in said and "heartbeat" in said


def test_a_second_operator_finds_its_port_taken_before_it_pays_a_bond(exchange: Exchange, tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    listen = f"127.0.0.1:{taken.getsockname()[1]}"
    with taken, operator(exchange, tmp_path, listen) as running:
        assert running.wait(60) == 2
    said = (tmp_path / "log").read_text()
    assert said.startswith(f"setoff: port_taken: listen: another process listens on {listen}\nnext: ")
    assert ReceiptsContract(exchange.operator, exchange.deployment.receipts).bond().held == 0
