"""Whether a store may be run on: one that is being made again, or was put back from a copy, may lack what was promised.

Key: `{namespace}:unfinished`, why it may not.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from setoff.shared.errors import StateError


def mark(redis: Redis, namespace: str, why: str) -> None:
    """Nobody may run on it from now on. Raises RedisError."""
    redis.set(_key(namespace), why)


def clear(redis: Redis, namespace: str) -> None:
    """It is whole. Raises RedisError."""
    redis.delete(_key(namespace))


def read(redis: Redis, namespace: str) -> str:
    """Why it may not be run on, "" if it may. Raises RedisError."""
    return (cast("bytes | None", redis.get(_key(namespace))) or b"").decode()


def check(redis: Redis, namespace: str) -> None:
    """Raises StateError("not_ready") if it may not be run on, RedisError."""
    if why := read(redis, namespace):
        raise StateError("not_ready", f"the store is not whole: {why}; `setoff operator rebuild` goes on with it")


def _key(namespace: str) -> str:
    return f"{namespace}:unfinished"
