"""Before a watcher starts: it says what it waits for, and refuses settings with which it could lose."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1 import patience
from setoff.shared.params import DEVNET, MAINNET, PRESETS, Params
from setoff.watcher.preflight import ANSWER, check_preflight, wait_for_l1
from setoff.watcher.settings import WatcherSettings

DEAD = "http://user:secret@127.0.0.1:9"
"""Nothing listens there."""
KEY = dev_keys()[3].hex()


def terms_of(params: Params) -> Terms:
    return Terms(*params.terms())


@pytest.mark.parametrize("name", PRESETS)
def test_patience_that_the_clock_does_not_have_is_refused(name: str, settings: WatcherSettings) -> None:
    params = PRESETS[name]
    most = (params.challenge_period - params.needed_period) // 4
    replace(settings, deference=most).check_terms(terms_of(params))
    with pytest.raises(ConfigError, match="deference"):
        replace(settings, deference=most + 1).check_terms(terms_of(params))


def test_patience_at_terms_of_no_preset_is_bounded_by_their_clock(settings: WatcherSettings) -> None:
    terms = terms_of(replace(DEVNET, challenge_period=DEVNET.challenge_period + 40))
    replace(settings, deference=24).check_terms(terms)
    with pytest.raises(ConfigError, match="deference"):
        replace(settings, deference=25).check_terms(terms)


def test_a_watcher_without_patience_suits_all_terms(settings: WatcherSettings) -> None:
    settings.check_terms(terms_of(MAINNET))
    settings.check_terms(terms_of(replace(MAINNET, challenge_period=MAINNET.needed_period)))


def test_good_settings_start(settings: WatcherSettings) -> None:
    l1 = wait_for_l1(settings, threading.Event())
    assert l1 is not None
    check_preflight(replace(settings, key=KEY), l1)


def test_bad_settings_do_not(settings: WatcherSettings, exchange: Exchange, tmp_path: Path) -> None:
    never = threading.Event()
    with pytest.raises(ConfigError, match="no file"):
        wait_for_l1(replace(settings, deployment=tmp_path / "none.json"), never)
    l1 = wait_for_l1(settings, never)
    assert l1 is not None
    with pytest.raises(ConfigError, match="deference"):
        check_preflight(replace(settings, key=KEY, deference=2), l1)
    with pytest.raises(ConfigError, match=r"watcher\.key"):
        check_preflight(replace(settings, key="no key"), l1)
    replace(exchange.deployment, court=exchange.deployment.queue).save(settings.deployment)
    with pytest.raises(ConfigError, match="wrong_deployment"):
        check_preflight(settings, l1)
    replace(exchange.deployment, chain_id=5).save(settings.deployment)
    with pytest.raises(ConfigError, match="wrong_chain"):
        wait_for_l1(settings, never)


def test_waits_for_l1_and_says_so(settings: WatcherSettings, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    with caplog.at_level(logging.WARNING):
        waiting = threading.Thread(target=wait_for_l1, args=(replace(settings, rpc_url=DEAD), stop))
        waiting.start()
        try:
            wait_until(lambda: caplog.records, 10)
        finally:
            stop.set()
        waiting.join(10)
    assert not waiting.is_alive()
    (record,) = caplog.records
    assert "does not answer (127.0.0.1:9: " in record.getMessage()
    assert "secret" not in record.getMessage()


@pytest.mark.parametrize("nodes", [1, 3])
def test_nodes_that_say_nothing_at_all_are_told_of_as_soon(
    settings: WatcherSettings, caplog: pytest.LogCaptureFixture, nodes: int
) -> None:
    stop = threading.Event()
    with ExitStack() as stack, caplog.at_level(logging.WARNING):
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(nodes)]
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in silent]
        waiting = threading.Thread(target=wait_for_l1, args=(replace(settings, rpc_url=",".join(urls)), stop))
        begun = time.monotonic()
        waiting.start()
        try:
            wait_until(lambda: caplog.records, 30)
            assert time.monotonic() - begun < 2 * ANSWER
        finally:
            stop.set()
        waiting.join(30)
    (record,) = caplog.records
    assert all(url.removeprefix("http://") in record.getMessage() for url in urls)


def test_it_is_said_again_by_the_clock_however_long_a_try_takes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    stop = threading.Event()
    monkeypatch.setattr(patience, "PAUSE", 0.0)
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def fail() -> None:
        now[0] += 10  # a try, and the pause after it
        if now[0] > 100:
            stop.set()
        raise ChainError("rpc_unreachable", "somewhere: nothing")

    with caplog.at_level(logging.WARNING):
        assert patience.try_until(fail, stop) is None
    told = [record.getMessage() for record in caplog.records]
    assert [word for text in told for word in text.split() if word.isdigit()] == ["10", "40", "70", "100"]


def test_takes_the_node_as_soon_as_it_answers(settings: WatcherSettings, exchange: Exchange) -> None:
    os.kill(exchange.anvil.process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, exchange.anvil.process.pid, os.WSTOPPED | os.WNOWAIT)  # until all of its threads have
    found: list[object] = []
    waiting = threading.Thread(target=lambda: found.append(wait_for_l1(settings, threading.Event())))
    try:
        waiting.start()
        time.sleep(0.5)
        assert not found
    finally:
        os.kill(exchange.anvil.process.pid, signal.SIGCONT)
    waiting.join(20)
    assert found and found[0] is not None


def test_the_command_says_what_it_waits_for_and_what_to_do_and_ends_when_told(settings: WatcherSettings) -> None:
    command = [sys.executable, "-m", "setoff.deploy.cli", "watcher", "run"]
    command += ["--set", f"deployment={settings.deployment}", "--rpc", DEAD]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()  # the first there is
        for said in ("127.0.0.1:9", "It is waited for", "--rpc", "SETOFF_RPC_URL"):
            assert said in line, line
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def test_the_command_ends_with_code_1_where_no_wait_can_help(settings: WatcherSettings) -> None:
    command = [sys.executable, "-m", "setoff.deploy.cli", "watcher", "run"]
    command += ["--set", f"deployment={settings.deployment}", "--set", f"rpc_url={settings.rpc_url}"]
    command += ["--set", f"key={KEY}", "--set", "deference=9"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "setoff: bad_config: deference: 4·9 s" in ended.stderr
