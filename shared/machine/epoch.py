"""One epoch, run by one party: its end, its history, and the proof of any of its steps.

Running is fast (one re-rooting a slot at most); the history (a machine hash after every real step) is built only when a
game asks for it; leaves it does not keep are computed again slot by slot as the game descends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import Final

from setoff.shared.machine.batch import Batch
from setoff.shared.machine.history import EPOCH, HistoryTree
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import Stepper, honest_step, trace_slots, used_slots, walk_slot
from setoff.shared.machine.witness import StepProof, prove_step

__all__ = ["EpochRun", "Stepper", "honest_step", "split_position", "used_slots"]

_SLOT_BITS: Final = EPOCH.slot_bits
_MICRO_BITS: Final = EPOCH.micro_bits


def split_position(position: int) -> tuple[int, int, int]:
    """(batch of the epoch, slot, micro-step) of a position."""
    return (
        position >> (_SLOT_BITS + _MICRO_BITS),
        position >> _MICRO_BITS & (1 << _SLOT_BITS) - 1,
        position & (1 << _MICRO_BITS) - 1,
    )


class EpochRun:
    """The run of `batches` from `start` by `stepper`; what a party to a dispute knows of an epoch.

    `chain` is the L1 queue's hash chain before the first batch. The machine given as `start` is not changed.
    """

    def __init__(self, start: Machine, batches: Sequence[Batch], chain: bytes, stepper: Stepper = honest_step) -> None:
        self._start = start.copy()
        self._batches = tuple(batches)
        self._stepper = stepper
        self._chains = [chain, *(batch.header.messages for batch in batches)]
        self._last_asked = (0, 0), self._start
        self.start_hash = start.hash()

    @cached_property
    def _end_machine(self) -> Machine:
        machine = self._start.copy()
        for batch in self._batches:
            for slot in range(used_slots(batch)):
                self._run_slot(machine, batch, slot)
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
        slots = trace_slots(self._start.copy(), self._batches, self._stepper)
        batches = (islice(slots, used_slots(batch)) for batch in self._batches)
        return HistoryTree(self.start_hash, batches, self._slot_leaves)

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
        batch_index, slot, micro = split_position(position)
        machine = self._machine_before_slot(batch_index, slot)
        if batch_index < len(self._batches) and slot < used_slots(self._batches[batch_index]):
            steps = walk_slot(machine, self._batches[batch_index], slot, self._stepper)
            for _ in islice(steps, micro):
                pass
        return machine

    def prove_step(self, position: int) -> StepProof:
        """The one-step proof of `position`, from this party's state before it."""
        batch_index, slot, micro = split_position(position)
        batch = self._batches[batch_index] if batch_index < len(self._batches) else None
        return prove_step(
            self.machine_before(position), batch, slot, micro, self._chains[min(batch_index, len(self._batches))]
        )

    def proof(self, position: int) -> bytes:
        """`prove_step`, encoded as the court takes it."""
        return self.prove_step(position).encode()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _run_slot(self, machine: Machine, batch: Batch, slot: int) -> None:
        if self._stepper is honest_step:
            machine.run_slot(batch, slot)
            return
        for _ in walk_slot(machine, batch, slot, self._stepper):
            pass

    def _machine_before_slot(self, batch_index: int, slot: int) -> Machine:
        """The machine before a slot; from the one asked for last if that is on the way, since games ask for a slot's
        leaves and then for a proof in it."""
        (first_batch, first_slot), machine = self._last_asked
        if (first_batch, first_slot) > (batch_index, slot):
            first_batch, first_slot, machine = 0, 0, self._start
        machine = machine.copy()
        for number, batch in enumerate(self._batches[first_batch : batch_index + 1], first_batch):
            end = used_slots(batch) if number < batch_index else min(slot, used_slots(batch))
            for earlier in range(first_slot if number == first_batch else 0, end):
                self._run_slot(machine, batch, earlier)
        self._last_asked = (batch_index, slot), machine.copy()
        return machine

    def _slot_leaves(self, batch_index: int, slot: int) -> list[bytes]:
        machine = self.machine_before((batch_index << _SLOT_BITS | slot) << _MICRO_BITS)
        steps = walk_slot(machine, self._batches[batch_index], slot, self._stepper)
        return [machine.hash() for _ in steps]
