"""How a watcher is: every process says so in its store every second (`shared/config/pulse.py`)."""

from __future__ import annotations

from setoff.shared.config import pulse
from setoff.shared.config.pulse import STALE, ProcessStatus
from setoff.watcher.store import Store

__all__ = ["STALE", "ProcessStatus", "Pulse", "is_process_alive", "read_status"]


class Pulse(pulse.Pulse):
    """The sign of life of a process of the watcher."""

    def __init__(self, store: Store, process: str) -> None:
        super().__init__(store.redis, store.key("status"), process)


def read_status(store: Store) -> list[ProcessStatus]:
    """All processes of a watcher, by name. Raises RedisError."""
    return pulse.read_status(store.redis, store.key("status"))


def is_process_alive(store: Store, process: str) -> bool:
    """Whether that process was heard of lately."""
    return any(status.process == process and status.is_alive for status in read_status(store))
