"""Who may connect: so many at once, in all and from one address, and what a connection that says nothing is worth.

aiohttp tells its server of every connection that is made and lost; here it is counted on the way, and what is too much
is closed at once, before it has cost more than its acceptance. The fewer are left, the fewer one client may have: never
more than are free, so that however many take all that they get, something is left for whoever comes. Where a great many
addresses have taken all, the networks share (`clients.py`): who comes from one that has fewer than the one with most
gets in, for the newest connection of that: to keep anybody out takes as many networks as there are connections. A
connection without a complete request is closed after a while by aiohttp itself (`IDLE_SECONDS`), a slow one as well as
a silent one.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections import Counter
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from setoff.operator.api.clients import Clients, name_client, name_network

IDLE_SECONDS: Final = 75.0
"""Seconds after which a connection without a request is closed."""
FEW: Final = 4
"""Connections that a client may have while any are free."""
LOOK_SECONDS: Final = 0.1
"""For which the size of the largest network is known: to find it takes a part of a millisecond."""
RESERVED: Final = 128
"""Descriptors that are not for clients: L1, the store, files."""

log = logging.getLogger(__name__)


class Doors:
    """Counts the connections of a server, and closes those that are too many."""

    def __init__(self, server: web.Server, most: int, most_per_client: int, clients: Clients) -> None:
        """At most so many connections, fewer where the process may not have as many descriptors. Those of trusted
        proxies, which are many clients', are bounded in all alone."""
        self.most = min(most, max(1, raise_descriptors() - RESERVED))
        self.refused = 0
        self._most_per_client = most_per_client
        self._clients = clients
        self._inside: Counter[str] = Counter()
        self._networks: dict[str, dict[web.RequestHandler, asyncio.Transport]] = {}
        self._count = 0
        self._looked_at, self._largest = 0.0, 0
        self._made, self._lost = server.connection_made, server.connection_lost
        for name, method in (("connection_made", self._let_in), ("connection_lost", self._let_out)):
            setattr(server, name, method)

    def _let_in(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        address = _get_address(handler)
        client = name_client(address)
        is_over = not self._clients.is_trusted(address) and self._inside[client] >= self._find_most()
        self._count += 1
        self._inside[client] += 1
        if is_over or (self._count > self.most and not self._make_room(client)):
            self.refused += 1
            transport.abort()
        elif not self._clients.is_trusted(address):
            self._networks.setdefault(name_network(client), {})[handler] = transport
        self._made(handler, transport)

    def _make_room(self, client: str) -> bool:
        """For a client's connection, where there is none: whether another was closed for it."""
        now, mine = time.monotonic(), len(self._networks.get(name_network(client), ()))
        if not self._networks or (now < self._looked_at + LOOK_SECONDS and mine + 2 > self._largest):
            return False
        largest = max(self._networks.values(), key=len)
        self._looked_at, self._largest = now, len(largest)
        if mine + 2 > self._largest:
            return False
        _, transport = largest.popitem()
        transport.abort()
        return True

    def _let_out(self, handler: web.RequestHandler, error: BaseException | None = None) -> None:
        client = name_client(_get_address(handler))
        network = name_network(client)
        if (inside := self._networks.get(network)) is not None:
            inside.pop(handler, None)
            if not inside:
                del self._networks[network]
        self._count -= 1
        self._inside[client] -= 1
        if not self._inside[client]:
            del self._inside[client]
        self._lost(handler, error)

    def _find_most(self) -> int:
        """Connections that one client may have now."""
        return min(self._most_per_client, max(FEW, self.most - self._count))


def raise_descriptors() -> int:
    """Let this process have as many descriptors as it may; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def make_logger() -> logging.Logger:
    """For aiohttp: what is wrong with a client's request is the client's affair, and no traceback here."""
    logger = logging.getLogger("setoff.http")
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _get_address(handler: web.RequestHandler) -> str:
    peer = handler.peername
    return str(peer[0]) if isinstance(peer, tuple) else ""
