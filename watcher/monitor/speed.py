"""How fast this host runs steps, with a history and without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine

MEASURE_SECONDS: Final = 1.5


class Pace(NamedTuple):
    """Seconds a step takes: one that fetches an input, and one inside an input."""

    fetch: float
    inner: float

    def seconds(self, steps: int) -> float:
        """Of a full batch with so many steps."""
        fetches = min(MAX_INPUTS, steps)
        return fetches * self.fetch + (steps - fetches) * self.inner


def measure(batches: Sequence[Batch], domain: bytes, seconds: float = MEASURE_SECONDS) -> tuple[Pace, Pace]:
    """How fast steps are: run alone, and with a machine hash after each, as a history needs."""
    spent, counts, last = [0.0, 0.0], [0, 0], (0.0, 0)

    def count(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        nonlocal last
        now, kind = time.perf_counter(), int(micro > 0)
        # What came after the step before, hashing included, belongs to it.
        spent[last[1]] += now - last[0]
        counts[kind] += 1
        last = now, kind
        machine.step(batch, input_index, micro)

    works: tuple[Callable[[EpochRun], bytes], ...] = (lambda run: run.end, lambda run: run.root)
    paces = []
    for work in works:
        spent[:], counts[:] = [0.0, 0.0], [0, 0]
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds or not all(counts):
            run = EpochRun(Machine.genesis(domain), batches, bytes(32), count)
            last = time.perf_counter(), 0
            work(run)
        paces.append(Pace(spent[0] / counts[0], spent[1] / counts[1]))
    return paces[0], paces[1]
