"""An epoch's history as this watcher stands for it: run by plain steps, written down once, read for every reply.

The history is built by `Machine.step` alone, whatever fast path the execution took, and so it is compared with it. What
a reply says is taken from the files, and checked again before it is said: an opening has to hash to its node, and steps
below it are taken once more, from a part of the machine that itself hashes to the leaf before it; at the last level all
of them, above a sample. So an epoch costs one execution and one trace however many lie about it, and a reply some
thousand steps at most.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from setoff.shared.codec.merkle import merkle_root
from setoff.shared.errors import DataError, WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.epoch import split_trace_position
from setoff.shared.machine.history import EPOCH, HistoryTree, InputTree
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import FRAGMENT, trace_chunks, used_inputs, walk
from setoff.shared.machine.witness import prove_step
from setoff.watcher.dispute.epoch_files import EpochFiles, OpenFiles, StoredInput

SNAPSHOT_STEPS: Final = 1 << 19
"""Least steps between two whole machines, half a minute's work: what a killed process does again."""

STEPS_A_LEAF: Final = 8
"""At least so many steps between them for each leaf of the state, which is written whole."""

SAMPLE: Final = 16
"""Steps that are taken again below an opening, if it is not the last one."""

_draw: Final = random.SystemRandom()


class Unsound(DataError):
    """What is written down is not what plain steps come to."""


class StoredTree:
    """An `InputTree` in the files."""

    __slots__ = ("_files", "_stored")

    def __init__(self, files: OpenFiles, stored: StoredInput) -> None:
        self._files = files
        self._stored = stored

    def node(self, height: int, index: int) -> bytes:
        """See `InputTree`."""
        return self._files.node(self._stored, height, index)


