"""The machine that the publisher keeps, at the last confirmed start, for watchers that catch up.

It is packed once for each start, beside the event loop, by whoever is first asked for it; its hash was written down
with it, so that nobody here has to compute one.
"""

from __future__ import annotations

import threading
import zlib
from typing import Final, cast

from redis import Redis

HASH: Final = "machine_hash"
MACHINE: Final = "machine"
"""Fields of the publisher's start."""


def start_key(namespace: str) -> str:
    """Where the publisher's start is: a hash of epoch, queue hash, machine and machine hash."""
    return f"{namespace}:publisher"


class KeptStart:
    """Reads it. For any number of threads."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._key = start_key(namespace)
        self._packing = threading.Lock()
        self._packed: tuple[bytes, bytes] = b"", b""

    def list(self) -> list[bytes]:
        """Its machine hash; none where nothing is kept. Raises RedisError."""
        found = cast("bytes | None", self._redis.hget(self._key, HASH))
        return [] if found is None else [found]

    def measure(self, machine_hash: bytes) -> int:
        """Bytes of the machine, packed by zlib; 0 if it is another one. Raises RedisError."""
        with self._packing:
            if self._packed[0] != machine_hash and self.list() == [machine_hash]:
                found, machine = cast("list[bytes | None]", self._redis.hmget(self._key, HASH, MACHINE))
                if found is not None and machine is not None:
                    self._packed = found, zlib.compress(machine, level=1)
            there, packed = self._packed
            return len(packed) if there == machine_hash else 0

    def read(self, machine_hash: bytes, at: int, length: int) -> bytes:
        """A part of what was measured; nothing once another one has taken its place."""
        there, packed = self._packed
        return packed[at : at + length] if there == machine_hash else b""
