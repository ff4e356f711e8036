"""The checks that ccxt ships for its unified methods, run against the gateway: what each method returns has to be as
ccxt says such things are."""

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest
from tests.support.gateways.ccxt_bot import SYMBOL, CcxtBot, ccxt_bot
from tests.support.gateways.ccxt_methods import SHIPPED, format_shipped
from tests.support.gateways.gateway_town import PRICE, GatewayTown
from tests.support.waiting import until

from setoff.shared.codec.records import BUY, SELL

PAGE = Path(__file__).resolve().parents[3] / "shared" / "gateway" / "COMPATIBILITY.md"


async def fill_with_life(bot: CcxtBot) -> None:
    """A book, a position, trades, an open and a cancelled order, and all of it in the history."""
    await bot.quote(SELL, PRICE + 20, 1000)
    await bot.quote(BUY, PRICE - 20, 1000)
    await bot("createOrder", SYMBOL, "market", "buy", 0.02, PRICE)
    await bot("createOrder", SYMBOL, "market", "sell", 0.01, PRICE)
    cancelled = await bot.rest(postOnly=True)
    await bot("cancelOrder", cancelled, SYMBOL)
    id = await bot.rest()

    async def is_there() -> bool:
        orders = await bot("fetchOrders", SYMBOL)
        return {id, cancelled} <= {order["id"] for order in orders} and bool(await bot("fetchOHLCV", SYMBOL))

    await until(is_there)


async def test_they_pass_where_the_table_says_so(town: GatewayTown) -> None:
    wrong: dict[str, str] = {}
    async with ccxt_bot(town, "sync") as bot:
        await fill_with_life(bot)
        for check in SHIPPED:
            name = f"test_{check.module}"
            run = getattr(importlib.import_module(f"ccxt.test.exchange.sync.{name}"), name)
            arguments: tuple[Any, ...] = {"symbol": (SYMBOL,), "code": ("USDC",), "": ()}[check.about]
            told = ""
            try:
                await asyncio.to_thread(run, bot.exchange, {}, *arguments)
            except Exception as error:
                told = f"{type(error).__name__}: {str(error)[-600:]}"
            if bool(told) != bool(check.why):
                wrong[check.module] = told or "passes now"
    assert not wrong, "\n".join(f"{name}: {told}" for name, told in wrong.items())


@pytest.mark.parametrize("table", [format_shipped()], ids=["shipped"])
def test_the_page_has_their_table(table: str) -> None:
    assert table in PAGE.read_text(), f"put this into {PAGE}:\n{table}"
