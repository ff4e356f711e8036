"""What has happened, page by page: read in threads, for a part of the time for reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from aiohttp import web

from setoff.operator.api.clients import get_client
from setoff.operator.api.lookup import find_account, find_market
from setoff.operator.api.reader import Reader
from setoff.operator.api.routes import Handlers
from setoff.operator.api.views import history_views as views
from setoff.operator.api.views.scales import Scales
from setoff.operator.history.candles import INTERVALS
from setoff.operator.history.queries import History, Row, Span
from setoff.shared.errors import InputError

MAX_ROWS: Final = 1000
MAX_FOUND: Final = 100
"""Orders of one client id that are shown."""
LAST: Final = 2**53

Found = TypeVar("Found")


class HistoryHandlers:
    """Shows the history of one deployment."""

    def __init__(self, reader: Reader, scales: Scales, history: History, epoch_batches: int) -> None:
        self._reader = reader
        self._scales = scales
        self._history = history
        self._epoch_batches = epoch_batches

    def handlers(self) -> Handlers:
        """By operation."""
        return {
            "getTrades": self.get_trades,
            "getAccountFills": self.get_fills,
            "getLiquidations": self.get_liquidations,
            "getPastOrders": self.get_orders,
            "getCandles": self.get_candles,
            "getPrices": self.get_prices,
            "getFundingRates": self.get_rates,
            "getLedger": self.get_ledger,
            "getPastRecords": self.get_records,
            "getRecord": self.get_record,
            "getPastBatches": self.get_batches,
            "lookUp": self.look_up,
        }

    async def get_trades(self, request: web.Request, market: str, **page: Any) -> web.Response:
        """Of a market."""
        number, span = await self._find_market(market), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.trades(number, span))
        return _answer(rows, span, "fill", "trades", lambda row: views.show_trade(self._scales, row))

    async def get_fills(self, request: web.Request, account: str, **page: Any) -> web.Response:
        """Of an account."""
        number, span = await self._find_account(account), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.fills(number, span))
        return _answer(rows, span, "fill", "fills", lambda row: views.show_account_fill(self._scales, number, row))

    async def get_liquidations(
        self, request: web.Request, market: str | None, account: str | None, **page: Any
    ) -> web.Response:
        """Of a market, an account, or all."""
        number = None if market is None else await self._find_market(market)
        owner = None if account is None else await self._find_account(account)
        span = _read_span(**page)
        rows = await self._ask(request, lambda: self._history.liquidations(number, owner, span))
        return _answer(rows, span, "fill", "fills", lambda row: views.show_past_fill(self._scales, row))

    async def get_orders(self, request: web.Request, account: str, status: str | None, **page: Any) -> web.Response:
        """Of an account."""
        number, span = await self._find_account(account), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.orders(number, status, span))
        exchange = await self._reader.read()

        def show(row: Row) -> Row | None:
            ended = views.end_by_time(exchange, row)
            return None if status not in (None, ended["status"]) else views.show_past_order(self._scales, ended)

        return _answer(rows, span, "id", "orders", show)

    async def get_candles(
        self, request: web.Request, market: str, interval: str, first: int | None, last: int | None, limit: int
    ) -> web.Response:
        """Of a market."""
        number, seconds = await self._find_market(market), INTERVALS.get(interval)
        if seconds is None:
            raise InputError("missing_field", f"'interval' is one of {', '.join(INTERVALS)}")
        begin, end, most = first or 0, LAST if last is None else last, min(limit, MAX_ROWS)
        rows = await self._ask(request, lambda: self._history.candles(number, seconds, begin, end, most))
        shown = {"market": number, "symbol": self._scales[number].symbol, "interval": interval}
        return web.json_response(shown | {"candles": [views.show_candle(self._scales, row) for row in rows]})

    async def get_prices(self, request: web.Request, market: str, **page: Any) -> web.Response:
        """Of a market."""
        number, span = await self._find_market(market), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.prices(number, span))
        head = {"market": number, "symbol": self._scales[number].symbol}
        return _answer(rows, span, "id", "prices", lambda row: views.show_price(self._scales, row), head)

    async def get_rates(self, request: web.Request, market: str, **page: Any) -> web.Response:
        """Of a market."""
        number, span = await self._find_market(market), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.funding(number, span))
        head = {"market": number, "symbol": self._scales[number].symbol}
        return _answer(rows, span, "id", "rates", views.show_rate, head)

    async def get_ledger(self, request: web.Request, account: str, kind: str | None, **page: Any) -> web.Response:
        """Of an account."""
        number, span = await self._find_account(account), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.ledger(number, kind, span))
        head = {"account": number}
        return _answer(rows, span, "id", "entries", lambda row: views.show_entry(self._scales, row), head)

    async def get_records(self, request: web.Request, account: str, **page: Any) -> web.Response:
        """Of an account."""
        number, span = await self._find_account(account), _read_span(**page)
        rows = await self._ask(request, lambda: self._history.records(number, span))
        show = await self._make_show(request, rows)
        return _answer(rows, span, "sequence", "records", show)

    async def get_batches(self, request: web.Request, **page: Any) -> web.Response:
        """Closed ones."""
        span, count = _read_span(**page), self._epoch_batches
        rows = await self._ask(request, lambda: self._history.batches(span))
        landings = await self._find_landings(request, rows)

        def show(row: Row) -> Row:
            return views.show_past_batch(row, row["batch"] // count, landings[row["batch"]])

        return _answer(rows, span, "batch", "batches", show)

    async def get_record(self, request: web.Request, sequence: int) -> web.Response:
        """One."""
        row = await self._ask(request, lambda: self._history.record(sequence))
        if row is None:
            raise InputError("not_found", f"the history has no record {sequence}, or not yet")
        return web.json_response((await self._make_show(request, [row]))(row))

    async def look_up(self, request: web.Request, account: str, client: int | None, nonce: int | None) -> web.Response:
        """What became of an order whose answer was lost."""
        number = await self._find_account(account)
        if (client is None) == (nonce is None):
            raise InputError("missing_field", "look up either a 'client' id or a 'nonce'")

        def look() -> tuple[list[Row], list[Row]]:
            if nonce is not None:
                found = self._history.find_by_nonce(number, nonce)
                return found, self._history.find_orders_of([row["sequence"] for row in found])
            orders = self._history.find_by_client(number, client or 0, MAX_FOUND)
            numbers = [order["record"] for order in orders if order["record"] is not None]
            return [row for one in dict.fromkeys(numbers) if (row := self._history.record(one))], orders

        found, orders = await self._ask(request, look)
        show = await self._make_show(request, found)
        exchange = await self._reader.read()
        ended = (views.end_by_time(exchange, row) for row in orders)
        shown = {"account": number, "records": list(map(show, found))}
        return web.json_response(shown | {"orders": [views.show_past_order(self._scales, row) for row in ended]})

    async def _ask(self, request: web.Request, query: Callable[[], Found]) -> Found:
        """What the database answers."""
        client = get_client(request)
        self._reader.budget.check(client)
        return await asyncio.to_thread(self._work, client, query)

    def _work(self, client: str, query: Callable[[], Found]) -> Found:
        """In a thread of its own."""
        start = time.thread_time()
        try:
            return query()
        finally:
            self._reader.budget.charge(client, time.thread_time() - start)

    async def _find_landings(self, request: web.Request, rows: Iterable[Row]) -> Mapping[int, Mapping[str, Row]]:
        """What L1 has of the batches of rows."""
        batches = sorted({row["batch"] for row in rows})
        return await self._ask(request, lambda: self._history.landings(batches, self._epoch_batches))

    async def _make_show(self, request: web.Request, rows: Iterable[Row]) -> Callable[[Row], Row]:
        """What shows each of these records with how far it is."""
        closed = (await self._reader.read()).cursor.number
        landings = await self._find_landings(request, rows)
        return lambda row: views.show_past_record(row, closed, landings[row["batch"]])

    async def _find_market(self, text: str) -> int:
        return find_market(self._scales, await self._reader.read(), text)

    async def _find_account(self, text: str) -> int:
        return find_account(await self._reader.read(), text)


def _read_span(before: int | None, after: int | None, limit: int) -> Span:
    if before is not None and after is not None:
        raise InputError("missing_field", "a page is 'before' something, or 'after' something")
    return Span(before, after, max(1, min(limit, MAX_ROWS)))


def _answer(
    rows: list[Row],
    span: Span,
    key: str,
    name: str,
    show: Callable[[Row], Mapping[str, Any] | None],
    head: Mapping[str, Any] | None = None,
) -> web.Response:
    """A page, and what to ask for the next one with. What `show` makes nothing of is left out."""
    goes_on = rows[-1][key] if len(rows) == span.limit else None
    shown = [told for row in rows if (told := show(row)) is not None]
    return web.json_response({**(head or {}), name: shown, "next": goes_on})
