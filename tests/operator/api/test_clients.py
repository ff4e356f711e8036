"""Who a client is: by address, by line where it is IPv6, and behind a trusted proxy by what that says."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.processes.running_operator import open_market, operator

from setoff.operator.api.admission import Admission
from setoff.operator.api.clients import Clients, name_client
from setoff.operator.api.doors import Doors
from setoff.shared.codec.records import BUY
from setoff.shared.config.networks import Networks
from setoff.shared.config.redis_server import RedisServer


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_and_of_ipv6_a_line(address: str, client: str) -> None:
    assert name_client(address) == client


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", ["192.0.2.7"], "198.51.100.1"),  # nobody who is trusted
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.5, 192.0.2.7"], "192.0.2.7"),  # what the client itself has put there
        ("10.0.0.1", ["203.0.113.5", "192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.5, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.1"),
        ("2001:db8::1", ["2001:db8:9:9::5"], "2001:db8:9:9::/64"),
        ("10.0.0.1", ["[2001:db8:9:9::5]:443"], "2001:db8:9:9::/64"),
        ("10.0.0.1", ["192.0.2.7:50123"], "192.0.2.7"),
    ],
)
def test_only_what_a_trusted_proxy_says_counts(peer: str, forwarded: Sequence[str], client: str) -> None:
    assert Clients("10.0.0.0/24, 2001:db8::1").find(peer, forwarded) == client


def test_the_setting_takes_addresses_and_networks() -> None:
    held = ["", "127.0.0.1", "10.0.0.0/8, ::1", "2001:db8::/32"]
    assert [Networks().holds(text) for text in held] == [True] * 4
    assert not any(Networks().holds(text) for text in ["proxy", "10.0.0.1/8", "127.0.0.1;::1", "10.0.0.0/40"])


@pytest.mark.parametrize(("trusted", "client"), [("127.0.0.1", "192.0.2.7"), ("127.0.0.2", "127.0.0.1")])
async def test_the_limits_hold_for_whom_the_proxy_names(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, trusted: str, client: str
) -> None:
    seen: list[str] = []
    really = Admission.submit

    async def submit(self: Admission, client: str, groups: Any) -> Any:
        seen.append(client)
        return await really(self, client, groups)

    monkeypatch.setattr(Admission, "submit", submit)
    async with operator(redis_server.url, trusted_proxies=trusted) as running:
        await open_market(running)
        seen.clear()
        order, headers = running.traffic.order(1, BUY, 90, 1), {"X-Forwarded-For": "203.0.113.5, 192.0.2.7"}
        async with running.http.post(f"{running.url}/v1/records/bulk", data=order, headers=headers) as answer:
            assert answer.status == 200
        assert seen == [client]


class Server:
    """What `Doors` stands before: it takes whoever is let in."""

    def connection_made(self, handler: Any, transport: Any) -> None:
        """See aiohttp's."""

    def connection_lost(self, handler: Any, error: Any) -> None:
        """See aiohttp's."""


class Handler:
    """Of one connection, as aiohttp has it."""

    def __init__(self, peername: tuple[str, int]) -> None:
        self.peername = peername
        self.is_closed = False


class Crowd:
    """Connects from addresses to a door."""

    def __init__(self, most: int, most_per_client: int, trusted: str = "") -> None:
        self.server: Any = Server()
        self.doors = Doors(self.server, most, most_per_client, Clients(trusted))
        self.open: list[tuple[str, Any]] = []

    def connect(self, address: str) -> bool:
        """Whether it is let in; who is closed goes at once."""
        handler = Handler((address, 1))
        self.open.append((address, handler))
        self.server.connection_made(handler, SimpleNamespace(abort=lambda: self._close(handler)))
        if not handler.is_closed:
            return True
        self.leave(address, handler)
        return False

    def leave(self, address: str, handler: Any = None) -> None:
        """A connection of an address ends, by default any."""
        place = next(place for place, one in enumerate(self.open) if one[0] == address and handler in (None, one[1]))
        self.server.connection_lost(self.open.pop(place)[1], None)

    def _close(self, handler: Any) -> None:
        handler.is_closed = True
        if handler is not self.open[-1][1]:  # one that was in
            self.leave(handler.peername[0], handler)


@pytest.mark.parametrize("count", [8, 32, 100])
def test_however_many_addresses_take_all_connections_that_they_get_others_get_theirs(count: int) -> None:
    crowd = Crowd(1024, 64)
    for _ in range(64):
        for number in range(count):
            crowd.connect(f"192.0.2.{number}")
    assert [crowd.connect("198.51.100.1") for _ in range(4)] == [True] * 4


def test_however_many_addresses_have_taken_all_connections_another_network_gets_its_share() -> None:
    """A thousand of them four each, of five networks; a provider's line of IPv6 is one network, too."""
    crowd = Crowd(1024, 64)
    addresses = [f"10.{number % 5}.{number // 250}.{number % 250}" for number in range(1_000)]
    for address in 4 * addresses:
        crowd.connect(address)
    assert len(crowd.open) == 1024
    assert not any(crowd.connect(address) for address in addresses[:50])  # nothing is left, but for others:
    assert all(crowd.connect(f"198.51.{number}.1") for number in range(100))
    assert all(crowd.connect(f"2001:db8:{number:x}::1") for number in range(100))
    assert crowd.doors.refused > 50 and len(crowd.open) == 1024
    for address, _ in list(crowd.open):
        crowd.leave(address)
    assert crowd.connect("10.0.0.1") and len(crowd.doors._networks) == 1


def test_connections_are_counted_by_line_and_those_of_a_proxy_in_all() -> None:
    crowd = Crowd(1024, 8, trusted="10.0.0.1")
    assert [crowd.connect(f"2001:db8::{number}") for number in range(1, 11)] == [True] * 8 + [False] * 2
    assert crowd.connect("2001:db8:0:1::1")
    assert all(crowd.connect("10.0.0.1") for _ in range(500))
