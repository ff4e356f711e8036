"""What a killed owner left running."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.waiting import wait_until

from setoff.shared.config.redis_server import RedisServer


def stop_redis(folder: Path) -> None:
    """Stop the embedded server of `folder`, whoever started it."""
    server = RedisServer.embed(folder)
    with server.client() as redis:
        redis.shutdown(nosave=True)
    wait_until(lambda: not is_listening(server.url))


def is_listening(url: str) -> bool:
    """Whether somebody takes connections there."""
    where = urlsplit(url)
    with socket.socket() as line:
        return line.connect_ex((where.hostname, where.port)) == 0
