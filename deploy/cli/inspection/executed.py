"""Epochs executed from L1 by whoever looks, from their true starts, so that any step of them can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch, epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.sdk.replay import Replay


def make_executed(reader: ChainReader, epoch: int, start: Machine, batches: Sequence[Batch]) -> ExecutedEpoch:
    """An epoch of these batches, run from the machine before them. Raises ChainError."""
    run = EpochRun(start, batches, reader.queue_hash_at(batches[0].header.first_message))
    last = batches[-1].header
    return ExecutedEpoch(epoch_hash(epoch, len(batches), last.hash()), last.timestamp, run)


class Alone:
    """One epoch, executed from a machine that was given."""

    def __init__(self, epoch: int, executed: ExecutedEpoch) -> None:
        self._epoch = epoch
        self._executed = executed

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """See `Epochs`."""
        return self._executed if epoch == self._epoch else None


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
            self._runs[epoch] = make_executed(reader, epoch, replay.machine, batches)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """See `Epochs`."""
        return self._runs.get(epoch)
