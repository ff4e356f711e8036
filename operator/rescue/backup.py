"""A copy of the log in a file: taken while the operator runs, kept up with it, and put back into an empty store.

What it holds is what a store needs that L1 may not have: the snapshot, every commit after it, closed batches that are
kept, proofs of withdrawals, where the publisher begins. It is checked while it is written: commits without a gap,
batches that follow from each other up to the snapshot. A copy is as old as its last commit: what was acknowledged after
that is not in it, and whoever goes on from it promises numbers again (`rebuild.py` says which).

The file is gzip over MessagePack: lists of a name and what belongs to it, the first ["setoff log", FORMAT, facts].
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgpack
from redis import Redis

from setoff.operator.publisher.snapshot import read_start_fields, write_start_fields
from setoff.operator.sequencer import unfinished
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.journal import get_keys, get_pieces_key
from setoff.operator.sequencer.journal_events import decode_events
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.errors import ConfigError, DataError, WitnessError
from setoff.shared.machine.batch import Header
from setoff.shared.machine.machine import Machine

MAGIC: Final = "setoff log"
FORMAT: Final = 1
PAGE: Final = 256
"""Commits, or batches, that are read at a time."""
TRIES: Final = 5
"""Times a copy is begun again because the log was cut meanwhile."""
BLOCK_MS: Final = 500
COMPRESSION: Final = 1
"""The log is hashes and signatures for the most part, which no level makes smaller."""


class Copied(NamedTuple):
    """What a file holds: commits after the snapshot, kept batches; `next`: number of the batch at the snapshot's end;
    `taken_at`: when the last commit was read, unix seconds."""

    commits: int
    batches: int
    next: int
    taken_at: float


class _AgainError(Exception):
    """The log was cut, or batches were made anew, while it was read."""


class Backup:
    """Copies one deployment's log."""

    def __init__(self, redis: Redis, namespace: str, report: Callable[[str], None] = lambda text: None) -> None:
        self._redis = redis
        self._namespace = namespace
        self._outbox = Outbox(redis, namespace)
        self._journal, self._snapshot = get_keys(namespace)
        self._report = report

    def write(self, path: Path) -> Copied:
        """Write a copy; the file is there whole or not at all. Raises DataError if the log contradicts itself, or is
        cut again and again meanwhile, RedisError, OSError."""
        draft = path.with_name(path.name + ".new")
        with draft.open("wb") as file:
            copied, _ = self._write_again(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return copied

    def follow(self, path: Path, is_over: Callable[[], bool], is_begun: Callable[[Copied], None]) -> Copied:
        """The same, and then every commit as it comes, on the disk before the next is asked for, until `is_over`.
        `is_begun` hears of the copy as it was at first."""
        draft = path.with_name(path.name + ".new")
        with draft.open("wb") as file:
            copied, last = self._write_again(file)
            os.fsync(file.fileno())
            draft.replace(path)
            is_begun(copied)
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION) as packed:
                while not is_over():
                    answer = cast(Any, self._redis.xread({self._journal: f"{last}-0"}, count=PAGE, block=BLOCK_MS))
                    count = 0
                    for identity, fields in answer[0][1] if answer else ():
                        last, count = _check(identity, last), count + 1
                        _put(packed, "commit", fields[b"events"])
                    copied = copied._replace(commits=copied.commits + count, taken_at=time.time())
                    if count:
                        packed.flush()
                        file.flush()
                        os.fsync(file.fileno())
        return copied

    def _write_again(self, file: BinaryIO) -> tuple[Copied, int]:
        for _ in range(TRIES):
            try:
                file.seek(0)
                file.truncate()
                with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION) as packed:
                    return self._copy(packed)
            except _AgainError as error:
                self._report(f"{error}: begun again")
        raise DataError("data_mismatch", "the log was cut again and again while it was read")

    def _copy(self, file: gzip.GzipFile) -> tuple[Copied, int]:
        """Everything there is now; with the number of the last commit."""
        if why := unfinished.read(self._redis, self._namespace):
            raise DataError("data_mismatch", f"the store is not whole: {why}")
        _put(file, MAGIC, FORMAT, {"namespace": self._namespace, "begun_at": time.time()})
        snapshot = cast("dict[bytes, bytes]", self._redis.hgetall(self._snapshot))
        cursor = BatchCursor.decode(snapshot[b"cursor"]) if snapshot else BatchCursor()
        commit = int(snapshot.get(b"commit", 0))
        _put(file, "snapshot", snapshot)
        self._copy_pieces(file, snapshot, commit)
        count, last = 0, commit
        for number, events in self._list_commits(commit):
            _put(file, "commit", events)
            count, last = count + 1, number
            if count % PAGE == 0:
                self._report(f"commit {count}")
        batches = self._copy_batches(file, cursor)
        for index, proof in self._redis.hscan_iter(self._outbox.proofs_key):
            _put(file, "withdrawal", index, proof)
        _put(file, "publisher", read_start_fields(self._redis, self._namespace))
        _put(file, "alarm", self._outbox.alarm.read())
        copied = Copied(count, batches, cursor.number, time.time())
        _put(file, "whole", copied._asdict())
        return copied, last

    def _copy_pieces(self, file: gzip.GzipFile, snapshot: dict[bytes, bytes], commit: int) -> None:
        """The machine of the snapshot, which must hash to its end."""
        if not snapshot:
            return
        key, number, pieces = get_pieces_key(self._namespace, commit), 0, [snapshot.get(b"machine", b"")]
        while piece := cast("bytes | None", self._redis.lindex(key, number)):
            _put(file, "piece", piece)
            pieces.append(piece)
            number += 1
        try:
            end = Machine.restore(b"".join(pieces)).hash()
        except WitnessError:
            end = b""
        if end != snapshot[b"end"]:
            raise _AgainError("another snapshot was written")

    def _list_commits(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Commits behind this number, up to the last there is when it is begun."""
        newest = cast(Any, self._redis.xrevrange(self._journal, count=1))
        end = int(newest[0][0].split(b"-")[0]) if newest else after
        while after < end:
            page = cast(Any, self._redis.xrange(self._journal, f"({after}-0", f"{end}-0", count=PAGE))
            if not page:
                raise _AgainError(f"commit {after + 1} was cut off")
            for identity, fields in page:
                after = _check(identity, after)
                yield after, fields[b"events"]

    def _copy_batches(self, file: gzip.GzipFile, cursor: BatchCursor) -> int:
        """The batches before the snapshot that are still kept, from the last one back; how many."""
        parent, number, count = cursor.parent, cursor.number - 1, 0
        while number >= self._outbox.kept_from():
            fields = self._outbox.read_fields(number)
            if not fields and number < self._outbox.kept_from():
                break
            if not fields or Header.decode(fields[b"header"]).hash() != parent:
                raise _AgainError(f"batch {number} is another one")
            _put(file, "batch", number, fields)
            parent, number, count = Header.decode(fields[b"header"]).parent, number - 1, count + 1
            if count % PAGE == 0:
                self._report(f"batch {number}")
        return count


def restore(redis: Redis, namespace: str, path: Path) -> Copied:
    """Put a copy into an empty store, where it counts as not whole until a rebuild has brought it to where L1 is.

    Raises ConfigError if the store is not empty, or the file is of another deployment, DataError if it is damaged.
    """
    journal, snapshot_key = get_keys(namespace)
    outbox = Outbox(redis, namespace)
    if redis.exists(journal) or redis.exists(snapshot_key) or outbox.latest() >= 0:
        what = "the store is not empty: a copy is put into a new one alone (redis_dir, redis_url)"
        raise ConfigError("bad_config", what)
    entries = read_entries(path)
    head = next(entries, None)
    if head is None or head[0] != MAGIC or head[1] != FORMAT:
        raise DataError("data_mismatch", f"{path} is no copy of a log that this version reads")
    if head[2]["namespace"] != namespace:
        raise ConfigError("wrong_deployment", f"{path} is a copy of another deployment's log, {head[2]['namespace']}")
    unfinished.mark(redis, namespace, f"it was put back from {path.name}")
    copied, first_batch, is_whole, commit, commits = Copied(0, 0, 0, 0.0), None, False, 0, 0
    for name, *rest in entries:
        if name == "snapshot" and rest[0]:
            commit = int(rest[0][b"commit"])
            redis.hset(snapshot_key, mapping=rest[0])
            redis.xadd(journal, {"events": b""}, id=f"{commit}-0")
        elif name == "piece":
            redis.rpush(get_pieces_key(namespace, commit), rest[0])
        elif name == "commit":
            list(decode_events(rest[0]))  # a damaged one is found before it is put back
            commit, commits = commit + 1, commits + 1
            redis.xadd(journal, {"events": rest[0]}, id=f"{commit}-0")
        elif name == "batch":
            first_batch = rest[0]
            outbox.write_fields(first_batch, rest[1])
        elif name == "withdrawal":
            redis.hset(outbox.proofs_key, rest[0], rest[1])
        elif name == "publisher" and rest[0]:
            write_start_fields(redis, namespace, rest[0])
        elif name == "alarm" and rest[0]:
            outbox.alarm.ring(rest[0])
        elif name == "whole":
            is_whole, copied = True, Copied(**rest[0])
    if not is_whole:
        raise DataError("data_mismatch", f"{path} is cut short: it is no whole copy")
    outbox.begin_at(copied.next if first_batch is None else first_batch, copied.next)
    return copied._replace(commits=commits)


def _put(file: gzip.GzipFile, *entry: object) -> None:
    file.write(msgpack.packb(entry))


def read_entries(path: Path) -> Iterator[list[Any]]:
    """The entries of a file, as far as they are there: what follows a log may have been ended in the middle of one."""
    unpacker = msgpack.Unpacker(max_buffer_size=2**31 - 1)
    try:
        with gzip.open(path, "rb") as file:
            while True:
                try:
                    piece = file.read1(1 << 20)
                except EOFError:
                    break
                if not piece:
                    break
                unpacker.feed(piece)
                for entry in unpacker:
                    if not isinstance(entry, list) or not entry:
                        raise DataError("data_mismatch", f"{path} is damaged")
                    yield entry
    except (OSError, zlib.error, ValueError) as error:
        raise DataError("data_mismatch", f"{path} cannot be read: {error}") from None


def _check(identity: bytes, before: int) -> int:
    if identity != b"%d-0" % (before + 1):
        raise _AgainError(f"commit {before + 1} was cut off")
    return before + 1
