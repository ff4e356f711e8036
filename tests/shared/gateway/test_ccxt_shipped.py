"""The checks that ccxt ships for its unified methods, run against the gateway: what each method returns has to be as
ccxt says such things are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.support.gateways.ccxt_bot import SYMBOL, CcxtBot, ccxt_bot
from tests.support.gateways.ccxt_shipped import (
    FAILING,
    PRO,
    SHIPPED,
    SYNC,
    UNTRIED,
    WATCHING,
    Shipped,
    find_shipped,
    format_shipped,
    is_of_class,
    run_check,
)
from tests.support.gateways.gateway_town import MAKER, PRICE, GatewayTown
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


async def find_error(run: Callable[[], Any]) -> str:
    """What a check said against it, "" if it passed."""
    try:
        answer = run()
        if asyncio.iscoroutine(answer):
            await answer
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]} … {str(error)[-300:]}"
    return ""


async def find_in_thread(check: Shipped, bot: CcxtBot, without: str) -> str:
    """The same of one that waits for its answers."""
    before = bot.exchange.has
    bot.exchange.has = before | dict(check.has)
    try:
        return await asyncio.to_thread(lambda: asyncio.run(find_error(lambda: run_check(check, bot.exchange, without))))
    finally:
        bot.exchange.has = before


async def test_they_pass_where_the_table_says_so(town: GatewayTown) -> None:
    wrong: dict[str, str] = {}
    async with ccxt_bot(town, "sync") as bot:
        await fill_with_life(bot)
        for check in SHIPPED:
            if told := await find_in_thread(check, bot, check.without):
                wrong[check.module] = told
            members = check.without.split()
            for member in members:
                if not await find_in_thread(check, bot, " ".join(each for each in members if each != member)):
                    wrong[f"{check.module}, {member}"] = "passes with it, too"
        for failing in FAILING:
            told = await asyncio.to_thread(
                lambda failing=failing: asyncio.run(find_error(lambda: run_check(failing, bot.exchange)))
            )
            if failing.says not in told:
                wrong[failing.module] = told or "passes now"
    assert not wrong, "\n".join(f"{name}: {told}" for name, told in wrong.items())


@asynccontextmanager
async def stirring(bot: CcxtBot) -> AsyncIterator[None]:
    """Trades, orders and prices that move, as long as something is watched."""

    async def stir() -> None:
        step = 0
        while True:
            step = (step + 1) % 5
            async with bot.town.native(MAKER) as maker:
                await maker.cancel_all()
                await maker.place(1, SELL, PRICE + 20 + step, 1000)
                await maker.place(1, BUY, PRICE - 20 + step, 1000)
            await bot("createOrder", SYMBOL, "market", "buy", 0.02, PRICE)
            await bot("createOrder", SYMBOL, "market", "sell", 0.01, PRICE)
            await bot("cancelOrder", await bot.rest(), SYMBOL)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(stir())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_what_is_watched_passes_where_the_table_says_so(town: GatewayTown) -> None:
    async with ccxt_bot(town, "pro") as bot, stirring(bot):  # each looks for fifteen seconds, so all at once
        told = await asyncio.gather(
            *(find_error(lambda check=check: run_check(check, bot.exchange, check.without)) for check in WATCHING)
        )
    wrong = {check.module: said for check, said in zip(WATCHING, told, strict=True) if said}
    assert not wrong, "\n".join(f"{name}: {told}" for name, told in wrong.items())


def test_the_table_has_every_check_of_a_method_that_the_class_has() -> None:
    import ccxt.pro

    has = ccxt.pro.hyperliquid().has
    tabled = {f"{check.package}.test_{check.module}" for check in (*SHIPPED, *WATCHING, *FAILING)} | UNTRIED.keys()
    shipped = {
        f"{package}.test_{module}"
        for package in (SYNC, PRO)
        for module in find_shipped(package)
        if is_of_class(module, has)
    }
    assert tabled == shipped


@pytest.mark.parametrize("table", [format_shipped()], ids=["shipped"])
def test_the_page_has_their_table(table: str) -> None:
    assert table in PAGE.read_text(), f"put this into {PAGE}:\n{table}"
