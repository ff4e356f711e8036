"""The tables of the history. Every row says which batch it is of, so that what comes after a checkpoint can be taken
back and derived again.

Amounts of token units, nonces and client ids can pass 2^63: they are text. Prices are ticks, sizes lots, times seconds.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

VERSION: Final = "3"
"""Of the tables: a database of another one is derived anew."""

METADATA: Final = MetaData()
_Number: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; SQLite counts its own keys in INTEGER alone."""


def _number(name: str, *, is_key: bool = False, may_be_none: bool = False) -> Column[int]:
    return Column(name, _Number, primary_key=is_key, nullable=may_be_none, autoincrement=False)


META: Final = Table("meta", METADATA, Column("name", String(40), primary_key=True), Column("value", LargeBinary))
"""What the rows were derived from, and the checkpoint: see `store.py`."""

BATCHES: Final = Table(
    "batches", METADATA, _number("batch", is_key=True), _number("time"), _number("first_record"), _number("records"),
    _number("first_message"), _number("messages"), Column("hash", String(66)), Column("end", String(66)),
)  # fmt: skip
"""Closed batches."""

RECORDS: Final = Table(
    "records", METADATA, _number("sequence", is_key=True), _number("batch"), _number("input_index"), _number("time"),
    _number("type"), _number("account"), Column("nonce", String(20)), _number("agent"), _number("outcome"),
    Column("hash", String(66)), Column("body", LargeBinary),
    Index("records_of_account", "account", "sequence"), Index("records_by_nonce", "account", "nonce"),
    Index("records_of_batch", "batch"), Index("records_by_hash", "hash"),
)  # fmt: skip
"""Every posted record; leg pages have their bulk record's account and nonce."""

ORDERS: Final = Table(
    "orders", METADATA, _number("id", is_key=True), _number("batch"), _number("input_index"), _number("time"),
    _number("record", may_be_none=True), _number("account"), _number("order_slot"), _number("market"), _number("side"),
    _number("flags"), _number("price"), _number("size"), _number("expiry"), _number("trigger"),
    Column("client", String(20)), _number("replaces", may_be_none=True), _number("filled"),
    Column("status", String(10)), Column("reason", String(30)), _number("closed_batch", may_be_none=True),
    _number("closed_time", may_be_none=True),
    Index("orders_of_account", "account", "id"), Index("orders_by_client", "account", "client"),
    Index("orders_open", "status"), Index("orders_of_batch", "batch"), Index("orders_closed", "closed_batch"),
)  # fmt: skip
"""Every order that was let in, and what became of it. An amended one is closed, and another one replaces it."""

FILLS: Final = Table(
    "fills", METADATA, _number("fill", is_key=True), _number("batch"), _number("input_index"), _number("time"),
    _number("kind"), _number("market"), _number("side"), _number("price"), _number("size"),
    _number("taker"), _number("taker_order", may_be_none=True), Column("taker_fee", String(40)),
    _number("maker"), _number("maker_order", may_be_none=True), Column("maker_fee", String(40)),
    Column("value", String(40)),
    Index("fills_of_market", "market", "fill"), Index("fills_of_taker", "taker", "fill"),
    Index("fills_of_maker", "maker", "fill"), Index("fills_of_kind", "kind", "fill"),
    Index("fills_of_batch", "batch"), Index("fills_by_time", "market", "time"),
    Index("fills_of_taker_order", "taker_order"), Index("fills_of_maker_order", "maker_order"),
)  # fmt: skip

CANDLES: Final = Table(
    "candles", METADATA, _number("market", is_key=True), _number("seconds", is_key=True), _number("start", is_key=True),
    _number("open"), _number("high"), _number("low"), _number("close"), _number("volume"), Column("value", String(40)),
    _number("trades"),
)  # fmt: skip
"""Of trades in the book; a span without one has none. `value`: token units."""

LEDGER: Final = Table(
    "ledger", METADATA, _number("id", is_key=True), _number("batch"), _number("input_index"), _number("time"),
    _number("account"), Column("kind", String(16)), Column("amount", String(40)), _number("market", may_be_none=True),
    _number("peer", may_be_none=True), _number("about", may_be_none=True),
    Index("ledger_of_account", "account", "id"), Index("ledger_of_kind", "account", "kind", "id"),
    Index("ledger_of_batch", "batch"),
)  # fmt: skip
"""Every change of an account's collateral, to the unit; `about`: the number of what it came of, by its kind."""

PRICES: Final = Table(
    "prices", METADATA, _number("id", is_key=True), _number("batch"), _number("market"), _number("time"),
    _number("index_price"), _number("mark"),
    Index("prices_of_market", "market", "id"), Index("prices_of_batch", "batch"),
)  # fmt: skip
"""Index and mark, each time that one of them changes."""

FUNDING: Final = Table(
    "funding", METADATA, _number("id", is_key=True), _number("batch"), _number("market"), _number("time"),
    Column("paid", String(60)), Column("rate", Float), Index("funding_of_market", "market", "id"),
    Index("funding_of_batch", "batch"),
)  # fmt: skip
"""Each sample of a market: what a lot has paid since listing (token units times 2^32), and what a long lot pays an hour
now (ppm of the index)."""

LANDINGS: Final = Table(
    "landings", METADATA, Column("stage", String(10), primary_key=True), _number("number", is_key=True),
    Column("transaction", String(66)), _number("block"), Index("landings_by_block", "block"),
)  # fmt: skip
"""What L1 has: `number` is a batch's that is posted, and an epoch's that is claimed or confirmed."""

BY_BATCH: Final = (BATCHES, RECORDS, ORDERS, FILLS, LEDGER, PRICES, FUNDING)
"""Tables whose rows are taken back by their batch."""
