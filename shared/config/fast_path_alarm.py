"""That a fast path was found to be wrong: kept in Redis, so that whoever starts anew takes every step from the start.

Nobody forgets it by itself. After an upgrade to a version whose fast path is right, the key is deleted by hand.
"""

from __future__ import annotations

from typing import cast

from redis import Redis


class FastPathAlarm:
    """One key: what was found, the first time. All processes of a party share it."""

    def __init__(self, redis: Redis, key: str) -> None:
        """`redis` must not decode responses."""
        self._redis = redis
        self.key = key

    def read(self) -> str:
        """What a fast path got wrong; empty if nothing is known of that. Raises RedisError."""
        return (cast("bytes | None", self._redis.get(self.key)) or b"").decode()

    def ring(self, text: str) -> None:
        """A fast path was wrong. Raises RedisError."""
        self._redis.setnx(self.key, text)
