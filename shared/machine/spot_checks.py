"""Fast paths are advice: some inputs are run again by plain steps, drawn at random, all the time.

What that takes is bounded by a share of the time that passes: who has nothing else to do checks nearly every input, who
catches up a sample. Which inputs nobody can foresee. Each input is as likely as any other, so that what
leaves out many steps, and takes long to check, is not left out for that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import run_plainly

SHARE: Final = 0.05
"""Part of the time that may go into checks, in the long run."""

CREDIT: Final = 10.0
"""Seconds of it that are saved up while there is nothing to check; so many are there at the start."""

_NONE: Final = -2
"""No input is due: it is counted down further, and is never -1."""

_draw: Final = random.SystemRandom()


class WrongFastPath(DataError):
    """A fast path came to another state than plain steps do."""


@dataclass(slots=True)
class Tally:
    """What was checked by one process."""

    inputs: int = 0
    checked: int = 0
    seconds: float = 0.0
    """Processor time that the checks took."""


class SpotChecks:
    """Of one process: a watcher's worker, an operator's publisher."""

    def __init__(
        self, alarm: Callable[[str], None], clock: Callable[[], float] = time.monotonic, *, every_epoch: bool = False
    ) -> None:
        """`alarm` hears what a fast path got wrong; `every_epoch`: whether one input of each epoch is checked in any
        case, whatever it takes, as for whoever stakes on its end."""
        self._every_epoch = every_epoch
        self._due = _NONE
        self.tally = Tally()
        self._alarm = alarm
        self._clock = clock
        self._credit = CREDIT
        self._since = clock()

    def begin_epoch(self, inputs: int) -> None:
        """Draw the input, of so many to come, that is checked in any case."""
        self._due = _draw.randrange(inputs) if self._every_epoch and inputs else _NONE

    def run_input(self, machine: Machine, batch: Batch, input_index: int) -> Machine:
        """Run an input by the fast path; the machine after it. Where plain steps come to another one, it is theirs."""
        self.tally.inputs += 1
        self._due -= 1
        if not self._is_drawn() and self._due != -1:
            machine.run_input(batch, input_index)
            return machine
        began = time.process_time()
        plain = machine.copy()
        copied = time.process_time() - began
        machine.run_input(batch, input_index)
        began = time.process_time()
        run_plainly(plain, batch, input_index)
        is_right = machine.hash() == plain.hash()
        spent = copied + time.process_time() - began
        self._credit -= spent
        self.tally.checked += 1
        self.tally.seconds += spent
        if is_right:
            return machine
        place = f"input {input_index} of batch {batch.header.number}"
        self._alarm(f"{place} was run to another state than plain steps come to")
        return plain

    def _is_drawn(self) -> bool:
        now = self._clock()
        self._credit = min(CREDIT, self._credit + SHARE * (now - self._since))
        self._since = now
        return _draw.random() * CREDIT < self._credit
