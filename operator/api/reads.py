"""Views of the exchange as it is now: markets, books, accounts, orders, fills."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from setoff.operator.api import views
from setoff.operator.api.lookup import find_account, find_market, parse_query, read_exchange
from setoff.operator.api.read_budget import ReadBudget
from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.exchange import FILLS_KEPT, Exchange
from setoff.shared.state import keys

MAX_DEPTH: Final = 1000
MAX_FILLS: Final = 1000
MAX_SHOWN: Final = 1000
"""Answers that are kept."""


class ReadHandlers:
    """Shows the exchange of one sequencer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown = ShownOnce()
        self._budget = ReadBudget()

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [
            web.get("/v1/markets", self.get_markets),
            web.get("/v1/markets/{market}", self.get_market),
            web.get("/v1/book/{market}", self.get_book),
            web.get("/v1/accounts/{account}", self.get_account),
            web.get("/v1/orders/{account}", self.get_orders),
            web.get("/v1/backstop", self.get_backstop),
            web.get("/v1/fills", self.get_fills),
        ]

    async def get_markets(self, request: web.Request) -> web.Response:
        """All markets, and the terms that hold for each of them."""
        return await self._show(
            request,
            "markets",
            lambda exchange: {"markets": views.show_markets(exchange), "terms": views.show_terms(exchange)},
        )

    async def get_market(self, request: web.Request) -> web.Response:
        """One market."""
        market = find_market(await read_exchange(self._desk), request.match_info["market"])
        return await self._show(request, f"market {market}", lambda exchange: views.show_market(exchange, market))

    async def get_book(self, request: web.Request) -> web.Response:
        """The best levels of a market."""
        depth = parse_query(request, "depth", 20, MAX_DEPTH)
        market = find_market(await read_exchange(self._desk), request.match_info["market"])
        return await self._show(
            request, f"book {market} {depth}", lambda exchange: views.show_book(exchange, market, depth)
        )

    async def get_account(self, request: web.Request) -> web.Response:
        """One account."""
        account = find_account(await read_exchange(self._desk), request.match_info["account"])
        return await self._show(request, f"account {account}", lambda exchange: views.show_account(exchange, account))

    async def get_orders(self, request: web.Request) -> web.Response:
        """The open and armed orders of an account."""
        account = find_account(await read_exchange(self._desk), request.match_info["account"])
        return await self._show(
            request,
            f"orders {account}",
            lambda exchange: {"account": account, "orders": views.show_orders(exchange, account)},
        )

    async def get_backstop(self, request: web.Request) -> web.Response:
        """The backstop vault."""
        return await self._show(request, "backstop", views.show_backstop)

    async def get_fills(self, request: web.Request) -> web.Response:
        """The oldest of the kept fills after number `after`, or without it the latest."""
        exchange = await read_exchange(self._desk)
        market = parse_query(request, "market", 0, keys.MAX_MARKET)
        after = parse_query(request, "after", -1, 2**63)
        limit = parse_query(request, "limit", 100, MAX_FILLS)
        account = find_account(exchange, request.query["account"]) if "account" in request.query else None

        def show(exchange: Exchange) -> Mapping[str, Any]:
            found = [
                numbered
                for numbered in exchange.fills
                if numbered.number > after
                and market in (0, numbered.fill.market)
                and account in (None, numbered.fill.taker, numbered.fill.maker)
            ]
            chosen = found[:limit] if after >= 0 else found[max(0, len(found) - limit) :]
            return {"fills": [views.show_fill(fill) for fill in chosen], "kept": FILLS_KEPT}

        return await self._show(request, f"fills {market} {after} {limit} {account}", show)

    async def _show(
        self, request: web.Request, name: str, make: Callable[[Exchange], Mapping[str, Any]]
    ) -> web.Response:
        """The view called `name`; asked for again before anything has changed, it is the same bytes. Making another one
        goes against the budget."""
        exchange = await read_exchange(self._desk)
        client = request.remote or ""

        def work() -> bytes:
            self._budget.check(client)
            start = time.thread_time()
            try:
                return json.dumps(make(exchange)).encode()
            finally:
                self._budget.charge(client, time.thread_time() - start)

        body = self._shown.get((id(exchange), self._desk.turns), name, work)
        return web.Response(body=body, content_type="application/json")


class ShownOnce:
    """Answers, kept until the exchange changes."""

    def __init__(self) -> None:
        self._version: object = None
        self._bodies: dict[str, bytes] = {}

    def get(self, version: object, name: str, make: Callable[[], bytes]) -> bytes:
        """The answer called `name` of this version of the exchange."""
        if version != self._version or len(self._bodies) >= MAX_SHOWN:
            self._version = version
            self._bodies.clear()
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = make()
        return body
