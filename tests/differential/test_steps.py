"""The judge and the machine agree on every step of random traces, in full, and no trace loses a unit or a lot."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest
from tests.differential.generator import Generator
from tests.differential.harness import FETCHES, KINDS, Bench, Judge
from tests.differential.invariants import check_conservation, check_state

SHARDS = 8
#: Steps of each kind that are judged in all shards together.
STEPS_OF_A_KIND = 20_000 if os.environ.get("SETOFF_LONG") == "1" else 1_000
QUOTA = -(-STEPS_OF_A_KIND // SHARDS)
BATCHES = 20 * QUOTA

#: Kinds that leave something in the state, which are judged now and then beyond the quota.
PHASED = KINDS - {"idle", "unused slot", "unused batch"}

#: What makes the steps of a phase.
SOURCES = {
    "drop": "order",
    "fill": "order",
    "transfer": "transfer",
    "withdraw": "withdraw",
    "seek": "cancel",
    "unlist": "cancel",
}


def favour_of(kinds: set[str]) -> Counter[str]:
    """Weights for the generator that bring up steps of these kinds."""
    favour: Counter[str] = Counter()
    for kind in kinds:
        name = kind.removeprefix("fetch ").removeprefix("refuse ")
        if name == "deposit" and kind.startswith("refuse"):
            name = "strange deposit"
        favour[name if name in FETCHES.values() or name == "strange deposit" else SOURCES.get(name, "order")] += 25
    return favour


@pytest.mark.parametrize("shard", range(SHARDS))
def test_judge_agrees_with_machine(shard: int) -> None:
    rng = Random(shard)
    bench = Bench(Judge())
    bench.choose = lambda kind: bench.judged[kind] < QUOTA or (kind in PHASED and rng.random() < 0.05)
    generator = Generator(shard, bench.machine, is_large=shard % 4 == 3)
    deposited = 0
    plan = generator.opening()
    for _ in range(BATCHES):
        for step in bench.run(*plan):
            check_conservation(step)
            if step.kind == "fetch deposit":
                deposited += step.after.amount
        if bench.number % 4 == 0:
            check_state(bench.machine.state.tree, deposited)
        lacking = {kind for kind in KINDS if bench.judged[kind] < QUOTA}
        if not lacking:
            break
        plan = generator.batch(40, favour_of(lacking) if bench.number > 10 else Counter())
    assert not lacking, f"too few steps of {sorted(lacking)} to judge"
    assert set(bench.judged) == KINDS
    check_state(bench.machine.state.tree, deposited)
