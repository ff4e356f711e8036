"""From the store to the exchange: the snapshot, the journal after it, and the outbox's batches where neither reaches.

A reset in the journal makes void what was logged of the batches that it takes back, so that is left out of a replay. A
snapshot is written only of what L1 holds; should L1 take even that back, the batches before are run from genesis.
After the alarm that a fast path was wrong every step is taken, and the ends that were logged before are not believed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from redis.exceptions import RedisError

from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import FILLS_KEPT, Exchange, NumberedFill, SealedBatch
from setoff.operator.sequencer.journal import Draft, Journal, Snapshot
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Recorded, Rerun, Reset
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.codec import eip712
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError
from setoff.shared.machine.machine import EVERY_STEP, Machine, count_cores

AHEAD: Final = 2048
"""Records whose signers are found together, on a second core where there is one."""

log = logging.getLogger(__name__)


class EventReplay:
    """The events that count, from the beginning of batch `first` on; `reset` is the first batch that was taken back."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.reset: int | None = None
        self.events: list[JournalEvent] = []
        self._starts: dict[int, int] = {}  # batch number to the index of its first event

    def extend(self, events: Iterable[JournalEvent]) -> None:
        """Add a commit."""
        for event in events:
            if isinstance(event, Reset):
                self._take_back(event.number)
                continue
            if isinstance(event, Opened):
                self._starts[event.number] = len(self.events)
            self.events.append(event)

    def _take_back(self, number: int) -> None:
        self.reset = number if self.reset is None else min(self.reset, number)
        del self.events[self._starts.get(number, len(self.events)) if number >= self.first else 0 :]
        self._starts = {kept: start for kept, start in self._starts.items() if kept < number}
        self.first = min(self.first, number)


class Snapshots:
    """Takes snapshots between two batches, and lets each stand for the journal before it once L1 holds its batches.

    A snapshot is a copy of the machine, which costs nothing; it is written beside the turns, piece by piece.
    """

    def __init__(self, journal: Journal, interval: int, is_written: Callable[[int], Awaitable[None]]) -> None:
        """`interval`: batches between two of them; `is_written` hears of the batch before which one was written."""
        self._journal = journal
        self._interval = interval
        self._is_written = is_written
        self._candidate: Draft | None = None
        self._writing: asyncio.Task[None] | None = None

    def keep(self, exchange: Exchange, end: bytes, on_l1: int) -> None:
        """After a batch that ended at `end`, while the first `on_l1` are on L1."""
        if self._writing is not None and self._writing.done():
            self._writing = None
        candidate = self._candidate
        if candidate is not None and candidate.cursor.number <= on_l1 and self._writing is None:
            self._writing = asyncio.create_task(self._write(candidate))
            self._candidate = None
        cursor = exchange.cursor
        if self._candidate is None and cursor.number % self._interval == 0:
            self._candidate = Draft(self._journal.commit, replace(cursor), exchange.machine.copy(), end)

    async def _write(self, draft: Draft) -> None:
        begun = time.monotonic()
        try:
            await self._journal.write_snapshot(draft)
            await self._is_written(draft.cursor.number)
        except (RedisError, OSError, TimeoutError) as error:  # the turns find that out, too, and recover
            log.warning("the snapshot before batch %d was not written: %s", draft.cursor.number, error)
        else:
            log.info("a snapshot before batch %d, in %.1f s", draft.cursor.number, time.monotonic() - begun)

    def drop(self) -> None:
        """The exchange is another one than before, or its end has come."""
        self._candidate = None
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


