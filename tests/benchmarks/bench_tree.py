"""What the state tree costs. Ratios to bare hashing in the same run travel between machines, times do not."""

import random
import time
from collections.abc import Callable
from statistics import median

from setoff.shared.codec.hashing import hash_pair
from setoff.shared.state import leaves
from setoff.shared.state.tree import Tree

LEAVES = 100_000
FIRST_KEY = 1 << 36
LEAF_BYTES = leaves.ACCOUNT_BYTES
"""Bytes of an account's leaf."""


def measure(action: Callable[[], object], runs: int = 1) -> float:
    """Median seconds of one `action` over `runs`."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return median(times)


def measure_hash_us() -> float:
    """Microseconds of one `hash_pair`."""
    node = bytes(32)

    def hash_many() -> None:
        for _ in range(20_000):
            hash_pair(node, node)

    return measure(hash_many, 5) / 20_000 * 1e6


def run() -> dict[str, float]:
    """Times in ms by number of dirty leaves, and how many times the cost of one hash they are."""
    rng = random.Random(1)
    hash_us = measure_hash_us()
    result = {"hash_pair_us": hash_us}
    leaves = [(FIRST_KEY + index, rng.randbytes(LEAF_BYTES)) for index in range(LEAVES)]
    result["build_100000_ms"] = measure(lambda: Tree(leaves)) * 1e3
    tree = Tree(leaves)
    for dirty, runs in ((1, 200), (5, 200), (100, 20), (5_000, 5)):
        changes = [
            {FIRST_KEY + index: rng.randbytes(LEAF_BYTES) for index in rng.sample(range(LEAVES), dirty)}
            for _ in range(runs)
        ]
        source = iter(changes)
        seconds = measure(lambda source=source: tree.update(next(source)), runs)  # type: ignore[misc]
        result[f"update_{dirty}_ms"] = seconds * 1e3
        result[f"update_{dirty}_hashes"] = seconds * 1e6 / hash_us
    result["prove_us"] = measure(lambda: tree.prove(FIRST_KEY), 100) * 1e6
    result["copy_then_write_ms"] = measure(lambda: tree.copy().update({0: rng.randbytes(8)}), 5) * 1e3
    return result


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
