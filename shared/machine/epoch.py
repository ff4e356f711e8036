"""One epoch, run by one party: its end, its history, and the proof of any of its steps.

Running is fast (one re-rooting an input at most); the history (a machine hash after every real step) is built only when
a game asks for it, by plain steps whatever fast path the run took, and compared with it; leaves it does not keep are
computed again input by input as the game descends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import Final

from setoff.shared.machine.batch import Batch
from setoff.shared.machine.history import EPOCH, HistoryTree
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.spot_checks import SpotChecks, WrongFastPath
from setoff.shared.machine.tracing import Stepper, honest_step, trace_inputs, used_inputs, walk_input
from setoff.shared.machine.witness import StepProof, prove_step

__all__ = ["EpochRun", "Stepper", "honest_step", "split_trace_position", "used_inputs"]

_INPUT_BITS: Final = EPOCH.input_bits
_MICRO_BITS: Final = EPOCH.micro_bits


def split_trace_position(position: int) -> tuple[int, int, int]:
    """(batch of the epoch, input index, micro-step) of a position."""
    return (
        position >> (_INPUT_BITS + _MICRO_BITS),
        position >> _MICRO_BITS & (1 << _INPUT_BITS) - 1,
        position & (1 << _MICRO_BITS) - 1,
    )


class EpochRun:
    """The run of `batches` from `start` by `stepper`; what a party to a dispute knows of an epoch.

    `queue_hash` is the L1 queue's before the first batch. The machine given as `start` is not changed. `checks`: of
    whoever stakes on the end.
    """

    def __init__(
        self,
        start: Machine,
        batches: Sequence[Batch],
        queue_hash: bytes,
        stepper: Stepper = honest_step,
        checks: SpotChecks | None = None,
    ) -> None:
        self._start = start.copy()
        self._checks = checks
        self._batches = tuple(batches)
        self._stepper = stepper
        self._queue_hashes = [queue_hash, *(batch.header.queue_hash for batch in batches)]
        self._last_asked = (0, 0), self._start
        self.start_hash = start.hash()

    @cached_property
    def _end_machine(self) -> Machine:
        machine = self._start.copy()
        if self._checks is not None:
            self._checks.begin_epoch(sum(map(used_inputs, self._batches)))
        for batch in self._batches:
            for input_index in range(used_inputs(batch)):
                machine = self._run_input(machine, batch, input_index, self._checks)
        return machine

    @cached_property
    def end(self) -> bytes:
        """Machine hash after the epoch."""
        return self._end_machine.hash()

    def end_machine(self) -> Machine:
        """A copy of the machine after the epoch."""
        return self._end_machine.copy()

    # --- the history -------------------------------------------------------------------------------------------------

    @cached_property
    def _history(self) -> HistoryTree:
        machine = self._start.copy()
        machine.many_accounts = EVERY_STEP
        inputs = trace_inputs(machine, self._batches, self._stepper)
        batches = (islice(inputs, used_inputs(batch)) for batch in self._batches)
        history = HistoryTree(self.start_hash, batches, self._input_leaves)
        if history.end != self.end:
            raise WrongFastPath("data_mismatch", "an epoch was run to another end than plain steps come to")
        return history

    @property
    def root(self) -> bytes:
        """The history commitment, 32 bytes."""
        return self._history.root

    def children(self, level: int, prefix: int) -> list[bytes]:
        """The opening of the node at (level, prefix): 32 nodes; at level 7 the leaf itself."""
        return self._history.children(level, prefix)

    def leaf(self, position: int) -> bytes:
        """Machine hash after `position`."""
        return self._history.leaf(position)

    def path(self, position: int) -> list[bytes]:
        """35 siblings of the leaf at `position`."""
        return self._history.path(position)

    def last_path(self) -> list[bytes]:
        """30 siblings of the last leaf below `children(0, 0)[31]`."""
        return self._history.last_path()

    # --- a single step -----------------------------------------------------------------------------------------------

    def machine_before(self, position: int) -> Machine:
        """A machine in the state before `position`."""
        batch_index, input_index, micro = split_trace_position(position)
        machine = self._machine_before_input(batch_index, input_index)
        if batch_index < len(self._batches) and input_index < used_inputs(self._batches[batch_index]):
            steps = walk_input(machine, self._batches[batch_index], input_index, self._stepper)
            for _ in islice(steps, micro):
                pass
        return machine

    def prove_step(self, position: int) -> StepProof:
        """The one-step proof of `position`, from this party's state before it."""
        batch_index, input_index, micro = split_trace_position(position)
        batch = self._batches[batch_index] if batch_index < len(self._batches) else None
        return prove_step(
            self.machine_before(position),
            batch,
            input_index,
            micro,
            self._queue_hashes[min(batch_index, len(self._batches))],
        )

    def proof(self, position: int) -> bytes:
        """`prove_step`, encoded as the court takes it."""
        return self.prove_step(position).encode()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _run_input(self, machine: Machine, batch: Batch, input_index: int, checks: SpotChecks | None = None) -> Machine:
        """The machine after it, by default the same one."""
        if self._stepper is not honest_step:
            for _ in walk_input(machine, batch, input_index, self._stepper):
                pass
        elif checks is not None:
            return checks.run_input(machine, batch, input_index)
        else:
            machine.run_input(batch, input_index)
        return machine

    def _machine_before_input(self, batch_index: int, input_index: int) -> Machine:
        """The machine before an input; from the one asked for last if that is on the way, since games ask for an
        input's leaves and then for a proof in it."""
        (first_batch, first_input), machine = self._last_asked
        if (first_batch, first_input) > (batch_index, input_index):
            first_batch, first_input, machine = 0, 0, self._start
        machine = machine.copy()
        for number, batch in enumerate(self._batches[first_batch : batch_index + 1], first_batch):
            end = used_inputs(batch) if number < batch_index else min(input_index, used_inputs(batch))
            for earlier in range(first_input if number == first_batch else 0, end):
                self._run_input(machine, batch, earlier)
        self._last_asked = (batch_index, input_index), machine.copy()
        return machine

    def _input_leaves(self, batch_index: int, input_index: int) -> list[bytes]:
        machine = self.machine_before((batch_index << _INPUT_BITS | input_index) << _MICRO_BITS)
        steps = walk_input(machine, self._batches[batch_index], input_index, self._stepper)
        return [machine.hash() for _ in steps]
