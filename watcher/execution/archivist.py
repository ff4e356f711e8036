"""Looks after the evidence: a machine at every confirmed start, nothing gone that L1 may ask for, nothing for ever.

What stays is bounded by what anybody can post (the watcher's page has the sum): epochs close (`retention.py`) within a
few challenge periods. Who keeps an epoch open by leaving a bond unpaid has that bond in it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from setoff.shared.dispute.game import CourtState
from setoff.shared.errors import StateError
from setoff.shared.l1.court import CourtReader
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.histories import Histories, name_history
from setoff.watcher.execution.retention import find_closed, name_ranges, plan_retention
from setoff.watcher.execution.strays import Strays
from setoff.watcher.store import EpochResult

STARTS_AT_ONCE: Final = 4
"""Confirmed starts whose machines are made in one round."""

LOOK_AGAIN: Final = 3600.0
"""Seconds after which what is gone is dropped once more."""

log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """What is there after a round."""

    epochs: str
    """Those executed whose inputs are kept, for people."""
    dropped: int
    """Epochs that this round let go of."""
    bytes: dict[str, int]
    """See `Store.sizes`; of the `histories` on disk; and all that the `redis` server has in memory, whoever's it is."""


class Archivist:
    """One a watcher."""

    def __init__(self, archive: Archive, court: CourtReader, histories: Histories) -> None:
        self._histories = histories
        self._archive = archive
        self._store = archive.store
        self._court = court
        self._strays = Strays()
        self._gone: set[int] = set()
        self._look_again = 0.0

    def step(self) -> Kept:
        """One round. Raises ChainError, DataError."""
        self._court.poll()
        results = self._store.results()
        starts = [_start_of(epoch, results) for epoch in range(len(results) + 1)]
        has_start = [epoch == 0 or found for epoch, found in enumerate(self._store.has_snapshots(starts))]
        court = self._court.court
        agreed = (epoch for epoch in range(min(court.confirmed, len(results)), 0, -1) if _agrees(court, starts, epoch))
        self._store.put_confirmed(next(agreed, 0))
        self._keep_confirmed(court, starts, has_start)
        self._drop_strays(court, results)
        return self._drop_closed(court, results, starts, has_start)

    def _keep_confirmed(self, court: CourtState, starts: list[bytes], has_start: list[bool]) -> None:
        """See to a machine at every confirmed start of an open epoch: there disputes begin."""
        is_closed, made = find_closed(court, self._court.contract.l1.now()), 0
        for epoch in range(min(court.confirmed, len(starts) - 1) + 1):
            if has_start[epoch] or is_closed(epoch) or not _agrees(court, starts, epoch):
                continue
            try:
                self._store.put_snapshot(self._archive.machine_before(epoch))
            except StateError as error:
                log.info("the machine before epoch %d waits: %s", epoch, error)
                return
            has_start[epoch] = True
            made += 1
            if made == STARTS_AT_ONCE:
                return

    def _drop_closed(
        self, court: CourtState, results: list[EpochResult], starts: list[bytes], has_start: list[bool]
    ) -> Kept:
        if time.monotonic() > self._look_again:  # somebody may have read a closed epoch's batches anew meanwhile
            self._gone, self._look_again = set(), time.monotonic() + LOOK_AGAIN
        count = len(results)
        plan = plan_retention(count, find_closed(court, self._court.contract.l1.now()), has_start)
        going = [epoch for epoch in plan.batches if epoch not in self._gone]
        if going:
            self._drop_batches(going, set(plan.batches))
            self._store.drop_snapshot(*(starts[epoch] for epoch in going if epoch))
            for epoch in going:
                self._histories.drop(results[epoch])
            log.info("closed on L1, so no longer kept: epochs %s", name_ranges(going))
        # What a reorg replaces is read and kept anew under the same numbers.
        self._gone = {epoch for epoch in plan.batches if epoch < count}
        sizes = {**self._store.sizes(), "histories": self._histories.size(), "redis": self._store.memory()}
        return Kept(name_ranges(set(range(count)) - self._gone), len(going), sizes)

    def _drop_strays(self, court: CourtState, results: list[EpochResult]) -> None:
        """Forget histories on disk of what reorgs took back, once all that is posted is executed."""
        if len(results) < self._store.batch_count() // self._store.epoch_batches:
            self._strays.clear()
            return
        needed = {name_history(result.epoch_hash, result.start) for result in results}
        needed |= {name_history(claim.epoch_hash, claim.start) for claim in (*court.unfinished(), *court.unpaid())}
        now = self._court.contract.l1.now()
        for name in self._strays.find(self._histories.names(), needed, court, now):
            self._histories.drop_named(name)
            log.info("of no epoch any more, so no longer kept: the history %s", name)

    def _drop_batches(self, going: list[int], gone: set[int]) -> None:
        """Forget the batches of these epochs; their blobs, too, where no batch that stays has the same one."""
        size = self._store.epoch_batches
        hashes = self._hashes(number for epoch in going for number in range(epoch * size, (epoch + 1) * size))
        roots = {header.data_root for header in self._store.headers(hashes) if header is not None and header.module}
        if roots:
            kept = (number for number in range(self._store.batch_count()) if number // size not in gone)
            roots -= {header.data_root for header in self._store.headers(self._hashes(kept)) if header is not None}
        self._store.drop_batches(hashes)
        self._store.drop_blobs(roots)

    def _hashes(self, numbers: Iterable[int]) -> list[bytes]:
        places = map(self._store.batch_place, numbers)
        return [place.hash for place in places if place is not None]


def _agrees(court: CourtState, starts: list[bytes], epoch: int) -> bool:
    """Whether L1 has confirmed the start that was executed here; of epoch 0 it has where the deployment is ours."""
    return starts[epoch] == court.start_of[epoch]


def _start_of(epoch: int, results: list[EpochResult]) -> bytes:
    """Machine hash at the start of an epoch, of the executed ones or the next."""
    if not results:
        return bytes(32)
    return results[epoch].start if epoch < len(results) else results[-1].end
