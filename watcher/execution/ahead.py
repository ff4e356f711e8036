"""What epochs end at *if* they begin with some machine hash: results of epochs whose start is not known to be true yet.

A statement about a pure function (these batches, from that machine, to this one), so no reorg makes one false. Nobody
relies on one: claims are judged, made and defended by the executed epochs of the store alone, which follow from genesis
without gaps. A conditional result becomes one of them once the epoch before it was executed, and ended at just this
start. What begins where no true epoch ends is thrown away, with all that was built on it.

    {prefix}:ahead            hash: (epoch hash, start) -> (end, the first 8 bytes of keccak of all three)
"""

from __future__ import annotations

import logging
from typing import Final, cast

from setoff.shared.codec.hashing import keccak
from setoff.watcher.store import EpochResult, Store

HASH_BYTES: Final = 32
SUM_BYTES: Final = 8

log = logging.getLogger(__name__)


class Ahead:
    """The conditional results of one watcher."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.key("ahead")

    def get(self, epoch_hash: bytes, start: bytes) -> bytes | None:
        """Machine hash at the end of the epoch from that start, None if nobody has run it."""
        field = epoch_hash + start
        return self._read(field, cast("bytes | None", self._store.redis.hget(self._key, cast(str, field))))

    def put(self, result: EpochResult) -> None:
        """Keep what the epoch ends at if it begins with `result.start`."""
        field = result.epoch_hash + result.start
        value = result.end + keccak(field + result.end)[:SUM_BYTES]
        self._store.redis.hset(self._key, cast(str, field), cast(str, value))

    def count(self) -> int:
        """Results that wait for the epochs before them."""
        return self._store.redis.hlen(self._key)

    def clear(self) -> None:
        """Forget all: there is nothing ahead any more."""
        self._store.redis.delete(self._key)

    def settle(self) -> int:
        """Take up what begins where the executed epochs end, and throw away what begins elsewhere; returns how many
        were taken up."""
        taken = 0
        while self._store.redis.exists(self._key):
            epoch = self._store.epoch_count()
            commitment, start = self._store.epoch_hash(epoch), self._store.end_before(epoch)
            if commitment is None or start is None:
                break
            self._throw_away(epoch, commitment, start)
            end = self.get(commitment, start)
            if end is None or not self._store.put_epoch(epoch, EpochResult(commitment, start, end)):
                break
            self._drop(commitment + start)
            taken += 1
        return taken

    def _throw_away(self, epoch: int, commitment: bytes, start: bytes) -> None:
        """What is of this epoch, and begins elsewhere than where it is known to begin, and what was built on that."""
        fields = cast("list[bytes]", self._store.redis.hkeys(self._key))
        false = {field[HASH_BYTES:] for field in fields if field[:HASH_BYTES] == commitment} - {start}
        count, first = 0, epoch
        while false:
            ends = set()
            for each in false:
                end = self.get(commitment, each)
                count += self._drop(commitment + each)
                ends |= {end} if end is not None else set()
            epoch += 1
            following = self._store.epoch_hash(epoch)
            if following is None:
                break
            commitment, false = following, ends
        if count:
            log.warning(
                "epoch %d does not begin as was claimed: %d results that were built on it are gone", first, count
            )

    def _drop(self, field: bytes) -> int:
        return self._store.redis.hdel(self._key, cast(str, field))

    def _read(self, field: bytes, value: bytes | None) -> bytes | None:
        if value is None or len(value) != HASH_BYTES + SUM_BYTES:
            return None
        end = value[:HASH_BYTES]
        return end if keccak(field + end)[:SUM_BYTES] == value[HASH_BYTES:] else None
