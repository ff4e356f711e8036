"""The history from L1 alone: batches as nodes have them, each held against what inbox and queue are proven to have."""

from __future__ import annotations

from setoff.operator.history.observer import Observer
from setoff.operator.history.store import Store
from setoff.operator.sequencer.journal_events import Opened, Rerun
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader


def follow_l1(reader: ChainReader, observer: Observer, store: Store, until: int) -> None:
    """Follow the batches that L1 holds, up to batch `until` (not included). Raises ChainError if it shows fewer,
    DataError if it does not have what it commits to."""
    first, last = reader.deployment.block, reader.proven.block().number
    messages = {message.index: message.body for message in reader.messages(first, last)}
    for posted in reader.batches(first, last):
        header = posted.header
        if header.number < observer.numbers.batch:
            continue
        if header.number >= until:
            break
        wanted = range(header.first_message, header.first_message + header.message_count)
        known = [messages[index] for index in wanted if index in messages]
        if len(known) < len(wanted):
            known = reader.messages_of(posted)
        batch = reader.assemble(posted, known)
        observer.apply(Opened(header.number, header.timestamp, batch.messages, header.module))
        for record in batch.records:
            observer.apply(Rerun(record))
        observer.close(None)
        store.write(observer.take())
    if observer.numbers.batch < until:
        raise ChainError("rpc_unreachable", f"{reader.l1.hosts} does not show batch {observer.numbers.batch} now")
