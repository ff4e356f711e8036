"""How a watcher is: every process says so in Redis every few seconds, and anybody may read it.

{prefix}:status   hash: process -> JSON object: `time` (unix seconds), `pid`, `host`, and what it has to tell
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.exceptions import RedisError

from setoff.watcher.store import Store

BEAT: Final = 1.0
"""Seconds between two signs of life."""

STALE: Final = 5.0
"""Seconds without one after which a process counts as dead."""

FORGOTTEN: Final = 3600.0
"""Seconds without one after which it is no longer listed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What one process said last."""

    process: str
    age: float
    """Seconds since then."""
    facts: dict[str, Any]

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of lately."""
        return self.age < STALE


def read_status(store: Store) -> list[ProcessStatus]:
    """All processes of a watcher, by name. One that has been silent for long is taken off the list."""
    now = time.time()
    found: list[ProcessStatus] = []
    entries = cast("dict[bytes, bytes]", store.redis.hgetall(store.key("status")))
    for name, text in sorted(entries.items()):
        try:
            facts = dict(json.loads(text))
            age = max(0.0, now - float(facts.pop("time")))
        except (ValueError, TypeError, KeyError):
            continue
        if age < FORGOTTEN:
            found.append(ProcessStatus(name.decode(), age, facts))
        else:
            store.redis.hdel(store.key("status"), name)
    return found


def is_process_alive(store: Store, process: str) -> bool:
    """Whether that process was heard of lately."""
    return any(status.process == process and status.is_alive for status in read_status(store))


class Pulse:
    """One process's sign of life, given from a thread of its own so that long work does not look like death."""

    def __init__(self, store: Store, process: str) -> None:
        self._store = store
        self._process = process
        self._facts: dict[str, Any] = {}
        self._stop = threading.Event()

    def tell(self, **facts: Any) -> None:
        """What to say from the next sign on, beside what was told before; JSON values."""
        self._facts = self._facts | facts

    @contextmanager
    def beating(self) -> Iterator[Pulse]:
        """Beat as long as the block runs; at its end the process is taken off the list."""
        thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(STALE)
            try:
                self._store.redis.hdel(self._store.key("status"), self._process)
            except RedisError as error:
                log.debug("no farewell: %s", error)

    def beat(self) -> None:
        """Give one sign now."""
        facts = {"time": time.time(), "pid": os.getpid(), "host": socket.gethostname(), **self._facts}
        self._store.redis.hset(self._store.key("status"), self._process, json.dumps(facts))

    def _run(self) -> None:
        while True:
            try:
                self.beat()
            except RedisError as error:
                log.warning("Redis does not answer: %s", error)
            if self._stop.wait(BEAT):
                return
