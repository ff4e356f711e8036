"""Which processes a service has now, by what each is for: read from /proc, as Linux has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

CLI: Final = "setoff.deploy.cli"
SERVER: Final = "store's server"
"""The Redis server itself, which is no process of ours."""
FORKS: Final = "fork server"
"""What Python's multiprocessing starts others from."""
HELPER: Final = "helper"
"""Processes of a part's own: fronts of the API, the keeper of the history."""


def find_parts(process: int, names: dict[int, str]) -> dict[int, str]:
    """Number to name of the process and all below it; `names`: of those that have told theirs."""
    return {number: names.get(number) or name_process(number) for number in [process, *list_descendants(process)]}


def list_descendants(process: int) -> Iterator[int]:
    """All processes below this one."""
    for task in _list(Path(f"/proc/{process}/task")):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield int(child)
            yield from list_descendants(int(child))


def name_process(process: int) -> str:
    """What it is for, by its command; "" if it is gone."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    if CLI in words:
        told = words[words.index(CLI) + 1 :]
        return told[1] if len(told) > 1 and told[1] != "run" else told[0]
    if any("valkey" in word or "redis" in word for word in words[:1]):
        return SERVER
    if any("forkserver" in word or "resource_tracker" in word for word in words):
        return FORKS
    return HELPER if any("multiprocessing" in word or "setoff" in word for word in words) else ""


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
