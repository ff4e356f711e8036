"""What a history commitment costs a real step. Ratios to bare hashing in the same run travel between machines.

The worst batch has as many real steps as the cap lets it; what its history takes is reckoned from the pace of an epoch
in which every kind of step occurs, on a small state.
"""

import random
import time

from setoff.deploy.scene import CHAIN_ID, VAULT, Scene, play_epoch
from setoff.shared.codec import eip712
from setoff.shared.codec.hashing import hash_pair
from setoff.shared.machine.history import History
from setoff.shared.rules import phases
from setoff.watcher.doctor import measure

STEPS = 1 << 18
SLOTS = 1 << 10


def measure_hash_us() -> float:
    """Microseconds of one `hash_pair`."""
    node = bytes(32)
    begin = time.perf_counter()
    for _ in range(100_000):
        hash_pair(node, node)
    return (time.perf_counter() - begin) / 100_000 * 1e6


def run() -> dict[str, float]:
    """Microseconds a real step in one long slot, ms for a batch of 1,024 short slots, and ms for a game's moves.

    Then the machine itself: steps a second without and with its history, and seconds for a batch at the step cap.
    """
    rng = random.Random(1)
    start = rng.randbytes(32)
    hash_us = measure_hash_us()
    long_slot = [[[rng.randbytes(32) for _ in range(STEPS)]]]
    short_slots = [[[rng.randbytes(32) for _ in range(4)] for _ in range(SLOTS)]]

    begin = time.perf_counter()
    history = History.of(start, long_slot)
    long_us = (time.perf_counter() - begin) / STEPS * 1e6

    begin = time.perf_counter()
    History.of(start, short_slots)
    short_ms = (time.perf_counter() - begin) * 1e3

    begin = time.perf_counter()
    history.path(STEPS // 2)
    reopen_ms = (time.perf_counter() - begin) * 1e3

    begin = time.perf_counter()
    for level in range(history.geometry.levels):
        history.children(level, 0)
    game_ms = (time.perf_counter() - begin) * 1e3

    scene = Scene()
    execution, with_history = measure(play_epoch(scene), eip712.domain_separator(CHAIN_ID, VAULT))
    cap = phases.BATCH_STEP_CAP

    return {
        "hash_pair_us": hash_us,
        "step_us": long_us,
        "step_hashes": long_us / hash_us,
        "short_slots_ms": short_ms,
        "short_slot_hashes": short_ms * 1e3 / SLOTS / hash_us,
        "reopen_262144_steps_ms": reopen_ms,
        "openings_of_a_game_ms": game_ms,
        "steps a second executed": 1 / execution.inner,
        "steps a second with history": 1 / with_history.inner,
        "steps at the cap": cap,
        "batch at the cap executed_s": execution.seconds(cap),
        "history of a batch at the cap_s": with_history.seconds(cap),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
