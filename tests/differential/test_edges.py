"""The scenes at boundaries, and the variants of their inputs, step by step on machine and judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from tests.support.judge.bench import Bench, Judge
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import EDGES
from tests.support.scene_vectors import Recorder, list_plays
from tests.support.variants import make_variant, read_variants
from tests.support.vector_checks import Entry, make_change

from setoff.shared.machine.machine import Machine
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree


class Variant(NamedTuple):
    """An input as a batch of its own, the machine before it, and what is changed by hand before each micro-step."""

    time: int
    messages: list[bytes]
    inputs: list[bytes]
    machine: Machine
    changes: dict[int, Entry]


def list_variants(play: Callable[[Recorder], None], name: str) -> list[Variant]:
    """Each variant of a scene."""
    recorder = Recorder(None)
    recipes = read_variants().get(name, [])
    recorder.wanted = {(recipe["batch"], recipe["input"]): recorder.machine for recipe in recipes}
    play(recorder)
    found: list[Variant] = []
    for recipe in (*recorder.variants, *recipes):
        number, index = recipe["batch"], recipe["input"]
        machine = recorder.wanted[number, index]
        leaves = dict(machine.state.tree.items())
        batch = make_variant(recorder.batches[number], index, leaves, recipe["set"])
        messages = batch["messages"][index : index + 1]
        # Neither of a batch without inputs, whose beginning is what a variant changes.
        inputs = [] if messages else batch["records"][index - len(batch["messages"]) :][:1]
        before = Machine(machine.regs.copy(), State(Tree(leaves.items())))
        changes = {change["micro"]: change for change in batch["changes"]}
        found.append(Variant(batch["timestamp"], messages, inputs, before, changes))
    return found


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_all_variants_are_judged_alike() -> None:
    found = [variant for name, play in list_plays() for variant in list_variants(play, name)]
    assert len(found) > 2_000
    bench = Bench(Judge())
    for variant in sorted(found, key=lambda variant: variant.time):

        def meddle(machine: Machine, input_index: int, micro: int, changes: dict[int, Entry] = variant.changes) -> None:
            if micro in changes:
                make_change(machine, changes[micro])

        bench.machine, bench.meddle = variant.machine, meddle
        bench.run(variant.time, variant.messages, variant.inputs)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("play", EDGES, ids=lambda play: play.__name__.removeprefix("play_"))
def test_the_edges_are_judged_alike(play: Callable[[JudgedWorld], None]) -> None:
    play(JudgedWorld(Bench(Judge())))