class Recovery:
    """Builds the exchange of one deployment."""

    def __init__(self, journal: Journal, outbox: Outbox, deployment: Deployment, module: int) -> None:
        """`module`: the data availability module of new batches."""
        self._journal = journal
        self._outbox = outbox
        self._genesis = deployment.genesis
        self._epoch_batches = deployment.epoch_batches
        self._module = module

    async def recover(self, *, is_dry: bool = False) -> Exchange:
        """The exchange after the last commit; what may not have reached the outbox is there then, unless `is_dry`.

        Raises DataError if the store contradicts itself, RedisError or OSError if it fails.
        """
        snapshot = await self._journal.read_snapshot()
        replay = EventReplay(snapshot.cursor.number if snapshot else 0)
        async for events in self._journal.replay(snapshot.commit if snapshot else 0):
            replay.extend(events)
        return await asyncio.to_thread(self._run, snapshot, replay, is_dry)

    async def go_back(self, number: int) -> Exchange:
        """The exchange as it was before batch `number`."""
        snapshot = await self._journal.read_snapshot()
        exchange, _ = await asyncio.to_thread(self._base, snapshot, number)
        return exchange

    def _run(self, snapshot: Snapshot | None, replay: EventReplay, is_dry: bool) -> Exchange:
        exchange, is_believed = self._base(snapshot, replay.first)
        void = replay.reset
        events = replay.events
        for place, event in enumerate(events):
            if place % AHEAD == 0:
                _find_signers(exchange.machine.regs.domain, events[place : place + AHEAD])
            sealed = exchange.apply(event, is_believed=is_believed)
            if sealed is not None and not is_dry:
                is_void = void is not None and sealed.batch.header.number >= void
                self._outbox.put(sealed, replace=is_void or not is_believed)
        if void is not None and not is_dry:
            self._outbox.cut(exchange.cursor.number)
            self._outbox.drop_proofs(exchange.cursor.proven)
        latest = self._outbox.latest()
        if latest >= exchange.cursor.number:
            raise DataError("data_mismatch", f"the outbox has batch {latest}, the journal ends before it")
        return exchange

    def _base(self, snapshot: Snapshot | None, number: int) -> tuple[Exchange, bool]:
        """The exchange before batch `number`, and whether the ends that were logged are believed."""
        if snapshot is not None and snapshot.cursor.number <= number:
            exchange = Exchange(snapshot.restore(), replace(snapshot.cursor), self._epoch_batches, self._module)
            exchange.fills.extend(self._read_fills(snapshot.cursor.number))
        else:
            exchange = Exchange(Machine.genesis(*self._genesis), BatchCursor(), self._epoch_batches, self._module)
        is_believed = not self._outbox.alarm.read()
        if not is_believed:
            exchange.machine.many_accounts = EVERY_STEP
        for before in range(exchange.cursor.number, number):
            sealed = self._outbox.get(before)
            if sealed is None:
                kept = self._outbox.kept_from()
                why = f"the store keeps batches from {kept} on" if before < kept else "the outbox has lost it"
                raise DataError("data_mismatch", f"batch {before} is not there: {why}")
            for event in list_events(sealed):
                exchange.apply(event, is_believed=is_believed)
        return exchange, is_believed

    def _read_fills(self, number: int) -> list[NumberedFill]:
        """The last fills before batch `number`."""
        found: list[tuple[NumberedFill, ...]] = []
        count = 0
        while number > 0 and count < FILLS_KEPT:
            number -= 1
            sealed = self._outbox.get(number)
            if sealed is None:
                break
            found.append(sealed.fills)
            count += len(sealed.fills)
        return [fill for fills in reversed(found) for fill in fills]


def list_events(sealed: SealedBatch) -> Iterator[JournalEvent]:
    """The events that lead through a closed batch."""
    header = sealed.batch.header
    yield Opened(header.number, header.timestamp, sealed.batch.messages, header.module)
    for record in sealed.batch.records:
        yield Rerun(record)
    yield Closed(sealed.end)


def _find_signers(domain: bytes, events: Sequence[JournalEvent]) -> None:
    """Of the records in these, which are about to be run."""
    records = [event.record for event in events if isinstance(event, Recorded | Rerun)]
    eip712.recover_ahead(domain, records, is_helped=count_cores() > 1)
