"""How a service is: each of its processes says so in Redis every second, and anybody may read it.

A hash: process -> JSON object: `time` (unix seconds, by the clock of the Redis server, which all of them see, whatever
their own says), `clock` (how far its own is ahead of that, seconds), `pid`, `host`, and what it has to tell.
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
from typing import Any, Final, Self, cast

from redis import Redis
from redis.exceptions import RedisError

BEAT: Final = 1.0
"""Seconds between two signs of life."""

STALE: Final = 5.0
"""Seconds without one after which a process counts as dead."""

OWN: Final = "own_time"
"""The time by a process's own clock when it gave its sign: by that it tells when it did what."""
TOLERATED: Final = 5
"""Seconds by which a process's own clock may differ from the server's."""

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


def read_status(redis: Redis, key: str) -> list[ProcessStatus]:
    """All processes of the service with this key, by name. One that has been silent for long is taken off the list.

    Raises RedisError.
    """
    now = read_clock(redis)
    found: list[ProcessStatus] = []
    entries = cast("dict[bytes, bytes]", redis.hgetall(key))
    for name, text in sorted(entries.items()):
        try:
            facts = dict(json.loads(text))
            age = max(0.0, now - float(facts.pop("time")))
        except (ValueError, TypeError, KeyError):
            continue
        if age < FORGOTTEN:
            found.append(ProcessStatus(name.decode(), age, facts))
        else:
            redis.hdel(key, name)
    return found


def describe_clock(status: ProcessStatus) -> str:
    """What is wrong with a process's own clock, in words; empty: nothing."""
    ahead = status.facts.get("clock")
    return f"its clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the store's" if ahead else ""


def read_clock(redis: Redis) -> float:
    """Unix seconds by the server's clock. Raises RedisError."""
    seconds, millionths = redis.time()
    return seconds + millionths / 1e6


class Pulse:
    """One process's sign of life, given from a thread of its own so that long work does not look like death."""

    def __init__(self, redis: Redis, key: str, process: str) -> None:
        """`redis` must not decode responses."""
        self._redis = redis
        self._key = key
        self._process = process
        self._facts: dict[str, Any] = {}
        self._telling = threading.Lock()
        self._is_heard = True
        self._stop = threading.Event()

    def tell(self, **facts: Any) -> None:
        """What to say from the next sign on, beside what was told before; JSON values."""
        with self._telling:  # threads tell of different things
            self._facts = self._facts | facts

    @contextmanager
    def beating(self) -> Iterator[Self]:
        """Beat as long as the block runs; at its end the process is taken off the list."""
        thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(STALE)
            try:
                self._redis.hdel(self._key, self._process)
            except RedisError as error:
                log.debug("no farewell: %s", error)

    def beat(self) -> None:
        """Give one sign now."""
        now = read_clock(self._redis)
        own = time.time()
        ahead = round(own - now)
        told = {**self._facts, **({"clock": ahead} if abs(ahead) > TOLERATED else {})}
        facts = {**told, "time": now, OWN: own, "pid": os.getpid(), "host": socket.gethostname()}
        self._redis.hset(self._key, self._process, json.dumps(facts))

    def _run(self) -> None:
        while True:
            try:
                self.beat()
                self._is_heard = True
            except RedisError as error:
                if self._is_heard:  # said once, not every second of an outage
                    log.warning("Redis does not answer: %s", error)
                self._is_heard = False
            if self._stop.wait(BEAT):
                return
