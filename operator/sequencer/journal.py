"""The sequencer's journal: a Redis stream on which an input is durable before anybody hears that it was accepted.

One entry is one commit: the events of a whole group, written and synced at once. Commits are numbered without gaps and
the number is the entry's id, which the server takes only if it is the highest: so a commit is there as a whole or not
at all, never twice, and of two processes that write to one journal the one that came later wins, and the other stops.
A snapshot of the machine stands for all commits up to its own, which are then cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

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


def get_keys(namespace: str) -> tuple[str, str]:
    """Where a deployment's journal and snapshot are."""
    return f"{namespace}:journal", f"{namespace}:snapshot"


def connect(url: str) -> Redis:
    """A client that never sends a command twice: whether a lost one was carried out is for the journal to find out."""
    return Redis.from_url(
        url, socket_timeout=STORE_TIMEOUT, socket_connect_timeout=STORE_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )


class Journal:
    """The journal of one deployment; `commit` is the number of the last commit read or written, 0 before the first."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
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
        return Snapshot(
            int(fields[b"commit"]), BatchCursor.decode(fields[b"cursor"]), fields[b"machine"], fields[b"end"]
        )

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

    async def begin_anew(self, snapshot: Snapshot, events: Iterable[JournalEvent] = ()) -> None:
        """Let this state stand for everything that was logged, whatever it was: a later number than all before, and so
        no follower's place in the journal. `events`: the commit behind it. All or nothing."""
        packed = encode_events(events)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._stream, {"events": b""}, id=f"{snapshot.commit}-0")
            self._replace(pipe, snapshot)
            if packed:
                pipe.xadd(self._stream, {"events": packed}, id=f"{snapshot.commit + 1}-0")
            await pipe.execute()
        self.commit = snapshot.commit + bool(packed)

    async def write_snapshot(self, snapshot: Snapshot) -> None:
        """Let this state stand for everything up to its commit, and cut that off. All or nothing."""
        async with self._redis.pipeline(transaction=True) as pipe:
            self._replace(pipe, snapshot)
            await pipe.execute()

    def _replace(self, pipe: Pipeline, snapshot: Snapshot) -> None:
        """Have this snapshot take the place of the last one, and of what was logged up to its commit."""
        fields = {
            "commit": snapshot.commit,
            "cursor": snapshot.cursor.encode(),
            "machine": snapshot.machine,
            "end": snapshot.end,
        }
        pipe.hset(self._snapshot, mapping=cast(Any, fields))
        pipe.xtrim(self._stream, minid=f"{snapshot.commit + 1}-0", approximate=False)
