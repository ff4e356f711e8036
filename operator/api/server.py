"""The interface on a listening socket: started with its limits, and ended in good order."""

from __future__ import annotations

import asyncio
import socket as sockets
from pathlib import Path
from typing import Final, cast

from aiohttp import web

from setoff.operator.api.address import refuse
from setoff.operator.api.admission import Admission
from setoff.operator.api.api import make_app
from setoff.operator.api.clients import CLIENTS, Clients
from setoff.operator.api.doors import IDLE_SECONDS, Doors, make_logger
from setoff.operator.api.feed import Feed
from setoff.operator.api.views.market_views import show_calling
from setoff.operator.api.views.new_names import follow_names
from setoff.operator.api.views.scales import Scales
from setoff.operator.bridge.desk import Desk
from setoff.operator.history.keeper import choose_url
from setoff.operator.history.queries import History
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.console.serving import Console

SHUTDOWN_SECONDS: Final = 5.0
BACKLOG: Final = 1024
"""Connections that wait to be accepted."""
RECEIVED: Final = 1 << 16
"""Bytes of a connection that the system takes in before they are read: more of them would only grow old there."""


async def start_server(
    desk: Desk, outbox: Outbox, deployment: Deployment, feed: Feed, settings: OperatorSettings, socket: sockets.socket
) -> web.AppRunner:
    """Serve on `socket`; the runner's `cleanup` ends it."""
    scales = feed.scales = Scales(deployment.names, lambda: desk.exchange)
    feed.show_auctions = lambda: show_calling(scales, desk.exchange)
    history = History(choose_url(settings, deployment))
    admission = Admission(desk, deployment.domain, settings)
    app = make_app(desk, outbox, deployment, admission, feed, scales, history, settings.max_body)
    app.add_routes(Console(settings, "operator").routes())
    names = asyncio.create_task(follow_names(Path(settings.deployment), deployment, scales))

    async def stop_names(_: web.Application) -> None:
        names.cancel()

    app.on_cleanup.append(stop_names)
    clients = app[CLIENTS] = Clients(settings.trusted_proxies)
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=IDLE_SECONDS,
        auto_decompress=False,  # a small body may be a large one unpacked
        logger=make_logger(),
    )
    await runner.setup()
    Doors(cast(web.Server, runner.server), settings.max_connections, settings.max_connections_per_client, clients)
    await web.SockSite(runner, socket, backlog=BACKLOG).start()
    return runner


def listen(host: str, port: int) -> sockets.socket:
    """A listening socket there. Raises ConfigError, "port_taken" if another process has it."""
    try:
        family, kind, protocol, _, address = sockets.getaddrinfo(
            host, port, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE
        )[0]
        socket = sockets.socket(family, kind, protocol)
        try:
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, RECEIVED)
            socket.bind(address)
            socket.listen(BACKLOG)
            socket.setblocking(False)
        except OSError:
            socket.close()
            raise
    except OSError as error:
        raise refuse(host, port, error) from None
    return socket
