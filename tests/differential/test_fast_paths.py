"""Whatever leaves steps out, or takes many at once, ends where `Machine.step` ends, in every mode of the exchange."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest
from tests.support.machines.all_sorts import ACCOUNTS, ALWAYS, NEVER, begin_ranking, crank_batch, make_machine, of
from tests.support.machines.fast_mutants import FAST_MUTANTS, FastMutant
from tests.support.machines.populace import MODES, Populace

from setoff.shared.machine import columns, sweep
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases, step
from setoff.shared.rules.backstop import step_takeover
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

IS_LONG = os.environ.get("SETOFF_LONG") == "1"
SHARDS = 4 if IS_LONG else 2
BATCHES = 20_000 if IS_LONG else 240
"""Batches that all shards together compare."""
LIFE = 20
"""Batches of one exchange."""
FIRST = 8
"""The first exchange: from it on every shard meets every mode within its few."""
EXCHANGES = 12
"""Exchanges in which a mutant may stay unnoticed at most."""
SWEEPS = 40
"""Sweeps over accounts of all sorts that are tried before."""
INPUTS = 8
"""Inputs drawn for a batch."""


def limit_work(monkeypatch: pytest.MonkeyPatch, rng: Random) -> None:
    """Limits so small that work is cut off anywhere, goes on in another input, and finds batches full."""
    monkeypatch.setattr(phases, "WORK_LIMIT", rng.choice((90, 301, 1_000, 4_000)))
    room = rng.choice((400, 4_000, 2**22, 2**22))
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + room)


@pytest.mark.timeout(20_000 if IS_LONG else 120)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_fast_paths_end_where_plain_steps_end(shard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    met: Counter[str] = Counter()
    for life in range(BATCHES // SHARDS // LIFE):
        seed = FIRST + shard + SHARDS * life
        rng = Random(seed)
        limit_work(monkeypatch, rng)
        exchange = Populace(seed, met)
        for number in range(LIFE):
            batch = exchange.make_batch(INPUTS)
            assert exchange.run(batch, trace=number % 5 == 4) == "", f"exchange {seed}"
    assert {mode for mode in MODES if not met[mode]} == set(), met


@pytest.mark.slow
@pytest.mark.parametrize("mutant", FAST_MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_skip_condition_that_is_left_out_is_noticed(mutant: FastMutant, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = mutant.compile()
    for name in ("Columns", "MarketTable", "Rows", "Sweep"):
        if name in changed:
            monkeypatch.setattr(sweep, name, changed[name])
            monkeypatch.setattr(columns, name, changed[name], raising=False)
    assert find_difference(monkeypatch), f"no exchange notices that {mutant.name}"


def find_sweep(monkeypatch: pytest.MonkeyPatch, limit: int) -> str:
    """Where the first sweep over accounts of all sorts that differs does so; about `limit` steps an input."""
    for seed in range(SWEEPS):
        monkeypatch.setattr(phases, "WORK_LIMIT", limit + seed)
        start = make_machine(seed)
        if seed % 2:
            begin_ranking(start, Random(seed))
        plain, quick = of(start, NEVER), of(start, ALWAYS)
        if seed % 2:
            leave_rows_free(quick)
        for number in range(3):
            if quick.run_input(crank_batch(), 0) != plain.run_input(crank_batch(), 0) or quick.hash() != plain.hash():
                return f"input {number} of sweep {seed}"
    return ""


def leave_rows_free(machine: Machine) -> None:
    """As in an exchange that has more accounts than when its columns were filled: they were given room for as many
    again."""
    machine._begin_sweep()
    assert machine._columns is not None
    machine._columns._grow(len(machine._columns.rows))


def take_over_and_rob(regs: Registers, state: State) -> None:
    """A takeover by a law under which an account yet to be visited pays for it, and changes sides.

    The rules that there are leave nobody in need who was visited, or is yet to be. Fast paths do not rely on that.
    """
    step_takeover(regs, state)
    account = state.account((keys.get_master(regs.account) + 7) % ACCOUNTS + 1)
    account.collateral -= 2**62
    for position in account.positions:
        if position.market:
            state.market(position.market).open_interest += abs(position.size)
            position.size = -position.size


def find_difference(monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a sweep over accounts of all sorts, one under another law, or else the first exchange, differs."""
    difference = find_sweep(monkeypatch, 101)
    if difference:
        return difference
    with monkeypatch.context() as patch:
        steps = list(step._STEPS)
        steps[phases.TAKEOVER] = take_over_and_rob
        patch.setattr(step, "_STEPS", tuple(steps))
        difference = find_sweep(patch, 2_000)
        if difference:
            return difference
    met: Counter[str] = Counter()
    for seed in range(EXCHANGES):
        rng = Random(seed)
        limit_work(monkeypatch, rng)
        exchange = Populace(seed, met)
        for _ in range(LIFE):
            difference = exchange.run(exchange.make_batch(INPUTS), trace=False)
            if difference:
                return difference
    return ""
