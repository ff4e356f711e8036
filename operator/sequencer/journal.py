"""The sequencer's journal: a Redis stream on which an input is durable before anybody hears that it was accepted.

One entry is one commit: the events of a whole group, written and synced at once. Commits are numbered without gaps and
the number is the entry's id, which the server takes only if it is the highest: so a commit is there as a whole or not
at all, never twice, and of two processes that write to one journal the one that came later wins, and the other stops.
A snapshot of the machine stands for all commits up to its own, which are then cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.journal_events import JournalEvent, decode_events, encode_events
from setoff.shared.errors import DataError, StateError
from setoff.shared.machine.machine import Machine

REPLAY_PAGE: Final = 256
"""Commits that one read takes."""
LEAVES_WRITTEN: Final = 256
"""Leaves of one piece of a snapshot: a millisecond of this process, and some of the store."""
PAUSES: Final = 4
"""Times that a piece took until the next one: the rest of the time is the commits'."""
PIECES_READ: Final = 16
COMMITS_CUT: Final = 1000
"""Commits that are cut off at a time."""
STORE_TIMEOUT: Final = 10.0
"""Seconds to wait for one answer of Redis."""


class JournalTaken(StateError):
    """Another process has written to the journal since this one read it."""


class JournalLost(DataError):
    """The journal is not there any more: somebody has emptied the store."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after commit number `commit`, between two batches: the machine's bytes and its hash `end`."""

    commit: int
    cursor: BatchCursor
    machine: bytes
    end: bytes

    def restore(self) -> Machine:
        """The machine. Raises DataError("data_mismatch") if it does not hash to `end`."""
        machine = Machine.restore(self.machine)
        if machine.hash() != self.end:
            raise DataError("data_mismatch", "the snapshot in the store is damaged")
        return machine


class Draft(NamedTuple):
    """A snapshot that is to be written: `machine` is a copy that nobody changes."""

    commit: int
    cursor: BatchCursor
    machine: Machine
    end: bytes


def get_keys(namespace: str) -> tuple[str, str]:
    """Where a deployment's journal and snapshot are."""
    return f"{namespace}:journal", f"{namespace}:snapshot"


def get_pieces_key(namespace: str, commit: int) -> str:
    """Where the pieces of the machine of the snapshot at that commit are: a list, in their order."""
    return f"{namespace}:snapshot:{commit}"


def connect(url: str) -> Redis:
    """A client that never sends a command twice: whether a lost one was carried out is for the journal to find out."""
    return Redis.from_url(
        url, socket_timeout=STORE_TIMEOUT, socket_connect_timeout=STORE_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )


