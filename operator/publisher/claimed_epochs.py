"""What this operator says that the posted batches end at, epoch by epoch; and the switch that makes it lie.

A line of runs: each epoch's start is the end of the one before, whether L1 has confirmed that or not. An honest line is
the truth. A liar's is the truth up to its lie and false from there on, for it builds on what it claimed; when L1
confirms another start than the line has, the line is cut there and goes on from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from setoff.deploy.simulation.faults import FAULTS, plan_fault
from setoff.shared.errors import ConfigError, DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step
from setoff.shared.machine.machine import Machine

#: A lie that is not about what is claimed: a wrong root, joined for, and then not a single move.
SILENT: Final = "silent"
MAINNET: Final = 1


class Lie:
    """A named lie, told once: in the first epoch from batch `first_batch` on that it fits."""

    def __init__(self, name: str, first_batch: int, chain_id: int) -> None:
        """Raises ConfigError on a name that is not in `FAULTS` and not SILENT, and on a chain with real money."""
        if name != SILENT and name not in FAULTS:
            raise ConfigError("bad_config", f"fault: there is no lie '{name}': {', '.join([*FAULTS, SILENT])}")
        if chain_id == MAINNET:
            raise ConfigError("bad_config", "fault: lies are for test networks")
        self.name = name
        self.is_silent = name == SILENT
        self.was_told = False
        self._fault = "wrong-root" if self.is_silent else name
        self._first_batch = first_batch

    def plan(self, start: Machine, batches: Sequence[Batch]) -> Stepper | None:
        """The stepper that tells it in this epoch; None if it does not fit there or was told before."""
        if self.was_told or batches[-1].header.number < self._first_batch:
            return None
        return plan_fault(self._fault, start, batches)


class Epoch(NamedTuple):
    """One epoch of a line; `chain` is the L1 queue's hash chain before it, `is_lie` says that its run is false."""

    batches: tuple[Batch, ...]
    chain: bytes
    run: EpochRun
    is_lie: bool


class Line:
    """The epochs from number `first` on, each run from the end of the one before."""

    def __init__(self, machine: Machine, first: int = 0, chain: bytes = ZERO, lie: Lie | None = None) -> None:
        """`machine` stands at the start of epoch `first`, `chain` is the L1 queue's hash chain there."""
        self.first = first
        self._machine = machine
        self._chain = chain
        self._lie = lie
        self._epochs: list[Epoch] = []

    @property
    def next(self) -> int:
        """Number of the epoch that `extend` would run."""
        return self.first + len(self._epochs)

    def __getitem__(self, number: int) -> Epoch:
        """An epoch by number, `first` to `next - 1`."""
        return self._epochs[number - self.first]

    def start(self, number: int) -> Machine:
        """The machine at the start of an epoch, `first` to `next`."""
        return self._machine.copy() if number == self.first else self[number - 1].run.end_machine()

    def start_hash(self, number: int) -> bytes:
        """Machine hash at the start of an epoch, `first` to `next`."""
        return self._machine.hash() if number == self.first else self[number - 1].run.end

    def chain(self, number: int) -> bytes:
        """The queue's hash chain before an epoch, `first` to `next`."""
        return self._chain if number == self.first else self[number - 1].batches[-1].header.messages

    def extend(self, batches: Sequence[Batch], *, is_confirmed: bool = False) -> EpochRun:
        """Run the next epoch, lying if it is time; where its end is confirmed there is nothing left to lie about."""
        start = self.start(self.next)
        stepper = self._lie.plan(start, batches) if self._lie and not is_confirmed else None
        if self._lie and stepper:
            self._lie.was_told = True
        return self._add(start, batches, stepper)

    def correct(self, number: int, confirmed: bytes) -> bool:
        """Take L1's word for the start of an epoch; returns whether the line had another one and was cut there.

        Raises DataError if the truth is another one still: this operator's machine or data is broken.
        """
        if not self.first < number <= self.next or self.start_hash(number) == confirmed:
            return False
        batches = self[number - 1].batches
        self.cut(number - 1)
        run = self._add(self.start(number - 1), batches, None)
        if run.end != confirmed:
            raise DataError("data_mismatch", f"L1 confirmed another start of epoch {number} than the rules give")
        return True

    def cut(self, number: int) -> None:
        """Drop the epochs from this one on: their batches were replaced, or what they say is false."""
        del self._epochs[max(number - self.first, 0) :]

    def forget(self, number: int) -> None:
        """Let go of the epochs before this one, which are confirmed."""
        if number > self.first:
            self._machine, self._chain = self.start(number), self.chain(number)
            del self._epochs[: number - self.first]
            self.first = number

    def _add(self, start: Machine, batches: Sequence[Batch], stepper: Stepper | None) -> EpochRun:
        chain = self.chain(self.next)
        run = EpochRun(start, batches, chain, stepper or honest_step)
        self._epochs.append(Epoch(tuple(batches), chain, run, stepper is not None))
        return run
