"""Exchanges' REST interfaces as they document them, one market each, served from here: Kraken's and Binance's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

KRAKEN: Final[dict[str, Any]] = {
    "/0/public/Assets": {
        "error": [],
        "result": {
            "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
            "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
        },
    },
    "/0/public/AssetPairs": {
        "error": [],
        "result": {
            "XXBTZUSD": {
                "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
                "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 1,
                "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3], "leverage_sell": [2, 3],
                "fees": [[0, 0.4], [10000, 0.35]], "fees_maker": [[0, 0.25], [10000, 0.2]],
                "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.0001",
                "costmin": "0.5", "tick_size": "0.1", "status": "online",
            },
        },
    },
    "/0/public/Ticker": {
        "error": [],
        "result": {
            "XXBTZUSD": {
                "a": ["78000.50000", "1", "1.000"], "b": ["77999.50000", "1", "1.000"], "c": ["77990.20000", "0.00067"],
                "v": ["4083.67001100", "4412.73601799"], "p": ["77706.77771", "77689.13205"], "t": [34619, 38907],
                "l": ["76868.30000", "76868.30000"], "h": ["78631.00000", "78631.00000"], "o": "77502.80000",
            },
        },
    },
}  # fmt: skip


def _make_symbol(base: str) -> dict[str, Any]:
    """What Binance says of a spot market in USDT."""
    return {
        "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
        "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8, "orderTypes": ["LIMIT", "MARKET"],
        "icebergAllowed": True, "ocoAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False, "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        ],
    }  # fmt: skip


BINANCE: Final[dict[str, Any]] = {
    "/api/v3/exchangeInfo": {
        "timezone": "UTC", "serverTime": 1_700_000_000_000, "rateLimits": [], "exchangeFilters": [],
        "symbols": [
            _make_symbol("BTC"),
            _make_symbol("ETH"),
        ],
    },
    "/api/v3/ticker/24hr": {
        "symbol": "BTCUSDT", "priceChange": "-94.9", "priceChangePercent": "-0.12", "weightedAvgPrice": "78010.3",
        "prevClosePrice": "78100.1", "lastPrice": "77990.20", "lastQty": "0.002", "bidPrice": "77999.50", "bidQty": "1",
        "askPrice": "78000.50", "askQty": "2", "openPrice": "78085.1", "highPrice": "78631", "lowPrice": "76868.3",
        "volume": "8913.3", "quoteVolume": "695000000", "openTime": 1_699_913_600_000, "closeTime": 1_700_000_000_500,
        "firstId": 28385, "lastId": 28460, "count": 76,
    },
}  # fmt: skip
HTML: Final = (
    "<html><head><title>503</title></head><body>" + "<p>We are down for maintenance.</p>" * 500 + "</body></html>"
)


class Rest:
    """Answers as an exchange does; `moods`: what happens to the next requests instead, in order; `asked`: the paths."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers: dict[str, Any] = json.loads(json.dumps(answers))
        self.moods: list[web.Response | str | float] = []
        """An answer; or a text that is sent with status 200; or seconds for which nothing is answered."""
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        """What is served."""
        self.asked.append(request.path)
        mood = self.moods.pop(0) if self.moods else 0.0
        if isinstance(mood, web.Response):
            return mood
        if isinstance(mood, str):
            return web.Response(text=mood, content_type="application/json")
        await asyncio.sleep(mood)
        return web.json_response(self.answers[request.path])

    def turn(self, exchange: Any) -> None:
        """Have one of ccxt's exchanges ask here: the addresses of its class with another host."""
        exchange.urls["api"] = _replace_hosts(exchange.urls["api"], self.url)


def _replace_hosts(urls: Any, url: str) -> Any:
    if isinstance(urls, dict):
        return {name: _replace_hosts(each, url) for name, each in urls.items()}
    path = str(urls).partition("://")[2].partition("/")[2]
    return f"{url}/{path}" if path else url


@asynccontextmanager
async def exchange_rest(answers: dict[str, Any]) -> AsyncIterator[Rest]:
    """Serve it."""
    rest = Rest(answers)
    app = web.Application()
    app.router.add_get("/{path:.*}", rest.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rest.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield rest
    finally:
        await runner.cleanup()
