"""ccxt's unified methods, each called once as a bot does: what works through the gateway, and what does not and why.

The table of the gateway's page is made of this (`format_table`), and a test holds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tests.support.gateways.ccxt_bot import CLOID, SYMBOL, CcxtBot
from tests.support.gateways.gateway_town import PRICE
from tests.support.waiting import until

from setoff.shared.codec.records import SELL


class Method(NamedTuple):
    """A unified method: `call` does with it what a bot does, and checks what came of it; `why`: what is to be known."""

    name: str
    call: Callable[[CcxtBot], Awaitable[None]]
    why: str = ""


class Refused(NamedTuple):
    """One that there is nothing for: the error that ccxt makes of the answer, what it says, and why."""

    name: str
    arguments: tuple[Any, ...]
    error: str
    says: str
    why: str


def _asking(name: str, *arguments: Any, holds: Callable[[Any], bool] = lambda answer: True) -> Method:
    async def call(bot: CcxtBot) -> None:
        answer = await bot(name, *arguments)
        assert holds(answer), answer

    return Method(name, call)


def _method(why: str = "") -> Callable[[Callable[[CcxtBot], Awaitable[None]]], Method]:
    def make(call: Callable[[CcxtBot], Awaitable[None]]) -> Method:
        first, *rest = call.__name__.strip("_").split("_")
        return Method(first + "".join(word.capitalize() for word in rest), call, why)

    return make


async def _native(bot: CcxtBot) -> Any:
    async with bot.town.native() as client:
        return await client.account()


async def _own(bot: CcxtBot, id: str) -> Any:
    """The exchange's own view of an order."""
    return next((order for order in (await _native(bot))["orders"] if order["client"] == id), None)


async def _trade(bot: CcxtBot) -> str:
    """The id of an order that has bought 0.01."""
    await bot.quote(SELL, PRICE + 10)
    order = await bot("createOrder", SYMBOL, "market", "buy", 0.01, PRICE)
    assert (order["filled"], order["average"]) == (0.01, PRICE + 10)
    return str(order["id"])


# --- orders ---------------------------------------------------------------------------------------------------------


@_method()
async def _create_order(bot: CcxtBot) -> None:
    own = await _own(bot, await bot.rest())
    assert (own["price"], own["size"], own["flags"]) == (PRICE - 1000, "100", "gtc")
    post_only = await _own(bot, await bot.rest(postOnly=True))
    assert post_only["flags"] == "post_only"
    await _trade(bot)


@_method()
async def _create_limit_order(bot: CcxtBot) -> None:
    order = await bot("createLimitOrder", SYMBOL, "buy", 0.01, PRICE - 1000)
    assert await _own(bot, order["id"])


@_method()
async def _create_market_order(bot: CcxtBot) -> None:
    await bot.quote(SELL, PRICE + 10)
    assert (await bot("createMarketOrder", SYMBOL, "buy", 0.01, PRICE))["filled"] == 0.01


@_method()
async def _create_orders(bot: CcxtBot) -> None:
    wanted = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": PRICE - 1000 - i, "params": {}}
        for i in range(5)
    ]
    ids = [order["id"] for order in await bot("createOrders", wanted)]
    assert {order["client"] for order in (await _native(bot))["orders"]} == set(ids) and len(ids) == 5


@_method("the closing orders are armed at once, reduce-only, and one takes the other out")
async def _create_order_with_take_profit_and_stop_loss(bot: CcxtBot) -> None:
    await bot.quote(SELL, PRICE + 10)
    terms = {"takeProfitType": "market", "stopLossType": "market"}
    limits = {"takeProfitLimitPrice": PRICE + 900, "stopLossLimitPrice": PRICE - 900}
    order = (SYMBOL, "limit", "buy", 0.01, PRICE + 10, PRICE + 900, PRICE - 900)
    await bot("createOrderWithTakeProfitAndStopLoss", *order, terms | limits)
    armed = [order for order in (await _native(bot))["orders"] if order["trigger"]]
    assert sorted(next(iter(order["trigger"])) for order in armed) == ["above", "below"]
    assert all(order["reduce_only"] and order["side"] == "sell" for order in armed)


@_method()
async def _create_reduce_only_order(bot: CcxtBot) -> None:
    await _trade(bot)
    order = await bot("createReduceOnlyOrder", SYMBOL, "limit", "sell", 0.01, PRICE + 500)
    assert (await _own(bot, order["id"]))["reduce_only"]


@_method()
async def _create_stop_order(bot: CcxtBot) -> None:
    order = await bot("createStopOrder", SYMBOL, "market", "sell", 0.01, PRICE - 500, PRICE - 500)
    assert (await _own(bot, order["id"]))["trigger"] == {"below": PRICE - 500}


