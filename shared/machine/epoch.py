"""One epoch, run by one party: its end, its history, and the proof of any of its steps.

Running is fast (one re-rooting a slot at most); the history (a machine hash after every real step) is built only when a
game asks for it, and leaves are computed again slot by slot as the game descends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from setoff.shared.machine.batch import Batch
from setoff.shared.machine.history import EPOCH, History
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import StepProof, prove_step
from setoff.shared.rules import phases

#: Runs the step at (slot, micro) of a batch on a machine. The honest one is `Machine.step`; a liar brings another.
Stepper = Callable[[Machine, Batch, int, int], None]

honest_step: Final[Stepper] = Machine.step

_SLOT_BITS: Final = EPOCH.slot_bits
_MICRO_BITS: Final = EPOCH.micro_bits


def split_position(position: int) -> tuple[int, int, int]:
    """(batch of the epoch, slot, micro-step) of a position."""
    return (
        position >> (_SLOT_BITS + _MICRO_BITS),
        position >> _MICRO_BITS & (1 << _SLOT_BITS) - 1,
        position & (1 << _MICRO_BITS) - 1,
    )


def used_slots(batch: Batch) -> int:
    """Slots with a real step: one an input, and slot 0 in any case (it begins the batch)."""
    return max(1, batch.header.inputs)


class EpochRun:
    """The run of `batches` from `start` by `stepper`; what a party to a dispute knows of an epoch.

    `chain` is the L1 queue's hash chain before the first batch. The machine given as `start` is not changed.
    """

    def __init__(self, start: Machine, batches: Sequence[Batch], chain: bytes, stepper: Stepper = honest_step) -> None:
        self._start = start.copy()
        self._batches = tuple(batches)
        self._stepper = stepper
        self._chains = [chain, *(batch.header.messages for batch in batches)]
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
    def _history(self) -> History:
        machine = self._start.copy()
        hashes = ((self._trace_slot(machine, b, s) for s in range(used_slots(b))) for b in self._batches)
        return History(self.start_hash, hashes, self._slot_leaves)

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
        machine = self._start.copy()
        for batch in self._batches[:batch_index]:
            for earlier in range(used_slots(batch)):
                self._run_slot(machine, batch, earlier)
        if batch_index < len(self._batches):
            batch = self._batches[batch_index]
            for earlier in range(min(slot, used_slots(batch))):
                self._run_slot(machine, batch, earlier)
            if slot < used_slots(batch):
                for earlier in range(micro):
                    if earlier and machine.regs.phase == phases.IDLE:
                        break
                    self._stepper(machine, batch, slot, earlier)
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
        micro = 0
        while micro == 0 or machine.regs.phase != phases.IDLE:
            self._stepper(machine, batch, slot, micro)
            micro += 1

    def _trace_slot(self, machine: Machine, batch: Batch, slot: int) -> list[bytes]:
        if self._stepper is honest_step:
            return [machine.hash() for _ in machine.walk_slot(batch, slot)]
        leaves: list[bytes] = []
        while not leaves or machine.regs.phase != phases.IDLE:
            self._stepper(machine, batch, slot, len(leaves))
            leaves.append(machine.hash())
        return leaves

    def _slot_leaves(self, batch_index: int, slot: int) -> list[bytes]:
        machine = self.machine_before((batch_index << _SLOT_BITS | slot) << _MICRO_BITS)
        return self._trace_slot(machine, self._batches[batch_index], slot)
