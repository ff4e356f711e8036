"""Witness bundles as they are kept in Redis: so many bytes and no more, for half an hour, and nothing of it precious.

    {prefix}:witness:{epoch hash}:{start}:{batch}      the bundle of a batch, numbered from 0 in its epoch
    {prefix}:witness:{epoch hash}:{start}:boundaries   machine hashes between two batches, as far as they are made
    {prefix}:witness:{epoch hash}:{start}:refused      there, if they are larger than may be kept
    {prefix}:witnesses          hash: epoch hash ‖ start -> (bytes, until when)
    {prefix}:witnesses:making   there while a worker makes some
    {prefix}:witnesses:rest     there while none are made, since some were just now
    {prefix}:witnesses:full     there until some of what is kept is over

What is kept is not dropped for the sake of others: who asks for a thousand epochs would take from each who checks one
what he is about to fetch. So others wait.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple, cast

from setoff.shared.config.pulse import read_clock
from setoff.watcher.store import Store

LASTS: Final = 1800
"""Seconds for which the bundles of an epoch are kept."""

MAKING_LASTS: Final = 30
"""Seconds after which a worker that is silent makes none any more."""

HASH_BYTES: Final = 32

_ENTRY: Final = Struct(">QQ")


class EpochName(NamedTuple):
    """Which run of which epoch: no reorg makes its bundles false."""

    epoch_hash: bytes
    start: bytes


class WitnessShelf:
    """Of one watcher."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._redis = store.redis
        self._index = store.key("witnesses")

    # --- of an epoch ---

    def boundaries(self, name: EpochName) -> list[bytes]:
        """Machine hashes before the first batch and after each, as far as they are made."""
        found = cast("bytes | None", self._redis.get(self._key(name, "boundaries"))) or b""
        return [found[at : at + HASH_BYTES] for at in range(0, len(found) - HASH_BYTES + 1, HASH_BYTES)]

    def begin(self, name: EpochName, start: bytes) -> None:
        """Nothing is made of it yet; it begins with this machine hash."""
        self.drop(name)
        self._redis.set(self._key(name, "boundaries"), start, ex=LASTS)

    def put(self, name: EpochName, batch: int, bundle: bytes, end: bytes) -> None:
        """Keep the bundle of its next batch, and the machine hash after it."""
        size, _ = self._entries().get(name, (0, 0))
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(self._key(name, str(batch)), bundle, ex=LASTS)
            pipe.setrange(self._key(name, "boundaries"), HASH_BYTES * (batch + 1), cast(str, end))
            for number in range(batch):
                pipe.expire(self._key(name, str(number)), LASTS)
            pipe.expire(self._key(name, "boundaries"), LASTS)
            until = int(read_clock(self._redis)) + LASTS
            pipe.hset(self._index, cast(str, name.epoch_hash + name.start), _ENTRY.pack(size + len(bundle), until))
            pipe.execute()

    def measure(self, name: EpochName, batch: int) -> int:
        """Bytes of the bundle of a batch, 0 if it is not here."""
        return self._redis.strlen(self._key(name, str(batch)))

    def read(self, name: EpochName, batch: int, at: int, length: int) -> bytes:
        """A part of it; shorter where it ends, or is gone."""
        return cast(bytes, self._redis.getrange(self._key(name, str(batch)), at, at + length - 1))

    def drop(self, name: EpochName) -> None:
        """Forget all of it."""
        keys = list(self._redis.scan_iter(self._key(name, "*"), count=1000))
        if keys:
            self._redis.delete(*keys)
        self._redis.hdel(self._index, cast(str, name.epoch_hash + name.start))

    def refuse(self, name: EpochName) -> None:
        """It is larger than may be kept: do not try again soon."""
        self.drop(name)
        self._redis.set(self._key(name, "refused"), b"1", ex=LASTS)

    def is_refused(self, name: EpochName) -> bool:
        """Whether that was found lately."""
        return bool(self._redis.exists(self._key(name, "refused")))

    # --- of all ---

    def measure_others(self, name: EpochName) -> int:
        """Bytes of what is kept of other epochs."""
        return sum(size for each, (size, _) in self._entries().items() if each != name)

    def is_made(self) -> bool:
        """Whether a worker makes some now."""
        return bool(self._redis.exists(f"{self._index}:making"))

    def note_making(self, *, ends: bool = False) -> None:
        """This worker does, or has come to an end."""
        if ends:
            self._redis.delete(f"{self._index}:making")
        else:
            self._redis.set(f"{self._index}:making", b"1", ex=MAKING_LASTS)

    def rest(self, seconds: float) -> None:
        """Make none for so long."""
        self._redis.set(f"{self._index}:rest", b"1", ex=max(1, round(seconds)))

    def note_full(self) -> None:
        """Make none until the first of what is kept is over."""
        now, untils = int(read_clock(self._redis)), [until for _, until in self._entries().values()]
        self._redis.set(f"{self._index}:full", b"1", ex=max(1, min(untils, default=now) - now))

    def wait(self) -> int:
        """Seconds until some may be made; 0: now."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.ttl(f"{self._index}:rest")
            pipe.ttl(f"{self._index}:full")
            return max(0, *cast("list[int]", pipe.execute()))

    def _entries(self) -> dict[EpochName, tuple[int, int]]:
        """Bytes of each epoch, and until when they are kept; those that are over are forgotten."""
        now = int(read_clock(self._redis))
        found: dict[EpochName, tuple[int, int]] = {}
        entries = cast("dict[bytes, bytes]", self._redis.hgetall(self._index))
        for field, value in entries.items():
            size, until = _ENTRY.unpack(value) if len(value) == _ENTRY.size else (0, 0)
            if until <= now or len(field) != 2 * HASH_BYTES:
                self._redis.hdel(self._index, cast(str, field))
            else:
                found[EpochName(field[:HASH_BYTES], field[HASH_BYTES:])] = size, until
        return found

    def _key(self, name: EpochName, part: str) -> str:
        return self._store.key("witness", name.epoch_hash.hex(), name.start.hex(), part)
