"""Finds work for workers that have none while there is much to catch up on: segments from machines that somebody has,
and else the signers of what comes.

A thread of the follower's process. It asks nobody anything while the watcher is up to date, or has one worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import RedisError

from setoff.shared.errors import SetoffError
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.machine.data import ZERO
from setoff.watcher.context import Context
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.known_signers import KnownSigners
from setoff.watcher.execution.segments import WORTH, Segment, find_path, plan_segments
from setoff.watcher.execution.snapshot_peers import SnapshotPeers
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

LOOK: Final = 1.0
"""Seconds between two looks."""

ASK_AGAIN: Final = 10.0
"""Seconds between two questions to peers which machines they have."""

SIGNERS_FROM: Final = 2
"""Epochs from the next one on whose signers whoever executes them finds sooner himself."""

SIGNERS_AHEAD: Final = 256
"""Batches in front of whoever executes in order whose signers are found: some megabytes in Redis."""

FAREWELL: Final = 3.0
"""Seconds that it has to end its round."""

log = logging.getLogger(__name__)


class Scout:
    """One a watcher."""

    def __init__(self, settings: WatcherSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._jobs = Jobs(store)
        self._peers = SnapshotPeers(store, settings.snapshot_urls, settings.snapshot_limit * 10**6)
        self._signers = KnownSigners(store, b"")  # asked only whether they are there
        self._court: CourtReader | None = None
        self._theirs: set[bytes] = set()
        self._rounds_to_ask = 0

    @contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Look about as long as the block runs; set `stop` before it ends."""
        thread = threading.Thread(target=self._run, args=(stop,), name="scout", daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join(FAREWELL)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK):
            try:
                self.look()
            except (SetoffError, RedisError) as error:
                log.warning("no segments were found: %s", error)
            except Exception:  # nobody would start this thread again
                log.exception("no segments were found")

    def look(self) -> list[Segment]:
        """One look; the segments that are offered now. Raises ChainError, DataError, RedisError."""
        executed = self._store.epoch_count()
        posted = self._store.batch_count() // self._store.epoch_batches
        if posted - executed < WORTH:
            if posted == executed and self._jobs.ahead.count():
                self._jobs.ahead.clear()
            self._court = None  # a year of it is not kept for an outage
            self._rounds_to_ask = 0
            return []
        workers = len(self._jobs.workers())
        if workers < 2:
            self._jobs.withdraw_ahead()  # who is alone has better things to do
            return []
        court = self._read_court()
        start = self._store.end_before(executed)
        if start is None:
            return []
        path = find_path(court.court, executed, court.court.start_of[0] if start == ZERO else start, posted)
        at_hand = self._find_at_hand(path)
        plan = plan_segments(path, posted, at_hand, self._is_taken, workers)
        self._jobs.withdraw_ahead()
        offered = plan[:workers]
        for segment in offered:
            self._jobs.enqueue_segment(segment)
        if not at_hand - {path[executed]}:  # else who runs ahead finds them sooner
            self._find_signers(executed, posted, workers)
        return offered

    def _find_signers(self, executed: int, posted: int, most: int) -> None:
        """Offer epochs whose signers are not known yet, so many; the nearest first, but for the next two."""
        last = min(posted, executed + max(WORTH, SIGNERS_AHEAD // self._store.epoch_batches))
        for epoch in range(executed + SIGNERS_FROM, last):
            places = [self._store.batch_place(number) for number in self._numbers(epoch)]
            if most and not all(place is None or self._signers.has(place.hash) for place in places):
                self._jobs.enqueue_signers(epoch)
                most -= 1

    def _numbers(self, epoch: int) -> range:
        return range(epoch * self._store.epoch_batches, (epoch + 1) * self._store.epoch_batches)

    def _read_court(self) -> CourtReader:
        if self._court is None:
            context = Context.open(self._settings)
            contract = CourtContract(context.l1, context.deployment.court)
            self._court = CourtReader(contract, context.deployment.block)
        self._court.poll()
        return self._court

    def _find_at_hand(self, path: dict[int, bytes]) -> set[bytes]:
        """Of the machines on the path those that are kept here, or that somebody says to have."""
        if self._rounds_to_ask <= 0:
            self._theirs = self._peers.list()
            self._rounds_to_ask = int(ASK_AGAIN / LOOK)
        self._rounds_to_ask -= 1
        hashes = [*path.values()]
        ours = self._store.has_snapshots(hashes)
        return {each for each, is_ours in zip(hashes, ours, strict=True) if is_ours or each in self._theirs}

    def _is_taken(self, epoch: int, start: bytes) -> bool:
        """Whether an epoch was run from that start, is being run, or is not to be."""
        commitment = self._store.epoch_hash(epoch)
        if commitment is None or self._jobs.ahead.get(commitment, start) is not None:
            return True
        attempt = self._jobs.attempts.find(commitment, start)
        if attempt is not None and attempt.is_poisoned:
            return True
        return self._jobs.is_being_executed(commitment, start)
