"""Looks after the evidence: a machine at every confirmed start, nothing gone that L1 may ask for, nothing for ever.

What stays is bounded by what anybody can post (the watcher's page has the sum): epochs close (`retention.py`) within a
few challenge periods. Who keeps an epoch open by leaving a bond unpaid has that bond in it. And however many are open,
what can be had again goes where there is more of it than the settings allow (`relief.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from setoff.shared.dispute.game import CourtState
from setoff.shared.errors import StateError
from setoff.shared.l1.court import CourtReader
from setoff.shared.machine.data import CALLDATA
from setoff.watcher.chain.follower import MESSAGES_KEPT
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.histories import Histories, name_history
from setoff.watcher.execution.relief import plan_relief
from setoff.watcher.execution.retention import find_closed, name_ranges, plan_retention
from setoff.watcher.execution.strays import Strays
from setoff.watcher.store import EpochResult

STARTS_AT_ONCE: Final = 4
"""Confirmed starts whose machines are made in one round."""

LOOK_AGAIN: Final = 3600.0
"""Seconds after which what is gone is dropped once more."""

NO_LIMIT: Final = 1 << 62

ROOM: Final = 4
"""One part in so many of the limit is made free at once, so that it lasts for a while."""

STRAYS_EVERY: Final = 600.0
"""Seconds between two looks for what belongs to no epoch any more in Redis."""

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

    def __init__(self, archive: Archive, court: CourtReader, histories: Histories, redis_limit: int = NO_LIMIT) -> None:
        """`redis_limit`: bytes of inputs and machines in Redis beyond which what can be had again goes."""
        self._histories = histories
        self._archive = archive
        self._store = archive.store
        self._court = court
        self._limit = redis_limit
        self._is_pressed = False  # there was too much at the last look
        self._strays = Strays()
        self._strays_in_redis = {kind: Strays() for kind in ("batch", "snapshot", "aside")}
        self._next_strays = 0.0
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
        self._drop_strays(court, results, starts)
        kept = self._drop_closed(court, results, starts, has_start)
        self._relieve(court, starts, kept.bytes)
        return kept

    def _keep_confirmed(self, court: CourtState, starts: list[bytes], has_start: list[bool]) -> None:
        """See to a machine at every confirmed start of an open epoch: there disputes begin. Where there is no room for
        so many, at the last one.
        """
        is_closed, made = find_closed(court, self._court.contract.l1.now()), 0
        last = min(court.confirmed, len(starts) - 1)
        for epoch in range(last if self._is_pressed else 0, last + 1):
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

    def _relieve(self, court: CourtState, starts: list[bytes], sizes: Mapping[str, int]) -> None:
        """Let go of what can be had again, if there is too much."""
        there, most = sizes["batches"] + sizes["snapshots"], self._limit - self._limit // ROOM
        self._is_pressed = there > (most if self._is_pressed else self._limit)
        if not self._is_pressed:
            return
        # Disputes begin at the first; the last is the next epoch's.
        may_go = [epoch for epoch in range(1, len(starts) - 1) if epoch != min(court.confirmed, len(starts) - 1)]
        lengths = self._store.lengths("snapshot", [starts[epoch] for epoch in may_go])
        snapshots = {epoch: length for epoch, length in zip(may_go, lengths, strict=True) if length}
        plan = plan_relief(there - most, snapshots, self._find_calldata(len(starts) - 1))
        self._store.drop_snapshot(*(starts[epoch] for epoch in plan.snapshots))
        self._store.drop_batches(self._hashes_of_epochs(plan.inputs))
        log.warning(
            "%d MB of inputs and machines, %d may be kept (redis_limit): gone until they are asked for are the "
            "machines before epochs %s, and the inputs of %s",
            there // 10**6, self._limit // 10**6, name_ranges(plan.snapshots), name_ranges(plan.inputs),
        )  # fmt: skip

    def _find_calldata(self, count: int) -> dict[int, int]:
        """Bytes by epoch of the inputs that L1 has in calldata, of the first `count` epochs but for the newest."""
        size, found = self._store.epoch_batches, {}
        for epoch in range(min(count, (self._store.batch_count() - MESSAGES_KEPT) // size)):
            hashes = self._hashes_of_epochs([epoch])
            headers = [header for header in self._store.headers(hashes) if header is not None]
            if headers and all(header.module == CALLDATA.number for header in headers):
                found[epoch] = sum(self._store.lengths("batch", hashes))
        return found

    def _drop_strays(self, court: CourtState, results: list[EpochResult], starts: list[bytes]) -> None:
        """Forget what is of batches that reorgs took back, on disk and in Redis, once all posted ones are executed."""
        if len(results) < self._store.batch_count() // self._store.epoch_batches:
            for strays in (self._strays, *self._strays_in_redis.values()):
                strays.clear()
            return
        if time.monotonic() > self._next_strays:
            self._drop_strays_in_redis(court, starts)
            self._next_strays = time.monotonic() + STRAYS_EVERY
        needed = {name_history(result.epoch_hash, result.start) for result in results}
        needed |= {name_history(claim.epoch_hash, claim.start) for claim in (*court.unfinished(), *court.unpaid())}
        now = self._court.contract.l1.now()
        for name in self._strays.find(self._histories.names(), needed, court, now):
            self._histories.drop_named(name)
            log.info("of no epoch any more, so no longer kept: the history %s", name)

    def _drop_strays_in_redis(self, court: CourtState, starts: list[bytes]) -> None:
        store, now, progress = self._store, self._court.contract.l1.now(), self._store.progress()
        kept = store.batch_hashes()
        needed = {
            "batch": {each.hex() for each in kept},
            "snapshot": {each.hex() for each in (*starts, *([progress.machine] if progress else []))},
            "aside": set[str](),  # those that come again are taken out of it
        }
        there = {"batch": store.hashes("batch"), "snapshot": store.hashes("snapshot"), "aside": store.aside()}
        gone = {
            kind: [bytes.fromhex(name) for name in strays.find(there[kind], needed[kind], court, now)]
            for kind, strays in self._strays_in_redis.items()
        }
        store.drop_snapshot(*gone["snapshot"])
        store.drop_aside(gone["aside"])
        roots = {header.data_root for header in store.headers(gone["batch"]) if header is not None and header.module}
        if roots:
            roots -= {header.data_root for header in store.headers(kept) if header is not None}
        store.drop_batches(gone["batch"])
        store.drop_blobs(roots)
        if any(gone.values()):
            log.info("taken back by reorgs, so no longer kept: %s", {kind: len(found) for kind, found in gone.items()})

    def _drop_batches(self, going: list[int], gone: set[int]) -> None:
        """Forget the batches of these epochs, but for the last of all, which says where the queue goes on; their blobs,
        too, where no batch that stays has the same one, and their messages.
        """
        size = self._store.epoch_batches
        hashes = self._hashes(number for epoch in going for number in range(epoch * size, (epoch + 1) * size))
        headers = [header for header in self._store.headers(hashes) if header is not None]
        roots = {header.data_root for header in headers if header.module}
        if roots:
            kept = (number for number in range(self._store.batch_count()) if number // size not in gone)
            roots -= {header.data_root for header in self._store.headers(self._hashes(kept)) if header is not None}
        self._store.drop_batches(self._hashes_of_epochs(going))
        self._store.drop_blobs(roots)
        for header in headers:
            self._store.drop_messages(range(header.first_message, header.first_message + header.message_count))

    def _hashes_of_epochs(self, epochs: Iterable[int]) -> list[bytes]:
        """Of all their batches, but not of the last batch that was read."""
        size, last = self._store.epoch_batches, self._store.batch_count() - 1
        numbers = (number for epoch in epochs for number in range(epoch * size, (epoch + 1) * size))
        return self._hashes(number for number in numbers if number != last)

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
