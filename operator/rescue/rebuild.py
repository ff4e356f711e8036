"""A store is made again from L1: whatever was posted is run again, and what the store has beyond that stays.

The store may be empty, or an old copy: what L1 and it have in common is believed, the rest is L1's. From time to time a
snapshot is written, from which a rebuild that was broken off goes on. What was acknowledged and neither posted nor in
the store is lost, unless traders give it back (`promises.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from redis import Redis

from setoff.operator.publisher.snapshot import write_start
from setoff.operator.rescue.promises import GivenRecord, LostRecord, Returned, chain, follow
from setoff.operator.sequencer import unfinished
from setoff.operator.sequencer.exchange import Exchange, SealedBatch
from setoff.operator.sequencer.journal import Draft, Journal
from setoff.operator.sequencer.messages import L1View, MessageSource
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import PostedBatches, compare
from setoff.operator.sequencer.recovery import Recovery
from setoff.operator.sequencer.rerun import Unposted, adopt, read_unposted, run_again, skip_posted
from setoff.operator.sequencer.reset import SKEW_KEPT
from setoff.shared.codec.receipts import extend
from setoff.shared.codec.records import LIST_MARKET
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine

SNAPSHOT_SECONDS: Final = 60.0
"""Between two places from which a rebuild that is broken off goes on."""

log = logging.getLogger(__name__)


class Confirmations(Protocol):
    """What the court knows. Raises ChainError if L1 cannot be read now."""

    def start_of(self, epoch: int) -> bytes:
        """The confirmed start of an epoch, zero while there is none."""
        ...


class Rebuilt(NamedTuple):
    """What a rebuild has found and made."""

    on_l1: int
    """Batches on L1."""
    kept: int
    """Of these, how many the store had."""
    records: int
    """Records that have their numbers now: the next one's."""
    held: int
    """Of these, how many L1 holds."""
    given: int
    """Of those that L1 does not hold, how many were given back."""
    time: int
    """The machine's, unix seconds."""
    confirmed: int | None
    """The last epoch whose start L1 has confirmed, which is the one that was found here, too; None: it has none."""
    end: bytes
    """The machine hash after what L1 holds."""


