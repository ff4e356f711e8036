"""What a watcher's machine spends: processor and disk an epoch that is idle, one of the dearest steps, and a reply to
each of 1,000 liars about it.

Processor seconds of this process alone, so that others on the machine do not count. `worst epoch` multiplies the
dearest kind of steps by the most that the preset's epochs can have.
"""

from __future__ import annotations

import random
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from statistics import mean, quantiles
from typing import Final

from tests.support.machines.costly_epochs import Epoch, count_steps, make_fills, make_scan, make_sweep

from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.machine import tracing
from setoff.shared.machine.batch import HEADER_BYTES, MAX_INPUTS, ZERO, Batch
from setoff.shared.machine.history import EPOCH, HistoryTree
from setoff.shared.machine.spot_checks import SHARE
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.shared.params import MAINNET, MAX_BATCH_STEPS, TESTNET
from setoff.watcher.dispute import epoch_record
from setoff.watcher.dispute.epoch_files import EpochFiles
from setoff.watcher.dispute.epoch_record import EpochRecord
from setoff.watcher.store import encode_batch

LIARS: Final = 1000
ACCOUNTS: Final = 4000
CRANKS: Final = 4


def measure(action: Callable[[], object]) -> float:
    """Processor seconds of one action."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


def execute(epoch: Epoch, *, plainly: bool = False) -> None:
    """As a worker does."""
    machine, batches = epoch[0].copy(), epoch[1]
    for batch in batches:
        for input_index in range(used_inputs(batch)):
            (run_plainly if plainly else type(machine).run_input)(machine, batch, input_index)
    machine.hash()


def write_down(epoch: Epoch, folder: Path) -> EpochRecord:
    """The history, by this process alone."""
    alone: dict[str, int] = {"workers": 1}
    files = EpochFiles(folder)
    trace_chunks = tracing.trace_chunks
    epoch_record.trace_chunks = lambda *a, **k: trace_chunks(*a, **k, **alone)  # type: ignore[arg-type]
    try:
        epoch_record.build(files, epoch[1], epoch[0].copy)
    finally:
        epoch_record.trace_chunks = trace_chunks
    return EpochRecord(epoch[0].hash(), epoch[1], ZERO, files)


def count_stored(epoch: Epoch) -> tuple[int, int]:
    """Bytes in Redis of an epoch's batches, and of the machine at its end, as `watcher/store.py` keeps them."""
    machine, batches = epoch[0].copy(), epoch[1]
    for batch in batches:
        machine.run_batch(batch)
    return sum(len(encode_batch(batch)) for batch in batches), len(zlib.compress(machine.snapshot(), level=1))


def count_disk(folder: Path) -> int:
    """Bytes of all histories in a folder."""
    return sum(path.stat().st_size for path in folder.glob("*/*"))


def trace_in_memory(epoch: Epoch) -> bytes:
    """The commitment alone, nothing kept; by the fast paths."""
    inputs = tracing.trace_inputs(epoch[0].copy(), epoch[1], workers=1)
    return HistoryTree(epoch[0].hash(), [inputs], lambda batch, input_index: []).root


def reply(record: EpochRecord, position: int, level: int) -> None:
    """All that one call of the honest side takes of the history: a move, or at level 7 the proof."""
    if level == EPOCH.levels:
        record.leaf(position - 1)
        record.path(position - 1)
        record.proof(position)
        record.leaf(position)
        return
    for opened in (level, level + 1):
        record.children(opened, position >> EPOCH.opening_bits * (EPOCH.levels - opened))


def play(record: EpochRecord, liars: int) -> dict[int, list[float]]:
    """Seconds of each reply by level, one to each of so many liars, wherever they differ, in no order."""
    rng = random.Random(1)
    spent: dict[int, list[float]] = {level: [] for level in (0, 2, 4, 6, EPOCH.levels)}
    inputs = record._files.inputs
    for number in range(liars):
        stored = inputs[rng.randrange(len(inputs))]
        input_index = inputs.index(stored)
        position = (input_index << EPOCH.micro_bits) + rng.randrange(1, max(2, stored.steps))
        level = list(spent)[number % len(spent)]
        spent[level].append(measure(lambda: reply(record, position, level)))  # noqa: B023
    return spent