@_method()
async def _create_trigger_order(bot: CcxtBot) -> None:
    order = await bot("createTriggerOrder", SYMBOL, "limit", "buy", 0.01, PRICE + 600, PRICE + 500)
    own = await _own(bot, order["id"])
    assert (own["trigger"], own["price"]) == ({"above": PRICE + 500}, PRICE + 600)


@_method("its number stays where price and size alone change")
async def _edit_order(bot: CcxtBot) -> None:
    id = await bot.rest()
    edited = await bot("editOrder", id, SYMBOL, "limit", "buy", 0.02, PRICE - 900)
    assert edited["id"] == id and (await _own(bot, id))["price"] == PRICE - 900


@_method()
async def _edit_orders(bot: CcxtBot) -> None:
    ids = [await bot.rest(PRICE - 1000 - i) for i in range(2)]
    wanted = [
        {"id": id, "symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.03, "price": PRICE - 800, "params": {}}
        for id in ids
    ]
    assert [order["id"] for order in await bot("editOrders", wanted)] == ids
    assert [(await _own(bot, id))["size"] for id in ids] == ["300", "300"]


@_method()
async def _cancel_order(bot: CcxtBot) -> None:
    id = await bot.rest()
    await bot("cancelOrder", id, SYMBOL)
    assert await _own(bot, id) is None
    await bot.rest(clientOrderId=CLOID)
    await bot("cancelOrder", None, SYMBOL, {"clientOrderId": CLOID})
    assert not (await _native(bot))["orders"]


@_method()
async def _cancel_orders(bot: CcxtBot) -> None:
    ids = [await bot.rest(PRICE - 1000 - i) for i in range(3)]
    assert len(await bot("cancelOrders", ids, SYMBOL)) == 3
    assert not (await _native(bot))["orders"]


@_method()
async def _cancel_orders_for_symbols(bot: CcxtBot) -> None:
    ids = [await bot.rest(PRICE - 1000 - i) for i in range(2)]
    await bot("cancelOrdersForSymbols", [{"id": id, "symbol": SYMBOL} for id in ids])
    assert not (await _native(bot))["orders"]


@_method("the dead-man's switch, by the exchange's clock")
async def _cancel_all_orders_after(bot: CcxtBot) -> None:
    await bot("cancelAllOrdersAfter", 60_000)
    assert (await _native(bot))["deadline"] > 0
    async with bot.town.native() as client:
        await client.schedule_cancel(0)


@_method()
async def _fetch_order(bot: CcxtBot) -> None:
    id = await bot.rest(clientOrderId=CLOID)
    for asked in (id, CLOID):
        order = await bot("fetchOrder", asked, SYMBOL)
        assert (order["id"], order["status"], order["price"], order["clientOrderId"]) == (
            id,
            "open",
            PRICE - 1000,
            CLOID,
        )


@_method()
async def _fetch_open_orders(bot: CcxtBot) -> None:
    id = await bot.rest()
    assert [order["id"] for order in await bot("fetchOpenOrders", SYMBOL)] == [id]


def _past(name: str, status: str) -> Method:
    async def call(bot: CcxtBot) -> None:
        id = await _trade(bot) if status == "closed" else await bot.rest()
        if status == "canceled":
            await bot("cancelOrder", id, SYMBOL)

        async def is_there() -> bool:
            return any(order["id"] == id and order["status"] == status for order in await bot(name, SYMBOL))

        await until(is_there)

    return Method(name, call)


# --- the account ----------------------------------------------------------------------------------------------------


@_method("the collateral is called USDC, whatever it is")
async def _fetch_balance(bot: CcxtBot) -> None:
    balance = await bot("fetchBalance")
    assert Decimal(str(balance["USDC"]["total"])) == Decimal((await _native(bot))["decimal"]["equity"])


@_method()
async def _fetch_positions(bot: CcxtBot) -> None:
    await _trade(bot)
    (position,) = await bot("fetchPositions", [SYMBOL])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, PRICE + 10)


@_method()
async def _fetch_position(bot: CcxtBot) -> None:
    await _trade(bot)
    position = await bot("fetchPosition", SYMBOL)
    assert (position["side"], position["contracts"], position["marginMode"]) == ("long", 0.01, "cross")


def _fills(name: str, why: str = "") -> Method:
    async def call(bot: CcxtBot) -> None:
        id = await _trade(bot)

        async def is_there() -> bool:
            return any(trade["order"] == id and trade["amount"] == 0.01 for trade in await bot(name, SYMBOL))

        await until(is_there)

    return Method(name, call, why)


@_method("a leverage below the market's is held by the gateway")
async def _set_leverage(bot: CcxtBot) -> None:
    await bot("setLeverage", 5, SYMBOL)
    await bot("setLeverage", 20, SYMBOL)


