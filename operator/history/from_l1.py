"""The history from L1 alone: batches as nodes have them, each held against what inbox and queue are proven to have."""

from __future__ import annotations

from setoff.operator.history.observer import Observer
from setoff.operator.history.store import Store
from setoff.operator.sequencer.journal_events import Opened, Rerun
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.posted import read_batches


def follow_l1(reader: ChainReader, observer: Observer, store: Store, until: int) -> None:
    """Follow the batches that L1 holds, up to batch `until` (not included). Raises ChainError if it shows fewer,
    DataError if it does not have what it commits to."""
    for batch in read_batches(reader, observer.numbers.batch, until):
        header = batch.header
        observer.apply(Opened(header.number, header.timestamp, batch.messages, header.module))
        for record in batch.records:
            observer.apply(Rerun(record))
        observer.close(None)
        store.write(observer.take())
