"""An exchange run again from L1, up to a moment of interest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.sdk.replay import InclusionResult, Replay


class Past(Replay):
    """Remembers which inputs were granted a withdrawal."""

    def __init__(self, reader: ChainReader, report: Callable[[int], None]) -> None:
        super().__init__(reader, report)
        self._granted: dict[tuple[int, int], int] = {}  # by batch and input: the withdrawal's index
        self._count = 0

    def note_input(self, batch: Batch, input_index: int, outcome: int) -> None:
        count = self.machine.regs.withdrawals
        if count > self._count:
            self._granted[batch.header.number, input_index] = count - 1
        self._count = count

    def find_withdrawal(self, result: InclusionResult) -> int | None:
        """The withdrawal that this input was granted, if any."""
        return self._granted.get((result.batch, result.input_index))


class Moment(NamedTuple):
    """The machine before a batch, and the batch."""

    machine: Machine
    batch: Batch


def go_to(reader: ChainReader, number: int, report: Callable[[int], None]) -> Moment:
    """Run everything before batch `number`. Raises InputError("not_found") if that is not posted."""
    posted = reader.find(number)
    replay = Replay(reader, report)
    replay.advance(until=number)
    return Moment(replay.machine, reader.assemble(posted, reader.messages_of(posted)))