class Journal:
    """The journal of one deployment; `commit` is the number of the last commit read or written, 0 before the first."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace
        self._stream, self._snapshot = get_keys(namespace)
        self.commit = 0

    async def append(self, events: Iterable[JournalEvent]) -> None:
        """Write one commit; it is on disk when this returns.

        Raises JournalTaken if another process writes here, JournalLost if what was written before is gone, RedisError
        or OSError if the store fails (whether the commit was written is then unknown: read the journal again).
        """
        fields, identity = {"events": encode_events(events)}, f"{self.commit + 1}-0"
        try:
            # The first commit begins the stream; a later one that would begin it stands on commits that are lost.
            added = await self._redis.xadd(self._stream, cast(Any, fields), id=identity, nomkstream=self.commit > 0)
        except ResponseError as error:
            if "equal or smaller" in str(error):
                raise JournalTaken("not_ready", "another sequencer writes to this journal") from None
            raise
        if added is None:
            raise JournalLost("data_mismatch", f"the store has lost the journal, commits up to {self.commit}")
        self.commit += 1

    async def read_snapshot(self) -> Snapshot | None:
        """The last snapshot, if any."""
        fields = cast("dict[bytes, bytes]", await cast(Any, self._redis.hgetall(self._snapshot)))
        if not fields:
            return None
        machine = fields.get(b"machine")  # as versions before the one that writes pieces kept it
        commit = int(fields[b"commit"])
        if machine is None:
            machine = b"".join([piece async for piece in self._read_pieces(commit)])
        return Snapshot(commit, BatchCursor.decode(fields[b"cursor"]), machine, fields[b"end"])

    async def _read_pieces(self, commit: int) -> AsyncIterator[bytes]:
        key, first = get_pieces_key(self._namespace, commit), 0
        while page := await cast(Any, self._redis.lrange(key, first, first + PIECES_READ - 1)):
            for piece in page:
                yield piece
            first += PIECES_READ

    async def replay(self, after: int) -> AsyncIterator[list[JournalEvent]]:
        """The commits after number `after`, one by one.

        Raises DataError("data_mismatch") on a gap or a damaged entry.
        """
        self.commit = after
        while True:
            found = await self._redis.xrange(self._stream, min=f"({self.commit}-0", count=REPLAY_PAGE)
            page = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
            if not page:
                return
            for identity, fields in page:
                if identity != b"%d-0" % (self.commit + 1):
                    raise DataError("data_mismatch", f"commit {self.commit + 1} is missing from the journal")
                self.commit += 1
                yield list(decode_events(fields[b"events"]))

    async def begin_anew(self, draft: Draft, events: Iterable[JournalEvent] = ()) -> None:
        """Let this state stand for everything that was logged, whatever it was: a later number than all before, and so
        no follower's place in the journal. `events`: the commit behind it. All or nothing."""
        packed = encode_events(events)
        await self._write_pieces(draft)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._stream, {"events": b""}, id=f"{draft.commit}-0")
            await self._replace(pipe, draft)
            pipe.xtrim(self._stream, minid=f"{draft.commit + 1}-0", approximate=False)
            if packed:
                pipe.xadd(self._stream, {"events": packed}, id=f"{draft.commit + 1}-0")
            await pipe.execute()
        self.commit = draft.commit + bool(packed)

    async def write_snapshot(self, draft: Draft) -> None:
        """Let this state stand for everything up to its commit, and cut that off: all or nothing, and piece by piece,
        so that whoever trades meanwhile waits for none of them long. Raises RedisError, OSError."""
        await self._write_pieces(draft, PAUSES)
        async with self._redis.pipeline(transaction=True) as pipe:
            await self._replace(pipe, draft)
            await pipe.execute()
        first = cast("list[tuple[bytes, object]]", await self._redis.xrange(self._stream, count=1))
        cut = int(first[0][0].split(b"-")[0]) if first else draft.commit
        while cut <= draft.commit:
            cut += COMMITS_CUT
            last = min(cut, draft.commit + 1)
            await self._redis.xtrim(self._stream, minid=f"{last}-0", approximate=False)

    async def _write_pieces(self, draft: Draft, pauses: int = 0) -> None:
        key = get_pieces_key(self._namespace, draft.commit)
        await self._redis.unlink(key)  # what one that was broken off has left
        begun = time.monotonic()
        for piece in draft.machine.pieces(LEAVES_WRITTEN):
            await cast(Any, self._redis.rpush(key, piece))
            await asyncio.sleep(pauses * (time.monotonic() - begun))
            begun = time.monotonic()

    async def _replace(self, pipe: Pipeline, draft: Draft) -> None:
        """Have this snapshot, whose pieces are there, take the place of the last one."""
        before = cast("bytes | None", await cast(Any, self._redis.hget(self._snapshot, "commit")))
        fields = {"commit": draft.commit, "cursor": draft.cursor.encode(), "end": draft.end}
        pipe.hset(self._snapshot, mapping=cast(Any, fields))
        pipe.hdel(self._snapshot, "machine")
        if before is not None and int(before) != draft.commit:
            pipe.unlink(get_pieces_key(self._namespace, int(before)))
