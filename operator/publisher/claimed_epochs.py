"""What this operator says that the posted batches end at, epoch by epoch.

Each epoch's start is the end of the one before, whether L1 has confirmed that or not: so epochs are claimed ahead of
their confirmations. One input of each is run by plain steps, too, before a bond is put on its end, and others as time
allows; a fast path that is found to be wrong is not taken again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.spot_checks import SpotChecks, WrongFastPath

log = logging.getLogger(__name__)


class ClaimedEpoch(NamedTuple):
    """One epoch; `queue_hash` is that of the L1 queue before it."""

    batches: tuple[Batch, ...]
    queue_hash: bytes
    run: EpochRun


class ClaimedEpochs:
    """The epochs from number `first` on, each run from the end of the one before."""

    def __init__(self, machine: Machine, first: int = 0, queue_hash: bytes = ZERO) -> None:
        """`machine` stands at the start of epoch `first`, `queue_hash` is that of the L1 queue there."""
        self.first = first
        self._machine = machine
        self._queue_hash = queue_hash
        self._epochs: list[ClaimedEpoch] = []
        self._checks = SpotChecks(_refuse, every_epoch=True)

    @property
    def next(self) -> int:
        """Number of the epoch that `extend` would run."""
        return self.first + len(self._epochs)

    def __getitem__(self, number: int) -> ClaimedEpoch:
        """An epoch by number, `first` to `next - 1`."""
        return self._epochs[number - self.first]

    def start(self, number: int) -> Machine:
        """The machine at the start of an epoch, `first` to `next`."""
        return self._machine.copy() if number == self.first else self[number - 1].run.end_machine()

    def start_hash(self, number: int) -> bytes:
        """Machine hash at the start of an epoch, `first` to `next`."""
        return self._machine.hash() if number == self.first else self[number - 1].run.end

    def queue_hash(self, number: int) -> bytes:
        """The L1 queue's hash before an epoch, `first` to `next`."""
        return self._queue_hash if number == self.first else self[number - 1].batches[-1].header.queue_hash

    def extend(self, batches: Sequence[Batch]) -> EpochRun:
        """Run the next epoch. Raises WrongFastPath."""
        queue_hash = self.queue_hash(self.next)
        run = self.execute(self.start(self.next), batches, queue_hash)
        self._epochs.append(ClaimedEpoch(tuple(batches), queue_hash, run))
        return run

    def execute(self, start: Machine, batches: Sequence[Batch], queue_hash: bytes) -> EpochRun:
        """The run of an epoch by the rules, to its end."""
        run = EpochRun(start, batches, queue_hash, checks=self._checks)
        _ = run.end  # runs it, and checks what is checked
        return run

    def distrust(self, error: WrongFastPath) -> None:
        """A fast path was wrong: nothing that it led to is believed, and from now on every step is taken."""
        log.critical("ALARM: %s; from now on every step is taken", error.detail)
        self._machine.many_accounts = EVERY_STEP
        self.cut(self.first)

    def check(self, number: int, confirmed: bytes) -> None:
        """Compare the start of an epoch, if it is one of these, with what L1 has confirmed.

        Raises DataError if that is another one: this operator's machine or data is broken.
        """
        if self.first < number <= self.next and self.start_hash(number) != confirmed:
            raise DataError("data_mismatch", f"L1 confirmed another start of epoch {number} than the rules give")

    def cut(self, number: int) -> None:
        """Drop the epochs from this one on: their batches were replaced."""
        del self._epochs[max(number - self.first, 0) :]

    def forget(self, number: int) -> None:
        """Let go of the epochs before this one, which are confirmed."""
        if number > self.first:
            self._machine, self._queue_hash = self.start(number), self.queue_hash(number)
            del self._epochs[: number - self.first]
            self.first = number


def _refuse(text: str) -> NoReturn:
    raise WrongFastPath("data_mismatch", text)