class Rebuilder:
    """Makes the store of one deployment again."""

    def __init__(
        self,
        redis: Redis,
        namespace: str,
        journal: Journal,
        recovery: Recovery,
        source: MessageSource,
        posted: PostedBatches,
        court: Confirmations | None,
        epoch_batches: int,
        batches_kept: int = 0,
        report: Callable[[int, int], None] = lambda batch, count: None,
        *,
        horizon: int,
        force_delay: int,
    ) -> None:
        """`court`: with whose confirmed starts what is run is compared, None: with nothing; `batches_kept`: seconds for
        which batches stay in the store; `report` hears of every batch before it runs, and of how many there are.
        `horizon`: seconds from a batch's timestamp to its receipts' deadline, which so tells when a record that is
        taken back was taken; `force_delay`: seconds from a message to when no batch may leave it out."""
        self._redis = redis
        self._namespace = namespace
        self._journal = journal
        self._outbox = Outbox(redis, namespace)
        self._recovery = recovery
        self._source = source
        self._posted = posted
        self._court = court
        self._epoch_batches = epoch_batches
        self._horizon, self._force_delay = horizon, force_delay
        self._batches_kept = batches_kept
        self._report = report
        self._last: SealedBatch | None = None  # that was run, if it is not kept
        self._next_kept = -1  # number of the batch that continues those that are kept
        self._saved_at = time.monotonic()
        self._is_other = False  # whether the log is another one than followers have read: of a copy, or broken off

    async def run(
        self,
        read_batches: Callable[[int], Iterator[Batch]],
        given: Mapping[int, GivenRecord],
        *,
        read_own: Callable[[int], Sequence[LostRecord]] = lambda first: (),
        is_dry: bool = False,
    ) -> Rebuilt:
        """Bring the store to where L1 is, and beyond. `read_batches`: those that L1 holds, from a number on;
        `read_own`: what the operator's own history has from a number on; `is_dry`: find out, and change nothing.

        Raises ChainError if L1 cannot be read, DataError if it has other records than the store has in their place, or
        has confirmed another state than this, RedisError.
        """
        if not is_dry:
            await self._begin()
        before = await self._recovery.recover(is_dry=is_dry)
        count = self._posted.batch_count()
        standing = compare(self._posted, self._outbox, count, before.cursor.number)
        unposted = read_unposted(self._outbox, before, standing.common)
        exchange = before
        if unposted or before.is_open or standing.common < before.cursor.number:
            exchange = await self._recovery.go_back(standing.common)
        if not is_dry and standing.common < before.cursor.number and count > standing.common:
            self._outbox.cut(standing.common)
        self._next_kept = standing.common
        view = await self._source.look(exchange.cursor.messages, exchange.cursor.queue_hash)
        frontier = await asyncio.to_thread(self._find_confirmed, count)
        start = self._check_start(exchange, frontier, None)
        for batch in read_batches(standing.common):
            self._report(batch.header.number, count)
            unposted = skip_posted(unposted, [batch], is_behind=True)
            (sealed,) = adopt(exchange, batch).sealed
            if not is_dry:
                self._keep(sealed, view.time - self._batches_kept)
                if not unposted and time.monotonic() > self._saved_at + SNAPSHOT_SECONDS:
                    self._keep_last()
                    await self._journal.begin_anew(self._draft(exchange))
                    self._saved_at = time.monotonic()
            start = self._check_start(exchange, frontier, start)
        cursor = exchange.cursor
        if cursor.number < count:
            raise DataError("data_mismatch", f"L1 holds {count} batches, and shows {cursor.number}")
        held, end = cursor.records, exchange.machine.hash()
        running = before.cursor.running if unposted else cursor.running
        listings = sum(message[0] == LIST_MARKET for message in view.messages)  # of them some may have run by now
        first = held + len(unposted)
        own = follow(read_own(first), given, first)
        for each in own:
            running = extend(running, each.hash)
        returned = [Returned(each.body, each.time + self._horizon) for each in own]
        returned += chain(given, first + len(own), running, exchange.machine.regs.markets + listings)
        if not is_dry:
            await self._finish(
                exchange, unposted, returned, start, is_changed=self._is_other or count > standing.common
            )
        total, moment = held + len(unposted) + len(returned), exchange.machine.regs.time
        return Rebuilt(
            count, standing.common, total, held, len(returned), moment, frontier if start is not None else None, end
        )

    async def _begin(self) -> None:
        """What an earlier one has put after its last snapshot is made again; nobody else begins meanwhile."""
        if unfinished.read(self._redis, self._namespace):
            self._is_other = True
            snapshot = await self._journal.read_snapshot()
            self._outbox.cut(snapshot.cursor.number if snapshot else 0)
        unfinished.mark(self._redis, self._namespace, "a rebuild was begun and is not over")

    def _keep(self, sealed: SealedBatch, oldest: int) -> None:
        """Put a batch into the outbox unless it is older than it keeps any; of older ones the proofs alone."""
        if sealed.batch.header.timestamp < oldest:
            self._outbox.put_proofs(sealed.proofs)
            self._last = sealed
            return
        number = sealed.batch.header.number
        if number != self._next_kept:
            self._outbox.begin_at(number)
        self._outbox.put(sealed)
        self._next_kept, self._last = number + 1, None

    def _keep_last(self) -> None:
        """By the last batch, however old, a store is compared with L1."""
        if self._last is not None:
            self._keep(self._last, 0)

    def _draft(self, exchange: Exchange) -> Draft:
        """Of the exchange, under a number that no journal of this exchange has reached."""
        commit = max(self._journal.commit + 1, int(time.time() * 1000))
        end = exchange.machine.hash()
        return Draft(commit, replace(exchange.cursor), exchange.machine.copy(), end)

    async def _finish(
        self,
        exchange: Exchange,
        unposted: Sequence[Unposted],
        returned: Sequence[Returned],
        start: tuple[int, bytes, Machine] | None,
        *,
        is_changed: bool,
    ) -> None:
        """Write where L1 ends, and behind it what it does not hold, made anew. `is_changed`: whether L1 had more."""
        if is_changed or returned:
            self._keep_last()
            view = await self._source.look(exchange.cursor.messages, exchange.cursor.queue_hash)
            draft = self._draft(exchange)
            rest = [*unposted, *(self._date(entry, view) for entry in returned)]
            oldest = view.time - self._posted.max_skew // SKEW_KEPT
            made = run_again(exchange, rest, view, oldest)
            await self._journal.begin_anew(draft, made.events)
            self._outbox.cut(draft.cursor.number)
            for sealed in made.sealed:
                self._outbox.put(sealed)
        self._outbox.set_posted(self._posted.batch_count())
        if start is not None:
            write_start(self._redis, self._namespace, *start)
        unfinished.clear(self._redis, self._namespace)

    def _date(self, entry: Returned, view: L1View) -> Unposted:
        """When it was taken, and behind which messages: those that were on L1 by then, or it would find no account, or
        less money than it found."""
        timestamp = min(max(0, entry.deadline - self._horizon), view.time)
        before = bisect_right(view.due, timestamp + self._force_delay)
        return Unposted(timestamp, entry.record, view.first + before)

    def _find_confirmed(self, count: int) -> int:
        """The last epoch whose start L1 has confirmed, 0 for none but the first."""
        low, high = 0, count // self._epoch_batches
        while self._court is not None and low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if any(self._court.start_of(middle)) else (low, middle - 1)
        return low

    def _check_start(
        self, exchange: Exchange, frontier: int, found: tuple[int, bytes, Machine] | None
    ) -> tuple[int, bytes, Machine] | None:
        """At the start of the epoch `frontier`: hold it against L1, and keep it (epoch, queue hash, machine).

        Raises DataError if L1 has confirmed another one.
        """
        if self._court is None or not frontier or exchange.cursor.number != frontier * self._epoch_batches:
            return found
        if exchange.machine.hash() != self._court.start_of(frontier):
            what = f"L1 has confirmed another start of epoch {frontier} than what it holds leads to"
            raise DataError("data_mismatch", what)
        return frontier, exchange.cursor.queue_hash, exchange.machine.copy()
