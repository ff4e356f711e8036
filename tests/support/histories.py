"""Histories in files, and all that is in one."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from setoff.operator.history.store import Store, open_engine
from setoff.operator.history.tables import METADATA


def make_store(folder: Path, name: str, namespace: str = "x") -> Store:
    """A database of its own."""
    return Store(open_engine(f"sqlite:///{folder}/{name}", is_writer=True), namespace)


def read_all(store: Store) -> dict[str, list[Any]]:
    """Every row, by table."""
    with store._engine.connect() as database:
        return {
            table.name: sorted(map(tuple, database.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
            if table.name != "meta"
        }
