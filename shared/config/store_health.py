"""What keeps a store from being written: said before anything that only follows from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError

from setoff.shared.config.settings import Settings

ROOM: Final = 32 * 10**6
"""Bytes below which a disk is as good as full: rewriting its log takes the server as much as it has in memory."""

FULL: Final = 0.95
"""Part of its memory from which on a server that forgets nothing is as good as full."""


def find_store_problems(settings: Settings, redis: Redis | None = None) -> list[str]:
    """In words, each with what to do. `redis`: its client, None where the server does not run, or is another's.

    A server that syncs each write ends where its disk is full: then only the disk tells why.
    """
    found = [] if settings.redis_url else _find_disk_problems(settings.redis_dir)
    if redis is not None:
        found += _find_server_problems(redis)
    return found


def _find_disk_problems(folder: Path) -> list[str]:
    folder = folder.resolve()
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return []  # there is no such folder yet
    if free >= ROOM:
        return []
    return [f"the store's disk is full: {free / 1e6:.1f} MB left at {folder}; nothing is written until there is room"]


def _find_server_problems(redis: Redis) -> list[str]:
    try:
        memory, keeping = (redis.info(part) for part in ("memory", "persistence"))
    except BusyLoadingError:
        return ["the store is still reading its log from the disk: it answers when it has it all"]
    except (ConnectionError, TimeoutError):
        raise
    except RedisError:
        return []  # it does not tell: not everybody may ask a server of others
    found = []
    if keeping.get("aof_last_write_status", "ok") != "ok":
        found.append("the store cannot write to its disk (aof_last_write_status): nothing is taken until it can")
    used, most = int(memory.get("used_memory", 0)), int(memory.get("maxmemory", 0))
    if most and used >= FULL * most:
        found.append(f"the store is full: {used / 1e6:.0f} of its {most / 1e6:.0f} MB are used; raise its maxmemory")
    return found