class EpochRecord:
    """A `TraceProvider` that reads; nothing of it stays in memory but where things are."""

    def __init__(self, start: bytes, batches: Sequence[Batch], queue_hash: bytes, files: EpochFiles) -> None:
        """`start` is the machine hash before the epoch, `queue_hash` the queue's before its first batch. `files` have
        to be done (`build`). Raises DataError if they are not whole."""
        self.start_hash = start
        self._batches = tuple(batches)
        self._queue_hashes = [queue_hash, *(batch.header.queue_hash for batch in batches)]
        self._files = files.open()
        inputs, at = self._files.inputs, 0
        if len(inputs) != sum(map(used_inputs, batches)):
            raise DataError("data_mismatch", "a history has not all inputs of its epoch")
        self._first_input: list[int] = []
        shape: list[list[tuple[bytes, bytes]]] = []
        for batch in batches:
            self._first_input.append(at)
            of_batch = inputs[at : at + used_inputs(batch)]
            shape.append([(stored.root, stored.end) for stored in of_batch])
            at += len(of_batch)
        self._history = HistoryTree.over(start, shape, self._open_input)

    # --- what the game asks ------------------------------------------------------------------------------------------

    @property
    def end(self) -> bytes:
        """Machine hash after the epoch."""
        return self._history.end

    @property
    def root(self) -> bytes:
        """The history commitment, 32 bytes."""
        return self._history.root

    def children(self, level: int, prefix: int) -> list[bytes]:
        """The opening of a node, checked. Raises Unsound."""
        opening = self._history.children(level, prefix)
        if merkle_root(opening) != self._history.node(level, prefix):
            raise Unsound("data_mismatch", f"the opening of node {prefix} at level {level} is not the node's")
        self._check_below(level, prefix)
        return opening

    def leaf(self, position: int) -> bytes:
        """Machine hash after a position; what is proven from it, `path` and `proof` check."""
        return self._history.leaf(position)

    def path(self, position: int) -> list[bytes]:
        """35 siblings of the leaf at a position, checked against the root. Raises Unsound."""
        siblings = self._history.path(position)
        node = self._history.leaf(position)
        for height, sibling in enumerate(siblings):
            node = merkle_root([sibling, node] if position >> height & 1 else [node, sibling])
        if node != self.root:
            raise Unsound("data_mismatch", f"the path of position {position} does not lead to the root")
        return siblings

    def last_path(self) -> list[bytes]:
        """30 siblings of the last leaf below `children(0, 0)[31]`."""
        return self._history.last_path()

    def proof(self, position: int) -> bytes:
        """The one-step proof of a position, encoded; its step comes to the leaf. Raises Unsound."""
        batch_index, input_index, micro = split_trace_position(position)
        batch = self._batches[batch_index] if batch_index < len(self._batches) else None
        machine = self._machine_after(self._steps_before(position))
        if machine.hash() != (self._history.leaf(position - 1) if position else self.start_hash):
            raise Unsound("data_mismatch", f"the machine before position {position} is another one")
        proof = prove_step(
            machine, batch, input_index, micro, self._queue_hashes[min(batch_index, len(self._batches))]
        ).encode()
        if machine.hash() != self._history.leaf(position):
            raise Unsound("data_mismatch", f"the step at position {position} comes to another leaf")
        return proof

    def close(self) -> None:
        """Read no more."""
        self._files.close()

    # --- plain steps -------------------------------------------------------------------------------------------------

    def check_steps(self, first: int, count: int) -> None:
        """Take `count` steps of the epoch again, from step number `first` on. Raises Unsound."""
        while count > 0:
            here = min(count, FRAGMENT - first % FRAGMENT)
            machine, steps = self._restore(first)
            for number, _ in enumerate(islice(steps, here), first):
                if machine.hash() != self._files.leaf(number):
                    raise Unsound("data_mismatch", f"step {number} of the epoch comes to another machine hash")
            first, count = first + here, count - here

    def _check_below(self, level: int, prefix: int) -> None:
        """Before the opening of a node is said: take steps below it again."""
        height = EPOCH.depth - level * EPOCH.opening_bits
        first = self._steps_before(prefix << height)
        count = self._steps_before((prefix + 1) << height) - first
        if count > EPOCH.fanout:
            first += _draw.randrange(count - SAMPLE)
            count = SAMPLE
        self.check_steps(first, count)

    def _steps_before(self, position: int) -> int:
        """Real steps of the epoch before a position."""
        batch_index, input_index, micro = split_trace_position(position)
        if batch_index >= len(self._batches):
            return self._files.steps
        used = used_inputs(self._batches[batch_index])
        at = self._first_input[batch_index] + min(input_index, used - 1)
        stored = self._files.inputs[at]
        return stored.first[0] + (stored.steps if input_index >= used else min(micro, stored.steps))

    def _machine_after(self, steps: int) -> Machine:
        """The part of the machine after so many steps of the epoch that the next one uses."""
        return self._restore(steps)[0]

    def _restore(self, step: int) -> tuple[Machine, Iterator[object]]:
        """A machine that takes step number `step` next, and its walk: from the chunk's beginning by plain steps."""
        number = step // FRAGMENT
        try:
            place, fragment = self._files.chunk(number)
            machine = fragment.restore()
        except WitnessError as error:
            raise Unsound("data_mismatch", str(error)) from None
        before = self._files.leaf(number * FRAGMENT - 1) if number else self.start_hash
        if machine.hash() != before:
            raise Unsound("data_mismatch", f"chunk {number} does not begin where the one before it ended")
        steps = walk(machine, self._batches, place=place)
        for _ in islice(steps, step % FRAGMENT):
            pass
        return machine, steps

    def _open_input(self, batch: int, input_index: int) -> InputTree:
        return StoredTree(self._files, self._files.inputs[self._first_input[batch] + input_index])


def build(files: EpochFiles, batches: Sequence[Batch], machine_before: Callable[[], Machine]) -> None:
    """Write the history of these batches down, or what a killed process has left to write.

    Raises StateError("not_ready") while another process does, and whatever `machine_before` raises.
    """
    if files.is_done():
        return
    with files.writing() as writer:
        if files.is_done():
            return
        machine = writer.machine or machine_before()
        leaves = sum(1 for _ in machine.state.tree.items())
        every = max(SNAPSHOT_STEPS, STEPS_A_LEAF * leaves) // FRAGMENT
        for chunk in trace_chunks(machine, batches, place=writer.place, first=writer.chunk, snapshot_every=every):
            if chunk.snapshot:
                writer.keep(chunk.place, chunk.snapshot)
            writer.add(chunk)
        writer.finish()
