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
STEPS_OF_A_KIND = 10_000 if os.environ.get("SETOFF_LONG") == "1" else 1_000
QUOTA = -(-STEPS_OF_A_KIND // SHARDS)
#: Batches of one trace: after them another machine starts, because a machine has 255 markets to list.
BATCHES = 200
TRACES = 1 + QUOTA // 40

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
    judged: Counter[str] = Counter()
    for trace in range(TRACES):
        run_trace(judged, seed=trace * SHARDS + shard, is_large=(trace + shard) % 4 == 3)
        if not find_lacking(judged):
            break
    assert not find_lacking(judged), f"too few steps of {sorted(find_lacking(judged))} to judge"
    assert set(judged) == KINDS


def find_lacking(judged: Counter[str]) -> set[str]:
    """Kinds of which too few steps have been judged."""
    return {kind for kind in KINDS if judged[kind] < QUOTA}


def run_trace(judged: Counter[str], seed: int, is_large: bool) -> None:
    """Run one machine until enough is judged or the trace is long enough; `judged` is counted on."""
    rng = Random(seed)
    bench = Bench(Judge(), judged=judged)
    bench.choose = lambda kind: judged[kind] < QUOTA or (kind in PHASED and rng.random() < 0.05)
    generator = Generator(seed, bench.machine, is_large=is_large)
    deposited = 0
    plan = generator.opening()
    for number in range(BATCHES):
        for step in bench.run(*plan):
            check_conservation(step)
            if step.kind == "fetch deposit":
                deposited += step.after.amount
        lacking = find_lacking(judged)
        if number % 4 == 0 or not lacking:
            check_state(bench.machine.state.tree, deposited)
        if not lacking:
            return
        plan = generator.batch(40, favour_of(lacking) if number > 10 else Counter())
