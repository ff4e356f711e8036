"""What a history commitment costs a real step. Ratios to bare hashing in the same run travel between machines."""

import random
import time

from setoff.shared.codec.hashing import hash_pair
from setoff.shared.machine.history import History

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
    """Microseconds a real step in one long slot, ms for a batch of 1,024 short slots, and ms for a game's moves."""
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

    return {
        "hash_pair_us": hash_us,
        "step_us": long_us,
        "step_hashes": long_us / hash_us,
        "short_slots_ms": short_ms,
        "short_slot_hashes": short_ms * 1e3 / SLOTS / hash_us,
        "reopen_262144_steps_ms": reopen_ms,
        "openings_of_a_game_ms": game_ms,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
