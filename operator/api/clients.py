"""Who a client is: an address on the network, behind a proxy that is trusted the one that the proxy names.

Of IPv6 the first 64 bits count: a line has all addresses that begin with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import web

from setoff.shared.config.networks import parse_networks

FORWARDED: Final = "X-Forwarded-For"
"""The header in which each proxy puts the address that it was asked from behind those that it was told."""
_LINE_BITS: Final = 64
_NETWORK_BITS: Final = {4: 16, 6: 32}


class Clients:
    """Tells the clients of one server apart."""

    def __init__(self, trusted: str) -> None:
        """Proxies that are trusted: see `parse_networks`. Raises ValueError."""
        self._trusted = parse_networks(trusted)

    def is_trusted(self, peer: str) -> bool:
        """Whether it is the address of such a proxy."""
        address = _read(peer) if self._trusted else None
        return address is not None and any(address in network for network in self._trusted)

    def find(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client of a request from the address `peer` with these headers FORWARDED: whoever the last proxy that is
        trusted was asked by. What others put there counts for nothing."""
        if not self.is_trusted(peer):
            return name_client(peer)
        for named in reversed(",".join(forwarded).split(",")):
            text = _strip_port(named.strip())
            if _read(text) is None:
                break
            if not self.is_trusted(text):
                return name_client(text)
        return name_client(peer)


CLIENTS: Final = web.AppKey("clients", Clients)
"""Where a server has them."""


def get_client(request: web.Request) -> str:
    """Who asks."""
    return request.app[CLIENTS].find(request.remote or "", request.headers.getall(FORWARDED, ()))


@lru_cache(10_000)
def name_client(address: str) -> str:
    """What counts as one client: an address of IPv4, of IPv6 its first 64 bits."""
    read = _read(address)
    if not isinstance(read, IPv6Address):
        return address if read is None else str(read)
    first = int(read) >> _LINE_BITS << _LINE_BITS
    return f"{IPv6Address(first)}/{_LINE_BITS}"


@lru_cache(10_000)
def name_network(client: str) -> str:
    """The network that a client is of, by its name: of IPv4 the first 16 bits, of IPv6 the first 32: as much as one
    provider has. What is no address is one for itself."""
    read = _read(client.partition("/")[0])
    if read is None:
        return client
    bits = _NETWORK_BITS[read.version]
    rest = read.max_prefixlen - bits
    return f"{type(read)(int(read) >> rest << rest)}/{bits}"


@lru_cache(10_000)
def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _strip_port(text: str) -> str:
    """Some proxies name the port, too."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
