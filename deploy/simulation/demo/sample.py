"""Recorded order flow: the level-3 sample of `ob-analytics`, half an hour of Bitstamp BTC/USD in May 2026.

Every order that traded is kept; of the rest, which mostly come and go untouched, one in `thinning`. So a few thousand
events still hold the whole half hour and each of its trades.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from setoff.shared.codec import records
from setoff.shared.errors import ConfigError

LOTS: Final = 10_000
"""Lots a bitcoin."""
REACH: Final = 0.02
"""Orders further from the middle of the book than this part of the price are left out: they never trade."""


class OrderEvent(NamedTuple):
    """An order is placed (`size` lots at `price` dollars, `side` BUY or SELL), or taken back (`size` 0)."""

    at: float
    """Seconds since the sample began."""
    order: int
    side: int
    price: int
    size: int


class TradeEvent(NamedTuple):
    """A trade of the sample; its price drives the oracle."""

    at: float
    price: int


def sample_folder() -> Path:
    """Where the data files are. Raises ConfigError if the package is not installed."""
    spec = find_spec("ob_analytics")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("bad_config", "the order flow is missing: install the package's extra 'data'")
    return Path(spec.submodule_search_locations[0]) / "_sample_data"


def read_trades() -> list[TradeEvent]:
    """The trades in the order of time."""
    start = _start_of(sample_folder() / "orders.csv.gz")
    with (sample_folder() / "trades.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [TradeEvent((int(row["timestamp"]) - start) / 1000, int(float(row["price"]))) for row in rows]


def read_orders(thinning: int, seed: int = 0) -> Iterator[OrderEvent]:
    """The order events in the order they came, thinned out; `seed` chooses which of the untraded orders are kept."""
    folder = sample_folder()
    with (folder / "trades.csv").open() as file:
        traded = {order for row in csv.DictReader(file) for order in (row["buy_order_id"], row["sell_order_id"])}
    middle = read_trades()[0].price
    start = _start_of(folder / "orders.csv.gz")
    kept: dict[str, tuple[int, int]] = {}
    with gzip.open(folder / "orders.csv.gz", "rt") as text:
        rows = csv.reader(text)  # a third of a million: as dictionaries they would take seconds
        columns = next(rows)
        pick = itemgetter(*map(columns.index, ("id", "timestamp", "action", "direction", "price", "volume")))
        for name, timestamp, action, direction, dollars, volume in map(pick, rows):
            if action == "deleted" and name in kept:
                side, price = kept.pop(name)
                yield OrderEvent((int(timestamp) - start) / 1000, int(name), side, price, 0)
            elif action == "created" and (name in traded or crc32(f"{seed}:{name}".encode()) % thinning == 0):
                side = records.BUY if direction == "bid" else records.SELL
                price, size = int(float(dollars)), round(float(volume) * LOTS)
                if size > 0 and abs(price - middle) <= REACH * middle:
                    kept[name] = side, price
                    yield OrderEvent((int(timestamp) - start) / 1000, int(name), side, price, size)


def _start_of(path: Path) -> int:
    """Time of the first event, milliseconds."""
    with gzip.open(path, "rt") as text:
        return int(next(csv.DictReader(text))["timestamp"])