@_method("cross alone; isolated is refused")
async def _set_margin_mode(bot: CcxtBot) -> None:
    await bot("setMarginMode", "cross", SYMBOL, {"leverage": 20})


@_method()
async def _fetch_trading_fee(bot: CcxtBot) -> None:
    fee = await bot("fetchTradingFee", SYMBOL)
    assert (fee["taker"], fee["maker"]) == (0.0005, -0.0001)


@_method()
async def _fetch_order_book(bot: CcxtBot) -> None:
    await bot.rest()
    assert (await bot("fetchOrderBook", SYMBOL))["bids"][0] == [PRICE - 1000, 0.01]


@_method()
async def _fetch_ohlcv(bot: CcxtBot) -> None:
    await _trade(bot)

    async def is_there() -> bool:
        candles = await bot("fetchOHLCV", SYMBOL, "1m")
        return bool(candles) and candles[-1][4] == PRICE + 10

    await until(is_there)


METHODS: Final = (
    _asking("fetchStatus", holds=lambda status: status["status"] == "ok"),
    _asking("fetchTime", holds=lambda time: time > 1_700_000_000_000),
    _asking("fetchCurrencies"),
    _asking("fetchMarkets", holds=lambda markets: markets[0]["symbol"] == SYMBOL),
    _asking("fetchTicker", SYMBOL, holds=lambda ticker: Decimal(ticker["info"]["markPx"]) > 0),
    _asking("fetchTickers", holds=lambda tickers: SYMBOL in tickers),
    _fetch_order_book,
    _asking("fetchL2OrderBook", SYMBOL, holds=lambda book: book["symbol"] == SYMBOL),
    _fetch_ohlcv._replace(name="fetchOHLCV"),
    _fills("fetchTrades", "of the account, as everywhere in this class of ccxt"),
    _asking("fetchFundingRate", SYMBOL, holds=lambda rate: rate["indexPrice"] > 0),
    _asking("fetchFundingRates", holds=lambda rates: SYMBOL in rates),
    _asking("fetchFundingRateHistory", SYMBOL),
    _asking("fetchOpenInterest", SYMBOL, holds=lambda interest: interest["openInterestAmount"] >= 0),
    _asking("fetchOpenInterests", holds=lambda interests: SYMBOL in interests),
    _create_order,
    _create_limit_order,
    _create_market_order,
    _create_orders,
    _create_order_with_take_profit_and_stop_loss,
    _create_reduce_only_order,
    _create_stop_order,
    _create_trigger_order,
    _edit_order,
    _edit_orders,
    _cancel_order,
    _cancel_orders,
    _cancel_orders_for_symbols,
    _cancel_all_orders_after,
    _fetch_order,
    _fetch_open_orders,
    _past("fetchOrders", "closed"),
    _past("fetchClosedOrders", "closed"),
    _past("fetchCanceledOrders", "canceled"),
    _past("fetchCanceledAndClosedOrders", "canceled"),
    _fetch_balance,
    _fetch_position,
    _fetch_positions,
    _fills("fetchMyTrades"),
    _asking("fetchMyLiquidations", SYMBOL),
    _asking("fetchFundingHistory", SYMBOL),
    _fetch_trading_fee,
    _asking("fetchLedger", holds=lambda entries: entries[0]["type"] == "deposit"),
    _asking("fetchDeposits", holds=lambda deposits: deposits[0]["amount"] == 1_000_000),
    _asking("fetchWithdrawals", holds=lambda withdrawals: withdrawals == []),
    _set_leverage,
    _set_margin_mode,
)

_CROSS: Final = "Cross margin is all that there is"
_MONEY: Final = "Money is moved by the owner's key"
REFUSED: Final = (
    Refused("addMargin", (SYMBOL, 1), "ExchangeError", _CROSS, "margin is cross"),
    Refused("reduceMargin", (SYMBOL, 1), "ExchangeError", _CROSS, "margin is cross"),
    Refused("transfer", ("USDC", 1, "spot", "swap"), "ExchangeError", _MONEY, "an agent's key moves no money"),
    Refused("withdraw", ("USDC", 1, "0x" + "12" * 20), "ExchangeError", _MONEY, "an agent's key moves no money"),
    Refused("fetchDepositWithdrawFee", ("USDC",), "NotSupported", "", "ccxt has none for this exchange"),
)


# --- over its WebSocket ---------------------------------------------------------------------------------------------


def _watching(name: str, arguments: tuple[Any, ...], happen: Callable[[CcxtBot], Awaitable[Any]],
              holds: Callable[[Any], bool], why: str = "") -> Method:  # fmt: skip
    async def call(bot: CcxtBot) -> None:
        async with asyncio.timeout(20):
            first = asyncio.create_task(bot(name, *arguments))
            await asyncio.sleep(0.5)
            await happen(bot)
            answer = await first
            while not holds(answer):
                answer = await bot(name, *arguments)
        undo = "un" + name[0].upper() + name[1:]
        if bot.exchange.has.get(undo):
            await bot(undo, *(() if undo in WHOLE else arguments))

    return Method(name, call, why)


