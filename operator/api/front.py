"""A process of the API: `python -m setoff.operator.api.front LISTENING LINE`, started by `fronts.py` with two sockets.

It knows what comes over the line and no more, and ends with it: whoever keeps the line has ended, or has told it to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket as sockets
import sys
from typing import Final

from redis.exceptions import RedisError

from setoff.operator.api import loop
from setoff.operator.api.feed import Feed
from setoff.operator.api.server import start_server
from setoff.operator.bridge.channel import Channel, Message
from setoff.operator.bridge.remote import RemoteDesk
from setoff.operator.sequencer.journal import STORE_TIMEOUT
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.logs import set_up
from setoff.shared.config.redis_server import RedisServer

LIMITS: Final = (
    "max_waiting", "max_wait", "max_per_client", "max_connections", "max_connections_per_client", "max_body",
    "trusted_proxies", "history_url", "history_dir", "deployment", "console", "console_rpc_url", "console_blobs_url",
    "log_level", "log_format", "rpc_url",
)  # fmt: skip
"""Settings that a process of the API has to know."""
_READY_SECONDS: Final = 30.0


class _Line:
    """What comes first over the line makes the desk; all else is the desk's."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.desk: RemoteDesk | None = None
        self.is_set_up = asyncio.Event()
        self.settings = OperatorSettings()
        self.redis_url = ""

    def take(self, message: Message) -> None:
        """See `Channel`."""
        if self.desk is not None:
            self.desk.take(message)
            return
        _, settings, deployment, self.redis_url, is_alone = message
        self.settings = OperatorSettings(**json.loads(settings))
        self.deployment = Deployment.read(json.loads(deployment), "of the sequencer")
        self.desk = RemoteDesk(self.deployment, self.feed, is_alone=is_alone)
        self.desk.attach(self.channel)
        self.is_set_up.set()

    def lose(self) -> None:
        """See `Channel`."""
        if self.desk is None:
            os._exit(0)
        self.desk.lose()

    async def open(self, socket: sockets.socket) -> RemoteDesk:
        """The desk at the end of this line."""
        self.channel = Channel(self.take, self.lose)
        await asyncio.get_running_loop().create_connection(lambda: self.channel, sock=socket)
        async with asyncio.timeout(_READY_SECONDS):
            await self.is_set_up.wait()
        assert self.desk is not None
        return self.desk


async def serve(listening: sockets.socket, line_socket: sockets.socket) -> None:
    """Until the line's other end says stop, or is gone."""
    line = _Line()
    desk = await line.open(line_socket)
    set_up(line.settings, "api")
    line.feed.on_heard = desk.tell_heard
    with RedisServer(line.redis_url).client(
        socket_timeout=STORE_TIMEOUT, socket_connect_timeout=STORE_TIMEOUT
    ) as blocking:
        outbox = Outbox(blocking, line.deployment.namespace)
        runner = await start_server(desk, outbox, line.deployment, line.feed, line.settings, listening)
        desk.tell_up()
        await desk.stopped.wait()
        if desk.is_gone:
            await asyncio.sleep(0)  # what was told to those who wait goes out
            os._exit(1)
        with contextlib.suppress(RedisError, OSError):
            await runner.cleanup()


def main(arguments: list[str]) -> None:
    """Run it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are for who keeps the line, which then says stop
    listening, line = (sockets.socket(fileno=int(number)) for number in arguments)
    for socket in (listening, line):
        socket.setblocking(False)
    loop.run(serve(listening, line))


if __name__ == "__main__":
    main(sys.argv[1:])
