"""What a history costs: hashing after each of the dearest kinds of steps, and the tree above the hashes.

    python -m tests.benchmarks.bench_history [LOG2_STEPS]

Times are of this process alone, so that others on the machine do not count; ratios to bare hashing and to the plain run
in the same run travel between machines. With a number it also builds the history of a batch of about 2^LOG2_STEPS
steps, by one process and by one a core: seconds of the clock, and of all processors together. On an idle machine the
clock shows the processors' seconds divided by their number.
"""

import os
import random
import sys
import time
from collections.abc import Callable

from tests.support.machines.costly_epochs import count_steps, make_fills, make_scan, make_sweep

from setoff.shared.codec.hashing import hash_pair
from setoff.shared.machine.batch import ZERO
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.history import HistoryTree
from setoff.shared.machine.tracing import count_workers, estimate_seconds, trace_inputs
from setoff.shared.rules import phases

STEPS = 1 << 17
INPUTS_PER_BATCH = 1 << 10
RUNS = 3


def measure(action: Callable[[], object], runs: int = RUNS) -> float:
    """Least seconds of one `action`."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return min(times)


def measure_hash_us() -> float:
    """Microseconds of one `hash_pair`."""
    node = bytes(32)

    def hash_many() -> None:
        for _ in range(20_000):
            hash_pair(node, node)

    return measure(hash_many, 5) / 20_000 * 1e6


# --- what is measured -------------------------------------------------------------------------------------------------


def run() -> dict[str, float]:
    """Microseconds a step of each kind, plain and in a history, and what the tree above costs."""
    rng = random.Random(1)
    start = rng.randbytes(32)
    hash_us = measure_hash_us()
    result = {"hash_pair_us": hash_us}
    for name, make in (("fills", make_fills), ("sweep", make_sweep), ("scan", make_scan)):
        machine, batches = make()
        machine.hash()
        steps = count_steps((machine, batches))
        plain = measure(lambda: EpochRun(machine, batches, ZERO).end) / steps * 1e6  # noqa: B023
        traced = measure(lambda: EpochRun(machine, batches, ZERO).root) / steps * 1e6  # noqa: B023
        result |= {f"{name}_step_us": plain, f"{name}_history_us": traced, f"{name}_hashes": traced / hash_us}
        result[f"{name}_batch_s"] = traced * phases.BATCH_STEP_CAP / 1e6
        result[f"{name}_batch_4_cores_s"] = estimate_seconds(plain, traced, 4) * phases.BATCH_STEP_CAP / 1e6

    long_input = [[[rng.randbytes(32) for _ in range(STEPS)]]]
    long_us = measure(lambda: HistoryTree.of(start, long_input)) / STEPS * 1e6
    result |= {"tree_step_us": long_us, "tree_step_hashes": long_us / hash_us}
    short_inputs = [[[rng.randbytes(32) for _ in range(4)] for _ in range(INPUTS_PER_BATCH)]]
    short_us = measure(lambda: HistoryTree.of(start, short_inputs)) / INPUTS_PER_BATCH * 1e6
    result["tree_short_slot_hashes"] = short_us / hash_us

    history = HistoryTree(start, [long_input[0] * 2], lambda batch, input_index: long_input[batch][0], kept_nodes=1)
    result[f"reopen_{STEPS}_steps_ms"] = measure(lambda: history.path(STEPS // 2), 1) * 1e3
    openings = measure(lambda: [history.children(level, 0) for level in range(history.geometry.levels)])
    result["openings_of_a_game_ms"] = openings * 1e3
    return result


def run_whole(steps: int) -> dict[str, float]:
    """Seconds of the clock for a sweep of about so many steps: by one process and by one a core."""
    machine, batches = make_sweep(steps // 2 - 1, cranks=steps // phases.WORK_LIMIT + 1)
    machine.hash()
    result: dict[str, float] = {}
    roots = []
    for workers in sorted({1, count_workers()}):
        begin, spent = time.perf_counter(), count_processor_seconds()
        inputs = trace_inputs(machine.copy(), batches, workers=workers)
        roots.append(HistoryTree(machine.hash(), [inputs], lambda batch, input_index: []).root)
        result[f"history_{workers}_processes_s"] = time.perf_counter() - begin
        result[f"history_{workers}_processors_s"] = count_processor_seconds() - spent
    assert len(set(roots)) == 1
    begin = time.process_time()
    taken = count_steps((machine, batches))
    return result | {"plain_run_s": time.process_time() - begin, "steps": taken}


def count_processor_seconds() -> float:
    """What this process and those that it has waited for have used so far."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    for name, value in (run() | (run_whole(1 << int(sys.argv[1])) if len(sys.argv) > 1 else {})).items():
        print(f"{name:28} {value:12.3f}")
