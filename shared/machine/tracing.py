"""The machine hash after every real step of an epoch, by several processes where there are many steps.

To hash after a step costs ten times the step itself. So all workers run the whole epoch, each hashes after the steps of
its own chunks, and no states have to be handed around: with n workers the trace takes 1/n of the hashing and (n - 1)/n
of a plain run. Chunks come back in their order, and a worker waits with the next one until it is wanted, so that memory
stays bounded. If a worker dies, the one who asked goes on alone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import count, islice
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from setoff.shared.errors import WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.rules import phases
from setoff.shared.state.registers import machine_hashes

Stepper = Callable[[Machine, Batch, int, int], None]
"""Runs the step at (input index, micro) of a batch on a machine. The honest one is `Machine.step`; a liar has
another."""

honest_step: Final[Stepper] = Machine.step

CHUNK: Final = 1 << 12
"""Steps that one process hashes at a stretch."""
ALONE: Final = 1 << 16
"""Steps that are traced before other processes are worth their start, a few seconds' work."""
CACHED_LEAVES: Final = 1 << 17
"""Decoded leaves that a process keeps at hand."""
FRAGMENT: Final = 1 << 8
"""Steps of a chunk that can be taken again on its own: so many at most lie before any step that is asked for."""

LOOK: Final = 1 << 10
"""Steps, some 10 ms, after which somebody who waits is looked for."""

_TOGETHER: Final = 64
"""Steps whose machine hashes are made together."""
_NODE: Final = 32

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a run stands: the next step is (input index, micro) of a batch, or the next input's if that one is idle."""

    batch: int
    input_index: int
    micro: int


BEGINNING: Final = Place(0, 0, 0)


class Chunk(NamedTuple):
    """Machine hashes of consecutive steps, 32 bytes each; the last chunk of an epoch is shorter, or even empty."""

    leaves: bytes
    ends: tuple[int, ...]
    """How many there are up to each end of an input."""
    is_last: bool
    place: Place = BEGINNING
    """Where its first step is."""
    fragment: bytes = b""
    """What its steps use (`fragment.py`), if that is kept."""
    snapshot: bytes = b""
    """The whole machine before it, of some chunks."""


def used_inputs(batch: Batch) -> int:
    """How many input indices have a real step: one an input, and index 0 in any case (it begins the batch)."""
    return max(1, batch.header.inputs)


def walk_input(
    machine: Machine, batch: Batch, input_index: int, stepper: Stepper = honest_step, micro: int = 0
) -> Iterator[None]:
    """Take the steps of an input from `micro` on until it is idle; yields after each."""
    if stepper is honest_step:
        yield from machine.walk_input(batch, input_index, micro)
        return
    while micro == 0 or machine.regs.phase != phases.IDLE:
        stepper(machine, batch, input_index, micro)
        micro += 1
        yield


def run_plainly(
    machine: Machine,
    batch: Batch,
    input_index: int,
    most: int = 1 << EPOCH.micro_bits,
    look: Callable[[], None] = lambda: None,
) -> int:
    """Run an input by `Machine.step` alone, whatever else could do it faster; returns how many steps that took. `look`
    is called every LOOK steps, and may raise.

    Raises WitnessError("bad_witness") if it takes more than `most`, which none does that begins with a machine to which
    the rules come.
    """
    micro = 0
    while micro == 0 or machine.regs.phase != phases.IDLE:
        if micro >= most:
            where = f"input {input_index} of batch {batch.header.number}"
            raise WitnessError("bad_witness", f"{where} takes more steps than any has")
        if micro % LOOK == 0:
            look()
        machine.step(batch, input_index, micro)
        micro += 1
    return micro


def walk(
    machine: Machine, batches: Sequence[Batch], stepper: Stepper = honest_step, place: Place = BEGINNING
) -> Iterator[Place]:
    """Take every real step from `place` on; yields after each where the run then stands."""
    _, first_input, micro = place
    for number in range(place.batch, len(batches)):
        batch = batches[number]
        for input_index in range(first_input, used_inputs(batch)):
            for after, _ in enumerate(walk_input(machine, batch, input_index, stepper, micro), micro + 1):
                yield Place(number, input_index, after)
            micro = 0
        first_input = 0


def count_workers() -> int:
    """How many processes can work at once here; 1 where no other may be started."""
    if multiprocessing.current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def estimate_seconds(execution: float, history: float, workers: int) -> float:
    """How long the trace of a long epoch takes that one process runs in `execution` and traces in `history` seconds."""
    return (history + (workers - 1) * execution) / workers


