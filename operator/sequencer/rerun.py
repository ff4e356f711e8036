"""The records that did not reach L1, run again in new batches on top of what L1 holds. No I/O.

L1 may refuse a batch for good (a message it leaves out has fallen due, it came too late) or hold another one under its
number (posted by somebody else while the operator was silent). What was acknowledged stays: the same records in the
same order, none left out, none in between, so that a record's number among all posted records is what its receipt says.
What becomes of one may change, since time or messages have come before it: then it is posted as a recorded reject.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from setoff.operator.sequencer.exchange import Exchange, SealedBatch, join_leg_pages
from setoff.operator.sequencer.journal_events import JournalEvent, Opened, Rerun
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch


class Unposted(NamedTuple):
    """A record that L1 does not hold, with the timestamp of the batch that it was in, and how many messages of the L1
    queue, from its first on, had been consumed before it."""

    timestamp: int
    record: bytes
    messages: int


@dataclass(frozen=True, slots=True)
class Remade:
    """What a reset has made: the events that lead there, and the batches that they close."""

    events: list[JournalEvent]
    sealed: list[SealedBatch]

    def __add__(self, later: Remade) -> Remade:
        """This, and then what came later."""
        return Remade(self.events + later.events, self.sealed + later.sealed)


def read_unposted(outbox: Outbox, exchange: Exchange, first: int) -> list[Unposted]:
    """The records of all batches from `first` on, the open one's too. Raises DataError if one is lost."""
    unposted: list[Unposted] = []
    for number in range(first, exchange.cursor.number):
        own = outbox.get(number)
        if own is None:
            raise DataError("data_mismatch", f"the outbox has lost batch {number}")
        header = own.batch.header
        consumed = header.first_message + header.message_count
        unposted += [Unposted(header.timestamp, record, consumed) for record in own.batch.records]
    if (opened := exchange.opened) is not None:
        consumed = exchange.cursor.messages + len(opened.messages)
        unposted += [Unposted(opened.timestamp, record, consumed) for record in exchange.records]
    return unposted


def skip_posted(unposted: Sequence[Unposted], batches: Sequence[Batch], *, is_behind: bool = False) -> list[Unposted]:
    """What is left of the unposted records where L1 holds `batches` in their place.

    Others post messages alone. So the records in them are the operator's own, of a posting that came through after all.
    Raises DataError if they are not the next ones; `is_behind`: there may be more of them than are known here.
    """
    left = list(unposted)
    for batch in batches:
        count = len(batch.records)
        known = tuple(entry.record for entry in left[:count])
        if known != (batch.records[: len(known)] if is_behind else batch.records):
            raise DataError(
                "data_mismatch",
                f"L1 has records in batch {batch.header.number} that the store does not have there: it is not this "
                "exchange's store, or it has lost data (`setoff operator rebuild` makes it again from L1)",
            )
        del left[:count]
    return left


def adopt(exchange: Exchange, batch: Batch) -> Remade:
    """Run a batch that L1 holds."""
    header = batch.header
    opened = Opened(header.number, header.timestamp, batch.messages, header.module)
    exchange.apply(opened)
    for record in batch.records:
        exchange.take(record)
    closed, sealed = exchange.close()
    if sealed.batch.header != header:
        raise DataError("data_mismatch", f"batch {header.number} on L1 does not continue the ones before it")
    return Remade([opened, *(Rerun(record) for record in batch.records), closed], [sealed])


def run_again(exchange: Exchange, unposted: Sequence[Unposted], view: L1View, oldest: int) -> Remade:
    """Run records in new batches; the pages of a bulk record stay behind it. `view`: what `exchange` has not consumed.

    Before a record come the messages that came before it, and those that L1 insists on. The others, which nobody who
    has a receipt could know of, wait until all records have run: they might use up what the records find.
    A batch keeps the timestamp that its records had, so that they end as they did; but where that is less than `oldest`
    it gets L1's time, and it is never less than the last one's.
    """
    events: list[JournalEvent] = []
    sealed: list[SealedBatch] = []
    groups: deque[tuple[int, int, list[bytes]]] = deque()  # timestamp, messages of the view before it, records
    first, waiting = exchange.cursor.messages, tuple(view.messages)
    at = 0
    for group in join_leg_pages([entry.record for entry in unposted]):
        timestamp, _, before = unposted[at]
        before = min(max(before - first, 0), len(waiting))
        groups.append((view.time if timestamp < oldest else timestamp, before, group))
        at += len(group)
    taken = 0
    while groups:
        timestamp = max(groups[0][0], exchange.machine.regs.time)
        due = view.count_due(timestamp, first + taken)
        opened = exchange.open(timestamp, waiting[taken : max(groups[0][1], taken + due)], due)
        taken += len(opened.messages)
        events.append(opened)
        while (
            groups and groups[0][0] <= opened.timestamp and groups[0][1] <= taken and _has_room(exchange, groups[0][2])
        ):
            for record in groups.popleft()[2]:
                exchange.take(record)
                events.append(Rerun(record))
        closed, batch = exchange.close()
        events.append(closed)
        sealed.append(batch)
    return Remade(events, sealed)


def _has_room(exchange: Exchange, group: Sequence[bytes]) -> bool:
    return exchange.inputs == 0 or exchange.has_room(len(group))