def run() -> dict[str, float]:
    """CPU and disk of a watcher an epoch: idle, of the dearest steps, and under 1,000 liars; milliseconds a reply.

    `store` is what Redis holds of the epoch: its batches, and the machine at its end.
    """
    figures: dict[str, float] = {}
    machine, (some,) = make_scan(1)
    header = some.header
    idle = machine, [Batch.seal(ZERO, header.number, header.timestamp, 0, 0, ZERO, (), ())]
    figures["idle epoch: execution_ms"] = measure(lambda: execute(idle)) * 1e3
    figures["idle epoch: store_bytes"] = sum(count_stored(idle))
    figures["idle epoch: history on disk_bytes"] = 0  # nobody builds one of what nobody disputes
    dearest = 0.0
    for name, make in (
        ("sweep", lambda: make_sweep(ACCOUNTS, CRANKS)),
        ("fills", make_fills),
        ("scan", lambda: make_sweep(ACCOUNTS, CRANKS, owed=0)),
    ):
        epoch = make()
        epoch[0].hash()
        steps = count_steps(epoch)
        with tempfile.TemporaryDirectory() as folder:
            figures[f"{name}: steps"] = steps
            figures[f"{name}: execution_us a step"] = measure(lambda: execute(epoch)) / steps * 1e6  # noqa: B023
            plain = measure(lambda: execute(epoch, plainly=True)) / steps  # noqa: B023
            figures[f"{name}: plain steps_us a step"] = plain * 1e6
            begin = time.process_time()
            record = write_down(epoch, Path(folder) / "epoch")
            traced = (time.process_time() - begin) / steps
            figures[f"{name}: history_us a step"] = traced * 1e6
            in_memory = measure(lambda: trace_in_memory(epoch)) / steps  # noqa: B023
            figures[f"{name}: history, by one in memory"] = traced / in_memory
            size = count_disk(Path(folder))
            figures[f"{name}: disk_bytes a step"] = size / steps
            of_batches, of_machine = count_stored(epoch)
            figures[f"{name}: store, batches_bytes"] = of_batches
            figures[f"{name}: store, machine_bytes"] = of_machine
            replies = play(record, LIARS)
            figures[f"{name}: {LIARS} liars, more on disk_bytes"] = count_disk(Path(folder)) - size
            every = [seconds for of_level in replies.values() for seconds in of_level]
            figures[f"{name}: reply_ms"] = mean(every) * 1e3
            figures[f"{name}: reply_ms, 99 of 100 below"] = quantiles(every, n=100)[-1] * 1e3
            figures[f"{name}: a liar, 4 moves and the proof_ms"] = sum(mean(each) for each in replies.values()) * 1e3
            of_liars = LIARS * sum(mean(each) for each in replies.values())
            figures[f"{name}: {LIARS} liars_s"] = of_liars
            figures[f"{name}: {LIARS} liars, in histories"] = of_liars / (traced * steps)
            if traced > dearest:
                dearest = traced
                for preset, params in (("mainnet", MAINNET), ("testnet", TESTNET)):
                    worst = params.epoch_batches * MAX_BATCH_STEPS
                    figures[f"{preset}, worst epoch: plain execution_s"] = plain * worst
                    figures[f"{preset}, worst epoch: history_s, two cores"] = (traced + plain) / 2 * worst
                    figures[f"{preset}, worst epoch: history on disk_GB"] = size / steps * worst / 1e9
                    full = HEADER_BYTES + MAX_INPUTS * RECORD_BYTES
                    figures[f"{preset}, worst epoch: store, batches_MB"] = params.epoch_batches * full / 1e6
                    figures[f"{preset}, worst epoch: store, machine_MB"] = of_machine / 1e6
    figures["spot checks: share of the time at most"] = SHARE
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:48} {value:14,.3f}")
