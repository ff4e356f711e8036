"""A bot on hyperliquid-python-sdk as it is: it is told the gateway's address, the agent's key, the owner's address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from tests.support.gateways.gateway_town import AGENT, GatewayTown, clear
from tests.support.waiting import wait_until

GTC: Any = {"limit": {"tif": "Gtc"}}
IOC: Any = {"limit": {"tif": "Ioc"}}
ALO: Any = {"limit": {"tif": "Alo"}}


@dataclass
class SdkBot:
    """`info` and `exchange` are the SDK's own; `user` is the account's address."""

    info: Any
    exchange: Any
    user: str
    town: GatewayTown

    def place(self, *order: Any, **more: Any) -> Any:
        """The status of one order: `exchange.order` of it."""
        return only(self.exchange.order(*order, **more))

    def clear(self) -> None:
        """Take every order back, close every position."""
        orders = self.info.open_orders(self.user)
        if orders:
            self.exchange.bulk_cancel([{"coin": order["coin"], "oid": order["oid"]} for order in orders])

    def close_all(self) -> None:
        """Take every order back, the other trader's too, and close the account's positions."""
        asyncio.run(clear(self.town))

    def native(self) -> Any:
        """The exchange's own view of the account."""
        return self.town.run_for(self.user, lambda client, name: client.account(name))

    def wait_for_fills(self) -> None:
        """Until the history has the account's last trade: until its fills add up to its positions."""

        def has_all() -> bool:
            sizes = {
                position["symbol"]: Decimal(position["decimal"]["size"]) for position in self.native()["positions"]
            }
            last: dict[str, Decimal] = {}
            for fill in self.fills():
                change = Decimal(fill["sz"]) * (1 if fill["side"] == "B" else -1)
                last[fill["coin"]] = Decimal(fill["startPosition"]) + change
            return all(last.get(name.removesuffix("-PERP"), 0) == size for name, size in sizes.items())

        wait_until(has_all, 300)

    def fills(self) -> list[Any]:
        """All of the account's that the gateway keeps, oldest first: it shows so many at once, as Hyperliquid does."""
        found: dict[int, Any] = {}
        since = 0
        while True:
            page = self.info.user_fills_by_time(self.user, since)
            more = {fill["tid"]: fill for fill in page if fill["tid"] not in found}
            if not more:
                return [found[number] for number in sorted(found)]
            found |= more
            since = max(fill["time"] for fill in page)


def only(answer: Any) -> Any:
    """The one status of an answer."""
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


@contextmanager
def sdk_bot(town: GatewayTown, *, key: bytes = AGENT, vault: str | None = None) -> Iterator[SdkBot]:
    """The bot, with its WebSocket open."""
    wallet = eth_account.Account.from_key(key)
    exchange = Exchange(wallet, town.url, account_address=town.owner, vault_address=vault, timeout=20)
    info = Info(town.url, skip_ws=False, timeout=20)
    try:
        yield SdkBot(info, exchange, vault or town.owner, town)
    finally:
        info.disconnect_websocket()
