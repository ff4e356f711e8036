"""From the store to the exchange: the snapshot, the journal after it, and the outbox's batches where neither reaches.

A reset in the journal makes void what was logged of the batches that it takes back, so that is left out of a replay. A
snapshot is written only of what L1 holds; should L1 take even that back, the batches before are run from genesis.
After the alarm that a fast path was wrong every step is taken, and the ends that were logged before are not believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import FILLS_KEPT, Exchange, NumberedFill, SealedBatch
from setoff.operator.sequencer.journal import Journal, Snapshot
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Rerun, Reset
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError
from setoff.shared.machine.machine import EVERY_STEP, Machine


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
    """Takes snapshots between two batches, and lets each stand for the journal before it once L1 holds its batches."""

    def __init__(self, journal: Journal, interval: int) -> None:
        """`interval`: batches between two of them."""
        self._journal = journal
        self._interval = interval
        self._candidate: Snapshot | None = None

    async def keep(self, exchange: Exchange, end: bytes, on_l1: int) -> int:
        """After a batch that ended at `end`, while the first `on_l1` are on L1; the batch before which a snapshot was
        written now, 0 for none. Raises RedisError or OSError."""
        written = 0
        if self._candidate is not None and self._candidate.cursor.number <= on_l1:
            await self._journal.write_snapshot(self._candidate)
            written = self._candidate.cursor.number
            self._candidate = None
        cursor = exchange.cursor
        if self._candidate is None and cursor.number % self._interval == 0:
            self._candidate = Snapshot(self._journal.commit, replace(cursor), exchange.machine.snapshot(), end)
        return written

    def drop(self) -> None:
        """The exchange is another one than before."""
        self._candidate = None


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
        for event in replay.events:
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
