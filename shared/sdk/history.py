"""What has happened, as the exchange's history has it: page after page, by itself.

    async for fill in client.past_fills():          # newest first, to the beginning
        ...
    async for trade in client.trades("BTC-PERP", after=41):     # oldest first, from behind this number on
        ...

Raises Unavailable where the exchange keeps no history.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from setoff.shared.sdk.bounded_answers import reading
from setoff.shared.sdk.reads import Reads

if TYPE_CHECKING:
    from setoff.shared.wire.api import history_answers as past
    from setoff.shared.wire.api.record_answers import Fill

PAGE: Final = 500
"""Entries that are asked for at once."""


class History(Reads):
    """With `after` each goes on from behind that entry (its `fill`, `order`, `entry`, …) to the newest, without it from
    the newest back to the first. An `account` is by default the signer's."""

    async def history(self, what: str, of: int | str, **query: int | str) -> dict[str, Any]:
        """A page of what has happened, as the operation under `/v1/history/` shows it: `what` is its name there, as
        "fills", `of` a market or an account. Raises Unavailable where no history is kept."""
        page: dict[str, Any] = await self._get(f"/v1/history/{what}/{of}", **query)
        return page

    def trades(self, market: int | str, *, after: int | None = None) -> AsyncIterator[past.Trade]:
        """Trades in a market's book."""
        return self._read_pages(f"trades/{market}", "trades", after)

    async def candles(
        self, market: int | str, interval: str = "1m", *, first: int = 0, last: int | None = None, limit: int = 100
    ) -> list[past.Candle]:
        """The latest candles that begin at `first` to `last` (seconds), oldest first; none of spans without a trade."""
        named: dict[str, int | str] = {"interval": interval, "first": first, "limit": limit}
        if last is not None:
            named["last"] = last
        found: list[past.Candle] = await self._get_list(f"/v1/history/candles/{market}", "candles", **named)
        return found

    def prices(self, market: int | str, *, after: int | None = None) -> AsyncIterator[past.Price]:
        """Index and mark of a market, each change."""
        return self._read_pages(f"prices/{market}", "prices", after)

    def funding_rates(self, market: int | str, *, after: int | None = None) -> AsyncIterator[past.FundingRate]:
        """Funding rates of a market, each sample."""
        return self._read_pages(f"funding/{market}", "rates", after)

    def liquidations(
        self, *, market: int | str | None = None, account: int | str | None = None, after: int | None = None
    ) -> AsyncIterator[Fill]:
        """Fills of accounts in liquidation, by default of all, in all markets."""
        return self._read_pages("liquidations", "fills", after, market=market, account=account)

    def past_fills(
        self, account: int | str | None = None, *, after: int | None = None
    ) -> AsyncIterator[past.AccountFill]:
        """An account's fills, with fees, orders and client ids."""
        return self._read_pages(f"fills/{self._whose(account)}", "fills", after)

    def past_orders(
        self, account: int | str | None = None, *, status: str | None = None, after: int | None = None
    ) -> AsyncIterator[past.PastOrder]:
        """An account's orders and what became of them, by default of every status."""
        return self._read_pages(f"orders/{self._whose(account)}", "orders", after, status=status)

    def ledger(
        self, account: int | str | None = None, *, kind: str | None = None, after: int | None = None
    ) -> AsyncIterator[past.LedgerEntry]:
        """Every change of an account's collateral, by default of every kind."""
        return self._read_pages(f"ledger/{self._whose(account)}", "entries", after, kind=kind)

    def past_records(
        self, account: int | str | None = None, *, after: int | None = None
    ) -> AsyncIterator[past.PastRecord]:
        """An account's records, and how far they are."""
        return self._read_pages(f"records/{self._whose(account)}", "records", after)

    def past_batches(self, *, after: int | None = None) -> AsyncIterator[past.PastBatch]:
        """Closed batches, and the L1 transactions that they are in."""
        return self._read_pages("batches", "batches", after)

    def _whose(self, account: int | str | None) -> int | str:
        return self._own_name() if account is None else account

    async def _read_pages(
        self, path: str, member: str, after: int | None, **named: int | str | None
    ) -> AsyncIterator[Any]:
        query = {name: value for name, value in named.items() if value is not None}
        direction, cursor = ("before", None) if after is None else ("after", after)
        while True:
            place = {} if cursor is None else {direction: cursor}
            page = await self._get(f"/v1/history/{path}", limit=PAGE, **query, **place)
            with reading(f"the answer at /v1/history/{path}"):
                entries, cursor = list(page[member]), page["next"]
            for entry in entries:
                yield entry
            if cursor is None:
                return
