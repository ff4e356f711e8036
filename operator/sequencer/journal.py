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


def connect(url: str) -> Redis:
    """A client that never sends a command twice: whether a lost one was carried out is for the journal to find out."""
    return Redis.from_url(
        url, socket_timeout=STORE_TIMEOUT, socket_connect_timeout=STORE_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )


class Journal:
    """The journal of one deployment; `commit` is the number of the last commit read or written, 0 before the first."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._stream = f"{namespace}:journal"
        self._snapshot = f"{namespace}:snapshot"
        self.commit = 0

    async def append(self, events: Iterable[JournalEvent]) -> None:
        """Write one commit; it is on disk when this returns.

        Raises JournalTaken if another process writes here, RedisError or OSError if the store fails (whether the commit
        was written is then unknown: read the journal again).
        """
        try:
            await self._redis.xadd(self._stream, {"events": encode_events(events)}, id=f"{self.commit + 1}-0")
        except ResponseError as error:
            if "equal or smaller" in str(error):
                raise JournalTaken("not_ready", "another sequencer writes to this journal") from None
            raise
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

    async def write_snapshot(self, snapshot: Snapshot) -> None:
        """Let this state stand for everything up to its commit, and cut that off. All or nothing."""
        async with self._redis.pipeline(transaction=True) as pipe:
            fields = {
                "commit": snapshot.commit,
                "cursor": snapshot.cursor.encode(),
                "machine": snapshot.machine,
                "end": snapshot.end,
            }
            pipe.hset(self._snapshot, mapping=cast(Any, fields))
            pipe.xtrim(self._stream, minid=f"{snapshot.commit + 1}-0", approximate=False)
            await pipe.execute()
