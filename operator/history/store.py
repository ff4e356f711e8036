"""The database: rows in, all of a time or none; and the checkpoint from which the rows after it can be made again."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, create_engine, delete, event, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from setoff.operator.history.candles import INTERVALS, join
from setoff.operator.history.ledger import BOOK
from setoff.operator.history.observer import Numbers
from setoff.operator.history.rows import Candle, Rows, Span
from setoff.operator.history.tables import BY_BATCH, CANDLES, FILLS, LANDINGS, META, METADATA, ORDERS, VERSION
from setoff.shared.errors import ConfigError
from setoff.shared.machine.machine import Machine
from setoff.shared.state import keys

CHUNK: Final = 5_000
"""Fills that are read at a time."""


class Checkpoint(NamedTuple):
    """The machine before batch `numbers.batch`, after commit `commit` of the journal (0: of none that is known)."""

    commit: int
    numbers: Numbers
    machine: bytes
    end: bytes


class Store:
    """The history of one deployment, for its one writer."""

    def __init__(self, engine: Engine, namespace: str) -> None:
        self._engine = engine
        self._identity = f"{VERSION} {namespace}".encode()
        self._last: dict[tuple[int, int], tuple[Span, Candle]] = {}  # the last candle of a market and interval

    def open(self) -> Checkpoint | None:
        """Make the tables, or take back what is behind the checkpoint; that, None to begin anew."""
        METADATA.create_all(self._engine)
        self._last.clear()
        with self._engine.begin() as database:
            if _read(database, "identity") != self._identity:
                self._clear(database)
            checkpoint = _read_checkpoint(database)
            if checkpoint is None:
                self._clear(database)
            else:
                _take_back(database, checkpoint.numbers.batch)
            return checkpoint

    def clear(self) -> None:
        """Forget everything."""
        with self._engine.begin() as database:
            self._clear(database)

    def write(self, rows: Rows) -> None:
        """All of them."""
        if rows.is_empty:
            return
        with self._engine.begin() as database:
            for table, added in rows.added.items():
                database.execute(insert(table), added)
            if rows.orders:
                _change_orders(database, rows)
            if rows.candles:
                self._join_candles(database, rows.candles)

    def save(self, checkpoint: Checkpoint) -> None:
        """From now on begin here; what was written before stays."""
        text = json.dumps(
            {"commit": checkpoint.commit, "end": checkpoint.end.hex()} | dataclasses.asdict(checkpoint.numbers)
        )
        with self._engine.begin() as database:
            for name, value in (("checkpoint", text.encode()), ("machine", zlib.compress(checkpoint.machine, 1))):
                database.execute(delete(META).where(META.c.name == name))
                database.execute(insert(META).values(name=name, value=value))

    def find_live(self) -> dict[int, tuple[int, int, int, int]]:
        """The orders that can still trade, by handle."""
        columns = (ORDERS.c.account, ORDERS.c.order_slot, ORDERS.c.id, ORDERS.c.size, ORDERS.c.filled, ORDERS.c.expiry)
        with self._engine.connect() as database:
            found = database.execute(select(*columns).where(ORDERS.c.status == "open"))
            return {keys.order_handle(account, slot): tuple(rest) for account, slot, *rest in found}

    def _join_candles(self, database: Connection, later: Mapping[Span, Candle]) -> None:
        """Add what came later; the last candle of each market and interval is known."""
        joined: dict[Span, Candle] = {}
        for span, candle in later.items():
            last, known = self._last.get((span.market, span.seconds), (None, None))
            before = known if last == span else _find_candle(database, span)
            if before is not None:
                join(before, candle)
            joined[span] = before or candle
            self._last[span.market, span.seconds] = span, joined[span]
        values = [_show_candle(span, candle) for span, candle in joined.items()]
        keys_of = CANDLES.primary_key.columns
        database.execute(
            delete(CANDLES).where(*(column == bindparam(f"of_{column.name}") for column in keys_of)),
            [{f"of_{column.name}": value[column.name] for column in keys_of} for value in values],
        )
        database.execute(insert(CANDLES), values)

    def _clear(self, database: Connection) -> None:
        for table in METADATA.sorted_tables:
            if table is not LANDINGS:  # L1's, whatever the machine did
                database.execute(delete(table))
        database.execute(insert(META).values(name="identity", value=self._identity))


def open_engine(url: str, *, is_writer: bool = False) -> Engine:
    """The database at a URL (`sqlite:///file` or any that SQLAlchemy has a driver for). Raises ConfigError."""
    try:
        engine = create_engine(url, poolclass=NullPool if url.startswith("sqlite") else None)
        if engine.dialect.name == "sqlite":
            if is_writer and engine.url.database:
                Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            event.listen(engine, "connect", _set_up_sqlite)
        return engine
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise ConfigError("bad_config", f"history_url: it cannot be used: {error}") from None


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Readers never wait for the writer. What a power failure takes is derived again."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _read(database: Connection, name: str) -> bytes | None:
    return database.execute(select(META.c.value).where(META.c.name == name)).scalar()


def _read_checkpoint(database: Connection) -> Checkpoint | None:
    text, packed = _read(database, "checkpoint"), _read(database, "machine")
    if text is None or packed is None:
        return None
    found = json.loads(text)
    commit, end = found.pop("commit"), bytes.fromhex(found.pop("end"))
    return Checkpoint(commit, Numbers(**found), zlib.decompress(packed), end)


def check_machine(checkpoint: Checkpoint) -> Machine | None:
    """The machine of a checkpoint, None if it is damaged."""
    machine = Machine.restore(checkpoint.machine)
    return machine if machine.hash() == checkpoint.end else None


def _take_back(database: Connection, batch: int) -> None:
    """Undo what came of batches from `batch` on."""
    for table in BY_BATCH:
        if table is not ORDERS:
            database.execute(delete(table).where(table.c.batch >= batch))
    database.execute(delete(ORDERS).where(ORDERS.c.batch >= batch))
    closed = ORDERS.c.closed_batch >= batch
    again = {"status": "open", "reason": "", "closed_batch": None, "closed_time": None}
    database.execute(update(ORDERS).where(closed).values(again))
    filled = (
        select(func.coalesce(func.sum(FILLS.c.size), 0))
        .where((FILLS.c.taker_order == ORDERS.c.id) | (FILLS.c.maker_order == ORDERS.c.id))
        .scalar_subquery()
    )
    database.execute(update(ORDERS).where(ORDERS.c.status == "open").values(filled=filled))
    last = database.execute(select(func.max(FILLS.c.time))).scalar()
    begin = 0 if last is None else last - last % max(INTERVALS.values())
    database.execute(delete(CANDLES).where(CANDLES.c.start >= begin))
    for seconds in INTERVALS.values():
        _remake_candles(database, seconds, begin)


def _remake_candles(database: Connection, seconds: int, begin: int) -> None:
    """Candles of one interval from `begin` on, from the fills."""
    columns = (FILLS.c.market, FILLS.c.time, FILLS.c.price, FILLS.c.size, FILLS.c.value)
    query = select(*columns).where(FILLS.c.time >= begin, FILLS.c.kind.in_(BOOK)).order_by(FILLS.c.fill)
    made: dict[Span, Candle] = {}
    for market, time, price, size, value in database.execute(query):
        span = Span(market, seconds, time - time % seconds)
        one = Candle(price, price, price, price, size, int(value), 1)
        if span in made:
            join(made[span], one)
        else:
            made[span] = one
    if made:
        database.execute(insert(CANDLES), [_show_candle(span, candle) for span, candle in made.items()])


def _change_orders(database: Connection, rows: Rows) -> None:
    changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for number, values in rows.orders.items():
        named = {f"to_{name}": value for name, value in values.items()}
        changes.setdefault(tuple(sorted(values)), []).append({"of": number} | named)
    for names, found in changes.items():
        values = {name: bindparam(f"to_{name}") for name in names}
        database.execute(update(ORDERS).where(ORDERS.c.id == bindparam("of")).values(values), found)


def _find_candle(database: Connection, span: Span) -> Candle | None:
    row = database.execute(select(CANDLES).where(*_is(span))).first()
    if row is None:
        return None
    known = row._mapping
    shape = (known["open"], known["high"], known["low"], known["close"])
    return Candle(*shape, known["volume"], int(known["value"]), known["trades"])


def _is(span: Span) -> tuple[Any, ...]:
    return CANDLES.c.market == span.market, CANDLES.c.seconds == span.seconds, CANDLES.c.start == span.start


def _show_candle(span: Span, candle: Candle) -> dict[str, Any]:
    return span._asdict() | vars(candle) | {"value": str(candle.value)}
