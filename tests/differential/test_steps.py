"""The judge and the machine agree on every step of random traces, in full, and no trace loses a unit or a lot."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from tests.support.generator.generator import Generator
from tests.support.judge.bench import KINDS, Bench, Judge
from tests.support.judge.kinds import CALLED, CRITICAL, PHASED, favour_of
from tests.support.machines.conservation import check_conservation
from tests.support.machines.invariants import check_invariants

from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases

IS_LONG = os.environ.get("SETOFF_LONG") == "1"
SHARDS = 8 if IS_LONG else 2
STEPS_OF_A_KIND = 10_000 if IS_LONG else 40
"""Steps of each kind that are judged in all shards together."""
LARGE = 2 if IS_LONG else 1
"""Shards with sizes, prices and money near their bounds, where nobody is ever so poor that others must step in, and
markets are seldom called."""
QUOTA = -(-STEPS_OF_A_KIND // SHARDS)
RARE_QUOTA = -(-STEPS_OF_A_KIND // (SHARDS - LARGE))
"""Of kinds that come up seldom in large shards, or not at all."""
LIFE = 200
"""Batches that an exchange lives for."""
YOUTH = 40
"""Batches that it lives for where only crises are wanted."""
PAUSES = {phases.WORK: 0.001, phases.MATCH: 0.01, phases.LEG: 0.01, phases.DEPTH: 0.01}
"""How often an input is out of steps where it may leave the rest to the next."""
LIVES = 13 + STEPS_OF_A_KIND // 100
"""Exchanges that a shard may have."""


@pytest.mark.timeout(10_000 if IS_LONG else 300)
@pytest.mark.parametrize("shard", [0, *(pytest.param(shard, marks=pytest.mark.slow) for shard in range(1, SHARDS))])
def test_judge_agrees_with_machine(shard: int) -> None:
    is_large = shard < LARGE
    if is_large:
        quotas = {kind: QUOTA // 8 if kind in CALLED else QUOTA for kind in KINDS - CRITICAL}
    else:
        quotas = {kind: RARE_QUOTA if kind in CRITICAL | CALLED else QUOTA for kind in KINDS}
    judged: Counter[str] = Counter()
    for life in range(LIVES):
        run_exchange(shard + SHARDS * life, quotas, judged, is_large=is_large)
        if not find_lacking(quotas, judged):
            break
    assert not find_lacking(quotas, judged), "too few steps of these kinds to judge"
    assert set(judged) <= KINDS


def find_lacking(quotas: Mapping[str, int], judged: Counter[str]) -> set[str]:
    """Kinds of which not enough steps were judged."""
    return {kind for kind, quota in quotas.items() if judged[kind] < quota}


def run_exchange(seed: int, quotas: Mapping[str, int], judged: Counter[str], *, is_large: bool) -> None:
    """Trade on a new exchange until enough steps of every kind are judged, or it is too old and rich for crises."""
    rng = Random(seed)
    bench = Bench(Judge(), judged=judged)
    # From so late on a wind-down lasts.
    end = LIFE - 40
    bench.choose = lambda kind: judged[kind] < quotas.get(kind, 0) or (kind in PHASED and rng.random() < 0.02)

    was_called_off = False

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        """Now and then an input has used up its steps; and a wind-down is called off."""
        nonlocal was_called_off
        if not micro and bench.number < end and rng.random() < 0.5:
            was_called_off |= machine.regs.winding_since != 0
            machine.regs.winding_since = 0
        if micro and rng.random() < PAUSES.get(machine.regs.phase, 0):
            machine.regs.steps += phases.WORK_LIMIT

    bench.meddle = meddle
    generator = Generator(seed, bench.machine, is_large=is_large)
    deposited = 0
    plan = generator.opening()
    for _ in range(LIFE):
        for step in bench.run(*plan):
            check_conservation(step)
            deposited += max(0, step.after.owed - step.before.owed)
        if bench.number % 8 == 0:
            check_invariants(bench.machine, deposited, was_called_off=was_called_off)
        lacking = find_lacking(quotas, judged)
        has_all_but_crises = lacking <= CRITICAL
        if not lacking or (has_all_but_crises and bench.number >= YOUTH):
            break
        if has_all_but_crises or (lacking & CRITICAL and bench.number % 2):
            plan = generator.crisis()
        else:
            plan = generator.batch(40, favour_of(lacking - CRITICAL) if bench.number > 10 else Counter())
    check_invariants(bench.machine, deposited, was_called_off=was_called_off)
