"""A bot on ccxt as it is: its class `hyperliquid`, told the gateway's address, the agent's key, the owner's address."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
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


def _settings(town: GatewayTown) -> dict[str, Any]:
    urls = {"public": town.url, "private": town.url, "ws": {"public": town.socket_url}}
    keys = {"walletAddress": town.owner, "privateKey": "0x" + AGENT.hex()}
    return keys | {"urls": {"api": urls}, "enableRateLimit": False}


@asynccontextmanager
async def ccxt_bot(town: GatewayTown, flavour: str, *, is_alone: bool = True) -> AsyncIterator[CcxtBot]:
    """The bot, closed at the end; if `is_alone`, orders and positions in the town are, too."""
    exchange = importlib.import_module(FLAVOURS[flavour]).hyperliquid(_settings(town))
    bot = CcxtBot(town, exchange)
    try:
        await bot("loadMarkets")
        yield bot
    finally:
        if is_alone:
            await clear(town)
        if flavour != "sync":
            await exchange.close()


@contextmanager
def watching(town: GatewayTown, method: str, *arguments: Any, **params: Any) -> Iterator[list[Any]]:
    """What a `watch` method of ccxt pro tells meanwhile, all of it, by a bot in a thread of its own."""
    told: list[Any] = []
    loop = asyncio.new_event_loop()
    begun = threading.Event()

    async def watch() -> None:
        exchange = importlib.import_module(FLAVOURS["pro"]).hyperliquid(_settings(town))
        try:
            await exchange.load_markets()
            begun.set()
            while True:
                told.extend(await getattr(exchange, method)(*arguments, None, None, params))
        finally:
            await exchange.close()

    task = loop.create_task(watch())

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(30)
        yield told
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()