@_method()
async def _create_order_ws(bot: CcxtBot) -> None:
    order = await bot("createOrderWs", SYMBOL, "limit", "buy", 0.01, PRICE - 1000)
    assert await _own(bot, order["id"])


@_method()
async def _create_limit_order_ws(bot: CcxtBot) -> None:
    order = await bot("createLimitOrderWs", SYMBOL, "buy", 0.01, PRICE - 1000)
    assert await _own(bot, order["id"])


@_method()
async def _create_market_order_ws(bot: CcxtBot) -> None:
    await bot.quote(SELL, PRICE + 10)
    assert (await bot("createMarketOrderWs", SYMBOL, "buy", 0.01, PRICE))["filled"] == 0.01


@_method()
async def _create_orders_ws(bot: CcxtBot) -> None:
    wanted = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": PRICE - 1000, "params": {}}
    orders = await bot("createOrdersWs", [wanted, wanted | {"price": PRICE - 999}])
    assert len({order["id"] for order in orders}) == 2


@_method()
async def _edit_order_ws(bot: CcxtBot) -> None:
    id = await bot.rest()
    await bot("editOrderWs", id, SYMBOL, "limit", "buy", 0.02, PRICE - 900)
    assert (await _own(bot, id))["size"] == "200"


@_method()
async def _cancel_order_ws(bot: CcxtBot) -> None:
    id = await bot.rest()
    await bot("cancelOrderWs", id, SYMBOL)
    assert await _own(bot, id) is None


@_method()
async def _cancel_orders_ws(bot: CcxtBot) -> None:
    ids = [await bot.rest(PRICE - 1000 - i) for i in range(2)]
    await bot("cancelOrdersWs", ids, SYMBOL)
    assert not (await _native(bot))["orders"]


WHOLE: Final = ("unWatchOrders", "unWatchPositions", "unWatchMyTrades")
"""What ccxt unsubscribes from for all markets alone."""


async def _nothing(bot: CcxtBot) -> None:
    """What is told at once."""


def _has_trade(trades: Any) -> bool:
    return bool(trades[-1]["price"] == PRICE + 10)


WATCHED: Final = (
    _watching("watchOrderBook", (SYMBOL,), CcxtBot.rest, lambda book: book["bids"][:1] == [[PRICE - 1000, 0.01]]),
    _watching("watchTicker", (SYMBOL,), _nothing, lambda ticker: Decimal(ticker["info"]["markPx"]) > 0),
    _watching("watchTickers", ([SYMBOL],), _nothing, lambda tickers: SYMBOL in tickers),
    _watching("watchTrades", (SYMBOL,), _trade, _has_trade),
    _watching("watchOHLCV", (SYMBOL, "1m"), _trade, lambda candles: candles[-1][4] == PRICE + 10),
    _watching("watchMyTrades", (SYMBOL,), _trade, _has_trade),
    _watching("watchOrders", (SYMBOL,), CcxtBot.rest, lambda orders: orders[-1]["status"] == "open"),
    _watching("watchBalance", (), _trade, lambda balance: balance["USDC"]["total"] > 0),
    _watching("watchPositions", ([SYMBOL],), _trade, lambda found: found[-1]["contracts"] == 0.01),
    _create_order_ws,
    _create_limit_order_ws,
    _create_market_order_ws,
    _create_orders_ws,
    _edit_order_ws,
    _cancel_order_ws,
    _cancel_orders_ws,
)
BEFALLING: Final = {
    "watchMyLiquidations": "told when the account's liquidations are",
    "watchMyLiquidationsForSymbols": "the same",
}
"""What tells of liquidations: shown where an account is liquidated, `test_what_befalls_an_account.py`."""
ABSENT: Final = {"fetchCurrenciesWs": "ccxt's `has` names it, its class has no such method"}


def format_table() -> str:
    """The table of the gateway's page."""
    lines = ["| ccxt | | |", "|---|---|---|"]
    lines += [f"| `{method.name}` | works | {method.why} |" for method in METHODS]
    lines += [f"| `{refused.name}` | refused | {refused.why} |" for refused in REFUSED]
    lines += [f"| `{method.name}` | works (pro) | {method.why} |" for method in WATCHED]
    lines += [f"| `{name}` | works (pro) | {why} |" for name, why in BEFALLING.items()]
    lines += [f"| `{name}` | is not there (pro) | {why} |" for name, why in ABSENT.items()]
    return "\n".join(line.replace("|  |", "| |") for line in lines)
