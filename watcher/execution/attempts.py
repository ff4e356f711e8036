"""Jobs that end their worker, or raise what nobody foresees: counted, left alone after a few times, and said aloud.

An attempt is written down before it begins and struck out when it has come to an end: a result, or a reason that passes
by itself (L1 away, data withheld, a reorg). What stays is of a worker that was killed, or of an error in the program.
Who has got further than the last time begins to count anew: a long epoch may see any number of restarts.

    {prefix}:attempts         hash: (epoch hash, start) -> JSON, see `Attempt`
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast

from setoff.watcher.store import Store

MOST: Final = 3
"""Attempts after which an epoch is left alone for a while, and the next is made by plain steps."""

MOST_AHEAD: Final = 2
"""The same where the start is not known to be true: after these it waits for its turn."""

FIRST_REST, LONGEST_REST = 60.0, 900.0
"""Seconds for which it is left alone, doubled with each further attempt: whatever it was, memory or a disk, may be
mended meanwhile, and nothing that comes after can be judged without it."""

HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of attempts that came to no end."""

    epoch: int
    count: int
    at: float
    """Unix seconds of the last one."""
    worker: str
    place: tuple[int, int]
    """Batch of the epoch, and inputs of it, at which it began."""
    error: str = ""
    """What was raised; empty where the worker just ended."""
    is_ahead: bool = False
    """Whether the start was not known to be true."""

    @property
    def is_poisoned(self) -> bool:
        """Whether it is left alone."""
        return self.count >= (MOST_AHEAD if self.is_ahead else MOST)

    @property
    def rests_until(self) -> float:
        """Unix seconds before which it is not tried again; of one that runs ahead of others, never."""
        if not self.is_poisoned:
            return 0.0
        return float("inf") if self.is_ahead else self.at + min(FIRST_REST * 2 ** (self.count - MOST), LONGEST_REST)

    def describe(self) -> str:
        """For people."""
        what = f"raised {self.error}" if self.error else f"ended {self.worker}"
        then = "waits for its turn" if self.is_ahead else "is tried again after a while, by plain steps"
        ahead = " ahead of those before it" if self.is_ahead else ""
        return f"epoch {self.epoch}{ahead}: {self.count} attempts came to no end, the last {what}; it {then}"


class Attempts:
    """The attempts of all workers of a watcher."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.key("attempts")

    def find(self, epoch_hash: bytes, start: bytes) -> Attempt | None:
        """What is known of an epoch from that start."""
        value = cast("bytes | None", self._store.redis.hget(self._key, cast(str, epoch_hash + start)))
        return None if value is None else _decode(value)

    def begin(
        self, epoch: int, epoch_hash: bytes, start: bytes, worker: str, place: tuple[int, int], *, is_ahead: bool
    ) -> None:
        """A worker begins, at that place of the epoch."""
        before = self.find(epoch_hash, start)
        counted = before is not None and before.place >= place and before.is_ahead == is_ahead
        count = before.count + 1 if before is not None and counted else 1
        error = before.error if before is not None and counted else ""
        self._put(epoch_hash, start, Attempt(epoch, count, time.time(), worker, place, error, is_ahead))

    def fail(self, epoch_hash: bytes, start: bytes, error: BaseException) -> None:
        """It raised that. From a start that is not known to be true it is not tried again."""
        before = self.find(epoch_hash, start)
        if before is not None:
            words, count = f"{type(error).__name__}: {error}"[:200], before.count
            count = max(count, MOST_AHEAD) if before.is_ahead else count
            self._put(epoch_hash, start, replace(before, at=time.time(), error=words, count=count))

    def end(self, epoch_hash: bytes, start: bytes) -> None:
        """It came to an end."""
        self._store.redis.hdel(self._key, cast(str, epoch_hash + start))

    def poisoned(self) -> Sequence[Attempt]:
        """Those that are left alone, by epoch; what belongs to no epoch that is posted is forgotten."""
        found = []
        for field, value in cast("dict[bytes, bytes]", self._store.redis.hgetall(self._key)).items():
            attempt = _decode(value)
            if attempt is None or self._store.epoch_hash(attempt.epoch) != field[:HASH_BYTES]:
                self._store.redis.hdel(self._key, cast(str, field))
            elif attempt.is_poisoned:
                found.append(attempt)
        return sorted(found, key=lambda attempt: attempt.epoch)

    def _put(self, epoch_hash: bytes, start: bytes, attempt: Attempt) -> None:
        self._store.redis.hset(self._key, cast(str, epoch_hash + start), json.dumps(asdict(attempt)))


def _decode(value: bytes) -> Attempt | None:
    try:
        fields: dict[str, Any] = json.loads(value)
        return Attempt(**{**fields, "place": tuple(fields["place"])})
    except (ValueError, TypeError, KeyError):
        return None
