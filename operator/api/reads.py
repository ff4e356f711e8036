"""Views of the exchange as it is now: markets, books, accounts, orders, fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from setoff.operator.api.lookup import find_account, find_market
from setoff.operator.api.reader import Reader
from setoff.operator.api.routes import Handlers
from setoff.operator.api.views import account_views, market_views
from setoff.operator.api.views.record_views import show_fill
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import FILLS_KEPT, Exchange

MAX_DEPTH: Final = 1000
MAX_FILLS: Final = 1000


class ReadHandlers:
    """Shows the exchange of one sequencer."""

    def __init__(self, reader: Reader, scales: Scales) -> None:
        self._reader = reader
        self._scales = scales

    def handlers(self) -> Handlers:
        """By operation."""
        return {
            "getMarkets": self.get_markets,
            "getMarket": self.get_market,
            "getBook": self.get_book,
            "getAccount": self.get_account,
            "getOrders": self.get_orders,
            "getBackstop": self.get_backstop,
            "getFills": self.get_fills,
        }

    async def get_markets(self, request: web.Request) -> web.Response:
        """All markets, and the terms that hold for each of them."""
        return await self._reader.show(
            request,
            "markets",
            lambda exchange: {
                "markets": market_views.show_markets(self._scales, exchange),
                "terms": market_views.show_terms(exchange),
            },
        )

    async def get_market(self, request: web.Request, market: str) -> web.Response:
        """One market."""
        number = await self._find_market(market)
        return await self._reader.show(
            request, f"market {number}", lambda exchange: market_views.show_market(self._scales, exchange, number)
        )

    async def get_book(self, request: web.Request, market: str, depth: int) -> web.Response:
        """The best levels of a market."""
        number, depth = await self._find_market(market), min(depth, MAX_DEPTH)
        return await self._reader.show(
            request,
            f"book {number} {depth}",
            lambda exchange: market_views.show_book(self._scales, exchange, number, depth),
        )

    async def get_account(self, request: web.Request, account: str) -> web.Response:
        """One account."""
        number = find_account(await self._reader.read(), account)
        return await self._reader.show(
            request, f"account {number}", lambda exchange: account_views.show_account(self._scales, exchange, number)
        )

    async def get_orders(self, request: web.Request, account: str) -> web.Response:
        """The open and armed orders of an account."""
        number = find_account(await self._reader.read(), account)
        return await self._reader.show(
            request,
            f"orders {number}",
            lambda exchange: {
                "account": number,
                "orders": account_views.show_orders(self._scales, exchange, number),
            },
        )

    async def get_backstop(self, request: web.Request) -> web.Response:
        """The backstop vault."""
        return await self._reader.show(
            request, "backstop", lambda exchange: account_views.show_backstop(self._scales, exchange)
        )

    async def get_fills(
        self, request: web.Request, market: str | None, account: str | None, after: int | None, limit: int
    ) -> web.Response:
        """The oldest of the kept fills after number `after`, or without it the latest."""
        exchange = await self._reader.read()
        number = None if market is None else find_market(self._scales, exchange, market)
        owner = None if account is None else find_account(exchange, account)
        first, most = -1 if after is None else after, min(limit, MAX_FILLS)

        def show(exchange: Exchange) -> Mapping[str, Any]:
            found = [
                numbered
                for numbered in exchange.fills
                if numbered.number > first
                and number in (None, numbered.fill.market)
                and owner in (None, numbered.fill.taker, numbered.fill.maker)
            ]
            chosen = found[:most] if after is not None else found[max(0, len(found) - most) :]
            return {"fills": [show_fill(self._scales, fill) for fill in chosen], "kept": FILLS_KEPT}

        return await self._reader.show(request, f"fills {number} {owner} {after} {most}", show)

    async def _find_market(self, text: str) -> int:
        return find_market(self._scales, await self._reader.read(), text)
