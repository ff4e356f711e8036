"""A bot on hyperliquid-python-sdk as it is: it is told the gateway's address, the agent's key, the owner's address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from tests.support.gateways.gateway_town import AGENT, GatewayTown
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

    def wait_for_history(self) -> None:
        """Until the history has every order that is open."""
        wait_until(lambda: all(self.info.query_order_by_oid(self.user, order["oid"])["status"] == "order"
                               for order in self.info.open_orders(self.user)))  # fmt: skip


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
