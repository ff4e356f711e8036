"""A bot on ccxt as it is: its class `hyperliquid`, told the gateway's address, the agent's key, the owner's address."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, Final

from tests.support.gateways.gateway_town import AGENT, MAKER, PRICE, GatewayTown, clear

FLAVOURS: Final = {"sync": "ccxt", "async": "ccxt.async_support", "pro": "ccxt.pro"}
"""The modules of ccxt's three ways, imported when one is asked for: each takes a second."""
SYMBOL: Final = "BTC/USDC:USDC"
"""What ccxt calls the first market: it knows no other currency than USDC there."""
CLOID: Final = "0x" + "c1" * 16


class CcxtBot:
    """Calls unified methods by their names, whichever way they answer."""

    def __init__(self, town: GatewayTown, exchange: Any) -> None:
        self.town = town
        self.exchange = exchange

    async def __call__(self, method: str, *arguments: Any) -> Any:
        """What a unified method returns."""
        answer = getattr(self.exchange, method)(*arguments)
        return await answer if isawaitable(answer) else answer

    async def rest(self, price: int = PRICE - 1000, **more: Any) -> str:
        """The id of a buy order far below."""
        order = await self("createOrder", SYMBOL, "limit", "buy", 0.01, price, more)
        return str(order["id"])

    async def quote(self, side: int, price: int, lots: int = 100) -> None:
        """A resting order of the other trader."""
        async with self.town.native(MAKER) as client:
            await client.place(1, side, price, lots)


@asynccontextmanager
async def ccxt_bot(town: GatewayTown, flavour: str) -> AsyncIterator[CcxtBot]:
    """The bot, closed at the end."""
    urls = {"public": town.url, "private": town.url, "ws": {"public": town.socket_url}}
    settings = {"walletAddress": town.owner, "privateKey": "0x" + AGENT.hex(), "urls": {"api": urls}}
    exchange = importlib.import_module(FLAVOURS[flavour]).hyperliquid(settings | {"enableRateLimit": False})
    bot = CcxtBot(town, exchange)
    try:
        await bot("loadMarkets")
        yield bot
    finally:
        await clear(town)
        if flavour != "sync":
            await exchange.close()