def trace_inputs(
    machine: Machine,
    batches: Sequence[Batch],
    stepper: Stepper = honest_step,
    *,
    workers: int | None = None,
    alone: int = ALONE,
    chunk_steps: int = CHUNK,
) -> Generator[list[bytes], None, None]:
    """Every used input's machine hashes, one after each of its real steps, from `machine`, which is used up.

    `workers`: processes to use after the first `alone` steps, by default one for each core. A stepper of one's own
    stays in this process.
    """
    if workers is None:
        workers = count_workers() if stepper is honest_step else 1
    leaves: list[bytes] = []
    run = _Run(machine, batches, chunk_steps, stepper)
    for chunk in _trace(run, workers, alone // chunk_steps):
        nodes = [chunk.leaves[at : at + _NODE] for at in range(0, len(chunk.leaves), _NODE)]
        begin = 0
        for end in chunk.ends:
            yield leaves + nodes[begin:end]
            leaves, begin = [], end
        leaves += nodes[begin:]


def trace_chunks(
    machine: Machine,
    batches: Sequence[Batch],
    *,
    place: Place = BEGINNING,
    first: int = 0,
    snapshot_every: int = 0,
    workers: int | None = None,
    alone: int = ALONE,
    chunk_steps: int = FRAGMENT,
) -> Iterator[Chunk]:
    """Every step from `place` on, by `Machine.step` alone, in chunks that can be taken again on their own.

    `machine` is there and used up; `first` is the number of the first chunk, and each whose number is a multiple of
    `snapshot_every` comes with the whole machine before it.
    """
    machine.many_accounts = EVERY_STEP
    run = _Run(machine, batches, chunk_steps, place=place, keeping=Keeping(first, snapshot_every))
    yield from _trace(run, count_workers() if workers is None else workers, alone // chunk_steps)


def _trace(run: _Run, workers: int, alone: int) -> Iterator[Chunk]:
    """All chunks in their order, the first `alone` of them from this process."""
    for _ in range(alone if workers > 1 else 0):
        chunk = run.trace()
        yield chunk
        if chunk.is_last:
            return
    if workers > 1:
        received = 0
        try:
            for chunk in _gather(run, workers):
                received += 1
                yield chunk
            return
        except (EOFError, OSError) as error:
            log.warning("a process that helped with a history is gone, this one goes on alone: %r", error)
        for _ in range(received):
            run.skip()
    while True:
        chunk = run.trace()
        yield chunk
        if chunk.is_last:
            return


class Keeping(NamedTuple):
    """That a run keeps what its steps use."""

    chunk: int
    """Number of the chunk to come."""
    snapshot_every: int
    """Chunks between two whole machines; 0: none."""

    def is_due(self) -> bool:
        """Whether the whole machine is wanted before the chunk to come."""
        return bool(self.chunk and self.snapshot_every and self.chunk % self.snapshot_every == 0)


class _Run:
    """A machine on its way through an epoch, a chunk at a time."""

    def __init__(
        self,
        machine: Machine,
        batches: Sequence[Batch],
        chunk_steps: int,
        stepper: Stepper = honest_step,
        place: Place = BEGINNING,
        keeping: Keeping | None = None,
    ) -> None:
        self._keeping = keeping
        self._machine = machine
        self._batches = batches
        self._chunk_steps = chunk_steps
        self._place = place
        self._steps = walk(machine, batches, stepper, place)

    def freeze(self) -> bytes:
        """What `thaw` needs to go on from here in another process; of an honest run."""
        whole = self._machine.copy(), tuple(self._batches), self._chunk_steps, self._place, self._keeping
        return pickle.dumps(whole)

    @classmethod
    def thaw(cls, data: bytes) -> _Run:
        """The run that was frozen."""
        machine, batches, chunk_steps, place, keeping = pickle.loads(data)
        return cls(machine, batches, chunk_steps, place=place, keeping=keeping)

    def trace(self) -> Chunk:
        """Take the steps of the next chunk, hashing after each."""
        machine, regs = self._machine, self._machine.regs
        leaves: list[bytes] = []
        roots: list[bytes] = []
        encoded: list[bytes] = []
        ends: list[int] = []
        first, registers, snapshot = self._place, b"", b""
        if self._keeping is not None:
            machine.state.commit()
            registers, machine.state.seen = regs.encode(), {}
            if self._keeping.is_due():
                snapshot = zlib.compress(machine.snapshot(), level=1)
        for place in islice(self._steps, self._chunk_steps):
            machine.state.commit()
            roots.append(machine.state.tree.root)
            encoded.append(machine.regs.encode())
            if regs.phase == phases.IDLE:
                ends.append(len(leaves) + len(roots))
            if len(roots) == _TOGETHER:
                leaves += machine_hashes(roots, encoded)
                roots, encoded = [], []
            self._place = place
        leaves += machine_hashes(roots, encoded)
        fragment = Fragment.cut(registers, machine).encode() if self._keeping is not None else b""
        machine.state.seen = None
        machine.state.trim(CACHED_LEAVES)
        self._count()
        is_last = len(leaves) < self._chunk_steps
        return Chunk(b"".join(leaves), tuple(ends), is_last, first, fragment, snapshot)

    def skip(self) -> bool:
        """Take the steps of the next chunk; returns whether it was the last one."""
        taken = 0
        for place in islice(self._steps, self._chunk_steps):
            self._place = place
            taken += 1
        self._count()
        return taken < self._chunk_steps

    def _count(self) -> None:
        if self._keeping is not None:
            self._keeping = self._keeping._replace(chunk=self._keeping.chunk + 1)


def _gather(run: _Run, workers: int) -> Iterator[Chunk]:
    """The chunks from where `run` stands, traced by `workers` processes. Raises EOFError or OSError if one dies."""
    # Spawned, since forking a process that has threads may leave locks behind that nobody opens.
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []
    try:
        for number in range(workers):
            ours, theirs = context.Pipe()
            pipes.append(ours)
            process = context.Process(
                target=_work, args=(theirs, number, workers), name=f"history {number + 1}", daemon=True
            )
            process.start()
            processes.append(process)
            theirs.close()
        frozen = run.freeze()
        for pipe in pipes:
            pipe.send_bytes(frozen)
        del frozen
        for number in count():
            chunk: Chunk = pipes[number % workers].recv()
            yield chunk
            if chunk.is_last:
                return
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.terminate()
            process.join()


def _work(pipe: Connection, number: int, workers: int) -> None:
    """The main function of worker `number`: trace every chunk of its own, and skip the others'."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    with suppress(EOFError, OSError):  # nobody wants more
        run = _Run.thaw(pipe.recv_bytes())
        for turn in count():
            if turn % workers == number:
                chunk = run.trace()
                pipe.send(chunk)
                if chunk.is_last:
                    return
            elif run.skip():
                return
