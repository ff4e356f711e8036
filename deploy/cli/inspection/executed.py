"""Epochs executed from L1 by whoever looks, from their true starts, so that any step of them can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.sdk.replay import Replay


class Executed:
    """The epochs of some claims, executed from their true starts."""

    def __init__(self, reader: ChainReader, epochs: Iterable[int], report: Callable[[int], None]) -> None:
        self._runs: dict[int, ExecutedEpoch] = {}
        replay, count = Replay(reader, report), reader.deployment.epoch_batches
        for epoch in sorted(epochs):
            if (epoch + 1) * count > reader.batch_count():
                break
            replay.advance(until=epoch * count)
            batches = [reader.batch(number) for number in range(epoch * count, (epoch + 1) * count)]
            run = EpochRun(replay.machine, batches, reader.queue_hash_at(batches[0].header.first_message))
            last = batches[-1].header
            self._runs[epoch] = ExecutedEpoch(epoch_hash(epoch, count, last.hash()), last.timestamp, run)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """See `Epochs`."""
        return self._runs.get(epoch)
