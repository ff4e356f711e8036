"""The history, read: pages of rows, each over an index. Whoever calls does so in a thread of his own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from setoff.operator.history.ledger import BOOK
from setoff.operator.history.store import open_engine
from setoff.operator.history.tables import BATCHES, CANDLES, FILLS, FUNDING, LANDINGS, LEDGER, ORDERS, PRICES, RECORDS
from setoff.shared.codec.records import LEG_PAGE
from setoff.shared.errors import StateError
from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TAKEOVER
from setoff.shared.rules.phases import MAX_LEG_PAGES

FORCED_KINDS: Final = (LIQUIDATION, TAKEOVER, DELEVERAGE)
"""Fills that the machine made of an account in liquidation."""

Row = dict[str, Any]


class Span(NamedTuple):
    """Which page: at most `limit` rows before one, newest first; or after one, oldest first."""

    before: int | None
    after: int | None
    limit: int


class History:
    """The database at a URL, "" for none."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url) if url else None

    @property
    def is_kept(self) -> bool:
        """Whether there is one."""
        return self._engine is not None

    def trades(self, market: int, span: Span) -> list[Row]:
        """Of a market's book."""
        wanted = select(FILLS).where(FILLS.c.market == market, FILLS.c.kind.in_(BOOK))
        return self._page(wanted, FILLS.c.fill, span)

    def fills(self, account: int, span: Span) -> list[Row]:
        """With an account on either side; each with the account's order."""
        sides = [
            _cut(select(FILLS).where(side == account), FILLS.c.fill, span).subquery()
            for side in (FILLS.c.taker, FILLS.c.maker)
        ]
        both = union_all(*(select(side) for side in sides)).subquery()
        rows = self._read(_cut(select(both), both.c.fill, span))
        numbers = {row[f"{side}_order"] for row in rows for side in ("taker", "maker")} - {None}
        orders = {order["id"]: order for order in self._read(select(ORDERS).where(ORDERS.c.id.in_(numbers)))}
        for row in rows:
            side = "taker" if row["taker"] == account else "maker"
            row["own"] = orders.get(row[f"{side}_order"])
        return rows

    def liquidations(self, market: int | None, account: int | None, span: Span) -> list[Row]:
        """Fills of accounts in liquidation."""
        wanted = select(FILLS).where(FILLS.c.kind.in_(FORCED_KINDS))
        if market is not None:
            wanted = wanted.where(FILLS.c.market == market)
        if account is not None:
            wanted = wanted.where(FILLS.c.taker == account)
        return self._page(wanted, FILLS.c.fill, span)

    def orders(self, account: int, status: str | None, span: Span) -> list[Row]:
        """Of an account."""
        wanted = select(ORDERS).where(ORDERS.c.account == account)
        if status is not None:
            wanted = wanted.where(ORDERS.c.status == status)
        return self._page(wanted, ORDERS.c.id, span)

    def candles(self, market: int, seconds: int, first: int, last: int, limit: int) -> list[Row]:
        """The latest of those that begin from `first` to `last`, oldest first."""
        wanted = select(CANDLES).where(
            CANDLES.c.market == market, CANDLES.c.seconds == seconds, CANDLES.c.start.between(first, last)
        )
        rows = self._read(wanted.order_by(CANDLES.c.start.desc()).limit(limit))
        return rows[::-1]

    def prices(self, market: int, span: Span) -> list[Row]:
        """Of a market."""
        return self._page(select(PRICES).where(PRICES.c.market == market), PRICES.c.id, span)

    def funding(self, market: int, span: Span) -> list[Row]:
        """Rates of a market."""
        return self._page(select(FUNDING).where(FUNDING.c.market == market), FUNDING.c.id, span)

    def ledger(self, account: int, kind: str | None, span: Span) -> list[Row]:
        """Of an account."""
        wanted = select(LEDGER).where(LEDGER.c.account == account)
        if kind is not None:
            wanted = wanted.where(LEDGER.c.kind == kind)
        return self._page(wanted, LEDGER.c.id, span)

    def records(self, account: int, span: Span) -> list[Row]:
        """Of an account."""
        return self._page(select(RECORDS).where(RECORDS.c.account == account), RECORDS.c.sequence, span)

    def record(self, sequence: int) -> Row | None:
        """One."""
        return next(iter(self._read(select(RECORDS).where(RECORDS.c.sequence == sequence))), None)

    def find_by_nonce(self, account: int, nonce: int) -> list[Row]:
        """The records of an account with this nonce: its own, and its agents' of other sessions."""
        wanted = select(RECORDS).where(RECORDS.c.account == account, RECORDS.c.nonce == str(nonce))
        return self._read(wanted.order_by(RECORDS.c.sequence))

    def find_by_hash(self, hashed: str) -> Row | None:
        """The record with this hash."""
        return next(iter(self._read(select(RECORDS).where(RECORDS.c.hash == hashed))), None)

    def find_pages(self, sequence: int) -> list[Row]:
        """The leg pages behind a bulk record."""
        behind = RECORDS.c.sequence.between(sequence + 1, sequence + MAX_LEG_PAGES)
        found: list[Row] = []
        for row in self._read(select(RECORDS).where(behind).order_by(RECORDS.c.sequence)):
            if row["type"] != LEG_PAGE:
                break
            found.append(row)
        return found

    def find_fills_of(self, batch: int, inputs: Sequence[int]) -> list[Row]:
        """What these inputs of a batch have traded."""
        wanted = select(FILLS).where(FILLS.c.batch == batch, FILLS.c.input_index.in_(inputs))
        return self._read(wanted.order_by(FILLS.c.fill))

    def find_orders_of(self, records: Sequence[int]) -> list[Row]:
        """The orders that these records have placed."""
        return self._read(select(ORDERS).where(ORDERS.c.record.in_(records)).order_by(ORDERS.c.id))

    def find_by_client(self, account: int, client: int, limit: int) -> list[Row]:
        """The latest orders of an account with this client id, newest first."""
        wanted = select(ORDERS).where(ORDERS.c.account == account, ORDERS.c.client == str(client))
        return self._read(wanted.order_by(ORDERS.c.id.desc()).limit(limit))

    def batches(self, span: Span) -> list[Row]:
        """Closed ones."""
        return self._page(select(BATCHES), BATCHES.c.batch, span)

    def landings(self, batches: Sequence[int], epoch_batches: int) -> dict[int, dict[str, Row]]:
        """What L1 has of these batches, and of their epochs: by batch and stage."""
        epochs = {batch // epoch_batches for batch in batches}
        wanted = select(LANDINGS).where(
            ((LANDINGS.c.stage == "posted") & LANDINGS.c.number.in_(set(batches)))
            | ((LANDINGS.c.stage != "posted") & LANDINGS.c.number.in_(epochs))
        )
        found = {(row["stage"], row["number"]): row for row in self._read(wanted)}
        return {
            batch: {
                stage: row
                for stage, number in (
                    ("posted", batch),
                    ("claimed", batch // epoch_batches),
                    ("confirmed", batch // epoch_batches),
                )
                if (row := found.get((stage, number)))
            }
            for batch in batches
        }

    def _page(self, wanted: Select[Any], key: Column[int], span: Span) -> list[Row]:
        return self._read(_cut(wanted, key, span))

    def _read(self, wanted: Select[Any]) -> list[Row]:
        if self._engine is None:
            raise StateError("not_ready", "this operator keeps no history (its setting history_url is off)")
        try:
            with self._engine.connect() as database:
                return [dict(row._mapping) for row in database.execute(wanted)]
        except SQLAlchemyError as error:
            raise StateError("not_ready", f"the history is not there now: {type(error).__name__}") from None


def _cut(wanted: Select[Any], key: ColumnElement[int], span: Span) -> Select[Any]:
    if span.after is not None:
        return wanted.where(key > span.after).order_by(key).limit(span.limit)
    if span.before is not None:
        wanted = wanted.where(key < span.before)
    return wanted.order_by(key.desc()).limit(span.limit)
