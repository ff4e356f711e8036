"""The scenes at boundaries, and the variants of their inputs, step by step on machine and judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.judge.bench import Bench, Judge
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import EDGES
from tests.support.scene_vectors import Recorder, list_plays
from tests.support.variants import make_variant, read_variants
from tests.support.vector_checks import make_change

from setoff.shared.machine.machine import Machine

Variant = tuple[int, list[bytes], list[bytes], Machine]


def list_variants(play: Callable[[Recorder], None], name: str) -> list[Variant]:
    """Time, messages, records and machine of each variant of a scene, as a batch of its own."""
    recorder = Recorder(None)
    recipes = read_variants().get(name, [])
    recorder.wanted = {(recipe["batch"], recipe["input"]): recorder.machine for recipe in recipes}
    play(recorder)
    found: list[Variant] = []
    for recipe in (*recorder.variants, *recipes):
        number, index = recipe["batch"], recipe["input"]
        machine = recorder.wanted[number, index].copy()
        batch = make_variant(recorder.batches[number], index, dict(machine.state.tree.items()), recipe["set"])
        make_change(machine, batch["changes"][0])
        messages = batch["messages"][index : index + 1]
        inputs = [] if messages else [batch["records"][index - len(batch["messages"])]]
        found.append((batch["timestamp"], messages, inputs, machine))
    return found


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_all_variants_are_judged_alike() -> None:
    found = [variant for name, play in list_plays() for variant in list_variants(play, name)]
    assert len(found) > 2_000
    bench = Bench(Judge())
    for time, messages, inputs, machine in sorted(found, key=lambda variant: variant[0]):
        bench.machine = machine
        bench.run(time, messages, inputs)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("play", EDGES, ids=lambda play: play.__name__.removeprefix("play_"))
def test_the_edges_are_judged_alike(play: Callable[[JudgedWorld], None]) -> None:
    play(JudgedWorld(Bench(Judge())))
