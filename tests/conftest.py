"""The long tests, of minutes each, run only where they are asked for; of the others, the slowest begin first."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Folders with tests of half a minute each: begun last, they would keep one worker busy while the others have nothing.
SLOW = ("e2e", "watcher", "differential")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0]
        return SLOW.index(folder) if folder in SLOW else len(SLOW)

    items.sort(key=rank)
    if os.environ.get("SETOFF_LONG") != "1":
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes minutes; SETOFF_LONG=1 runs it"))
