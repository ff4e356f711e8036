"""Follows the sequencer's journal, and where that does not reach back, the outbox's batches."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from redis import Redis

from setoff.operator.history.from_l1 import follow_l1
from setoff.operator.history.observer import Numbers, Observer
from setoff.operator.history.store import Checkpoint, Store, check_machine
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Reset, decode_events
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.recovery import EventReplay, list_events
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.machine import EVERY_STEP, Machine

PAGE: Final = 64
"""Commits that are read at a time, and written together."""
CHECKPOINT_BATCHES: Final = 32
"""Batches between two checkpoints at least."""
BLOCK_MS: Final = 500
"""For which the store is asked to wait for the next commit."""

log = logging.getLogger(__name__)


class _Again(Exception):
    """What was followed is no longer so: begin at the checkpoint."""


class Follower:
    """Follows one deployment. `step` is called again and again."""

    def __init__(self, redis: Redis, deployment: Deployment, store: Store, reader: ChainReader | None = None) -> None:
        """`reader` is asked for batches that the store has forgotten."""
        self._redis = redis
        self._deployment = deployment
        self._store = store
        self._outbox = Outbox(redis, deployment.namespace)
        self._stream = f"{deployment.namespace}:journal"
        self._interval = CHECKPOINT_BATCHES
        self._reader = reader
        self._observer: Observer | None = None
        self._commit = 0
        self._candidate: Checkpoint | None = None
        self._saved = 0

    def step(self, block: int = BLOCK_MS) -> bool:
        """Follow what has come, waiting so many milliseconds for it; whether anything had. Raises DataError, RedisError
        and SQLAlchemyError; called again it begins at the checkpoint."""
        try:
            if self._observer is None:
                self._begin()
                return True
            return self._read(block)
        except _Again:
            self._observer = None
            return True
        except BaseException:
            self._observer = None
            raise

    def _begin(self) -> None:
        """From the checkpoint through all that is there now."""
        checkpoint = self._store.open()
        machine = None if checkpoint is None else check_machine(checkpoint)
        if checkpoint is None or machine is None:
            self._store.clear()
            checkpoint = Checkpoint(0, Numbers(), b"", b"")
            machine = Machine.genesis(*self._deployment.genesis)
        if self._outbox.alarm.read():
            machine.many_accounts = EVERY_STEP
        self._candidate, self._saved = None, checkpoint.numbers.batch
        observer = Observer(machine, checkpoint.numbers, self._store.find_live())
        snapshot_commit, snapshot_batch = self._read_snapshot()
        is_reached = checkpoint.commit >= snapshot_commit
        commit = checkpoint.commit if is_reached else snapshot_commit
        replay = EventReplay(checkpoint.numbers.batch if is_reached else snapshot_batch)
        for number, events in self._list_commits(commit):
            commit = number
            replay.extend(events)
        if replay.first < checkpoint.numbers.batch:
            log.warning("batches from %d on were taken back: the history is derived anew", replay.first)
            self._store.clear()
            raise _Again
        self._reach(observer, replay.first)
        self._follow(observer, _skip(replay.events, observer.numbers.batch))
        self._commit = commit
        self._observer = observer
        log.info("the history is at batch %d, record %d", observer.numbers.batch, observer.numbers.record)

    def _follow(self, observer: Observer, events: Iterable[JournalEvent]) -> None:
        for count, event in enumerate(events):
            observer.apply(event)
            if count % 1000 == 999:
                self._store.write(observer.take())
        self._store.write(observer.take())

    def _reach(self, observer: Observer, number: int) -> None:
        """Follow closed batches until `number` is next: the outbox's, and where it has forgotten them, L1's."""
        if observer.numbers.batch < min(number, self._outbox.kept_from()):
            if self._reader is None:
                raise DataError("data_mismatch", f"batch {observer.numbers.batch} is on L1 alone, and no node is named")
            follow_l1(self._reader, observer, self._store, number)
        while observer.numbers.batch < number:
            sealed = self._outbox.get(observer.numbers.batch)
            if sealed is None:
                raise DataError("data_mismatch", f"batch {observer.numbers.batch} is not in the store")
            self._follow(observer, list_events(sealed))

    def _list_commits(self, after: int) -> Iterator[tuple[int, list[JournalEvent]]]:
        """The commits behind number `after`. Raises _Again on a gap: a snapshot has come meanwhile."""
        while True:
            page = cast(Any, self._redis.xrange(self._stream, min=f"({after}-0", count=PAGE))
            if not page:
                return
            for identity, fields in page:
                after = self._check(identity, after)
                yield after, list(decode_events(fields[b"events"]))

    def _read(self, block: int) -> bool:
        """What has come behind the last commit."""
        observer = self._observer
        assert observer is not None
        answer = cast(Any, self._redis.xread({self._stream: f"{self._commit}-0"}, count=PAGE, block=block))
        if not answer:
            return False
        for identity, fields in answer[0][1]:
            self._commit = self._check(identity, self._commit)
            events = list(decode_events(fields[b"events"]))
            for event in events:
                if isinstance(event, Reset):
                    raise _Again
                observer.apply(event)
            if events and isinstance(events[-1], Closed):
                self._note_batch(observer)
        self._store.write(observer.take())
        self._keep()
        return True

    def _check(self, identity: bytes, before: int) -> int:
        if identity != b"%d-0" % (before + 1):
            raise _Again
        return before + 1

    def _note_batch(self, observer: Observer) -> None:
        """Between two batches, which may be where to begin again."""
        if self._candidate is None and observer.numbers.batch >= self._saved + self._interval:
            self._store.write(observer.take())
            machine = observer.machine
            numbers = dataclasses.replace(observer.numbers)
            self._candidate = Checkpoint(self._commit, numbers, machine.snapshot(), machine.hash())

    def _keep(self) -> None:
        """Begin at the candidate from now on, once L1 holds all before it."""
        candidate = self._candidate
        if candidate is not None and candidate.numbers.batch <= self._outbox.posted():
            self._store.save(candidate)
            self._saved, self._candidate = candidate.numbers.batch, None

    def _read_snapshot(self) -> tuple[int, int]:
        """(commit, next batch) of the journal's snapshot, zeros without one."""
        fields = cast(Any, self._redis.hmget(f"{self._deployment.namespace}:snapshot", ["commit", "cursor"]))
        if fields[0] is None:
            return 0, 0
        return int(fields[0]), BatchCursor.decode(fields[1]).number


def _skip(events: Iterable[JournalEvent], number: int) -> Iterator[JournalEvent]:
    """Without those of batches before `number`."""
    is_there = False
    for event in events:
        is_there = is_there or (isinstance(event, Opened) and event.number >= number)
        if is_there:
            yield event
