"""How a watcher is: every process says so in its store every second (`shared/config/pulse.py`)."""

from __future__ import annotations

import os
import socket

from setoff.shared.config import pulse
from setoff.shared.config.pulse import STALE, ProcessStatus
from setoff.watcher.store import Store

__all__ = ["STALE", "ProcessStatus", "Pulse", "forget_dead", "is_process_alive", "read_status"]


class Pulse(pulse.Pulse):
    """The sign of life of a process of the watcher."""

    def __init__(self, store: Store, process: str) -> None:
        super().__init__(store.redis, store.key("status"), process)


def read_status(store: Store) -> list[ProcessStatus]:
    """All processes of a watcher, by name. Raises RedisError."""
    return pulse.read_status(store.redis, store.key("status"))


def forget_dead(store: Store) -> None:
    """Take those off the list that ran on this host and do not any more: they were killed, and others are in their
    place. Raises RedisError."""
    for status in read_status(store):
        process = status.facts.get("pid")
        if status.facts.get("host") == socket.gethostname() and process and not _runs(process):
            store.redis.hdel(store.key("status"), status.process)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_process_alive(store: Store, process: str) -> bool:
    """Whether that process was heard of lately."""
    return any(status.process == process and status.is_alive for status in read_status(store))
