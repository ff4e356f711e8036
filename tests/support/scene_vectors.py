"""The vectors of scenes: what the judge's scenes and random exchanges play, with the machine hash after every input.

A scene begins at genesis. What a scene sets by hand, between batches or before a step, stands in the vector as a change
of registers and leaves at that place, so that anybody can play it without this code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.support.generator.generator import Generator
from tests.support.judge.bench import DOMAIN, Bench, Seen, Step, copy_registers, leave_alone, see
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import EDGES, SCENES
from tests.support.late_tree import begin_late
from tests.support.variants import Recipe, make_variant, read_variants
from tests.support.vector_checks import hash_leaves, play_input

from setoff.deploy.simulation.sample_traffic import CHAIN_ID, VAULT, stamp_all
from setoff.deploy.tools.vectors import plain
from setoff.shared import errors
from setoff.shared.codec import eip712
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state.registers import FIELDS, LAYOUT

LIVES: Final = tuple((seed, is_large) for is_large in (False, True) for seed in range(3))
"""The random exchanges: seed, and whether sizes, prices and money are near their bounds."""
LIFE_BATCHES: Final = 24
LIFE_INPUTS: Final = 30
EDGES_FILE: Final = Path(__file__).parent / "judge" / "scenes" / "edges.json"

Edges = dict[str, list[dict[str, list[int]]]]
"""What the searches of each scene found: the numbers on either side of every edge, by name."""


Answers = dict[str, dict[str, Any]]
"""What comes of variants, by scene and what is asked."""
ASKED: Final = ("batch", "input", "timestamp", "body", "changes")


class Recorder(Bench):
    """A bench without a judge that writes down what is played on it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_recorder = True
        self.machine = begin_late(DOMAIN)
        self.batches: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self.leaves: dict[int, bytes] = {}
        """All of them, after the last batch."""
        self._regs = see(self.machine)
        self.wanted: dict[tuple[int, int], Machine] = {}
        """Batches and inputs before which the machine is to be kept, and there it is."""

    def run(self, timestamp: int, messages: Sequence[bytes], inputs: Sequence[bytes]) -> list[Step]:
        """Take every step of a batch of these messages and records, and write down what comes of each input."""
        machine = self.machine
        messages = stamp_all(messages, timestamp)
        counts = (self.messages, self.records)
        batch = Batch.seal(self.parent, self.number, timestamp, *counts, self.queue_hash, messages, inputs, self.module)
        self._changes = []
        self._note(0, 0, self._regs, self.leaves)
        steps: list[Step] = []
        outcomes, used, traces, hashes = [], [], [], []
        for input_index in range(max(1, batch.header.inputs)):
            micro, begun = 0, len(steps)
            if (self.number, input_index) in self.wanted or self.is_varied(input_index):
                self.wanted[self.number, input_index] = machine.copy()
            while micro == 0 or machine.regs.phase != phases.IDLE:
                steps.append(self.take(batch, input_index, micro))
                micro += 1
            outcomes.append(errors.OUTCOMES[machine.regs.outcome])
            used.append(machine.regs.steps)
            traces.append(compute_trace(steps[begun:]) if batch.header.inputs else bytes(32))
            hashes.append(machine.hash())
        self.batches.append(
            {
                "number": self.number,
                "timestamp": timestamp,
                "changes": self._changes,
                "messages": messages,
                "records": inputs,
                "outcomes": outcomes,
                "steps": used,
                "traces": traces,
                "hashes": hashes,
            }
        )
        self.leaves, self._regs = dict(machine.state.tree.items()), see(machine)
        self.parent, self.queue_hash = batch.header.hash(), batch.header.queue_hash
        self.number += 1
        self.messages += len(messages)
        self.records += len(inputs)
        return steps

    def is_varied(self, input_index: int) -> bool:
        """Whether the scene has named variants of this input of the next batch."""
        return any((v["batch"], v["input"]) == (self.number, input_index) for v in self.variants)

    def take(self, batch: Batch | None, input_index: int, micro: int) -> Step:
        """Take one step, and write down what is changed by hand before it."""
        machine = self.machine
        if self.meddle is not leave_alone:
            self.watch(input_index, micro)
        assert batch
        return self.pass_by(batch, input_index, micro, see(machine))

    def watch(self, input_index: int, micro: int) -> None:
        """Let the scene meddle, and write down what it changed."""
        machine = self.machine
        regs, leaves = see(machine), dict(machine.state.tree.items())
        self.meddle(machine, input_index, micro)
        machine.state.commit()
        self._note(input_index, micro, regs, leaves)

    def _note(self, input_index: int, micro: int, regs: Seen, leaves: dict[int, bytes]) -> None:
        """Write down how registers and leaves differ from these."""
        now, tree = self.machine.regs, self.machine.state.tree
        changed = {name: getattr(now, name) for name in FIELDS if getattr(now, name) != getattr(regs, name)}
        gone = [(key, b"") for key in leaves if not tree.get(key)]
        new = [(key, value) for key, value in tree.items() if leaves.get(key) != value]
        if changed or gone or new:
            change = {
                "input": input_index,
                "micro": micro,
                "registers": changed,
                "leaves": sorted(gone + new),
                "bytes": [],
            }
            at = next((c for c in self._changes if (c["input"], c["micro"]) == (input_index, micro)), None)
            if at is None:
                self._changes.append(change)
            else:
                at["registers"] |= changed
                at["leaves"] = sorted((dict(at["leaves"]) | dict(change["leaves"])).items())


def compute_trace(steps: Sequence[Step]) -> bytes:
    """The trace of an input, as `extend_trace` has it."""
    trace = bytes(32)
    for step in steps:
        trace = keccak(trace + keccak(LAYOUT.pack(copy_registers(step.after))) + hash_leaves(step.new.items()))
    return trace


def build_scenes(edges: Edges | None = None, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document of all scenes; `edges`: those of their inputs, by default as committed. Of a scene of which there
    are none they are searched for, and added.

    known: such a document, as JSON has it, whose variants are not played again: what comes of them is taken from there
    by whoever holds that against the rules elsewhere (`check_scene`).
    """
    domain = eip712.domain_separator(CHAIN_ID, VAULT)
    recipes = read_variants()
    edges = json.loads(EDGES_FILE.read_text()) if edges is None else edges
    answers = read_answers(known["scenes"] if known else ())
    scenes = [build_scene(name, play, recipes.pop(name, ()), edges, answers) for name, play in list_plays()]
    assert not recipes, "variants of scenes that are not there"
    return {"domain": plain(domain), "scenes": scenes}


def write_edges(edges: Edges) -> None:
    """Commit to these, a line each scene."""
    lines = [json.dumps({name: found})[1:-1] for name, found in edges.items()]
    EDGES_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def list_plays() -> Iterator[tuple[str, Callable[[Recorder], None]]]:
    """Every scene and every life, by name."""
    for scene in (*SCENES, *EDGES):
        room = scene.__module__.rsplit(".", 1)[1]
        name = f"{room}: {scene.__name__.removeprefix('play_').replace('_', ' ')}"
        yield name, lambda recorder, scene=scene: scene(JudgedWorld(recorder))  # type: ignore[misc]
    for seed, is_large in LIVES:
        yield f"life: {'large' if is_large else 'small'} {seed}", partial(live, seed=seed, is_large=is_large)


def live(recorder: Recorder, seed: int, is_large: bool) -> None:
    """A random exchange."""
    generator = Generator(seed, recorder.machine, is_large=is_large)
    for timestamp, messages, inputs in generator.batches(LIFE_BATCHES, LIFE_INPUTS):
        recorder.run(timestamp, messages, inputs)


def read_answers(scenes: Iterable[Mapping[str, Any]]) -> Answers:
    """What comes of each variant of scenes that stand in JSON."""
    found: Answers = {}
    for scene in scenes:
        for variant in scene["variants"]:
            asked = {name: variant[name] for name in ASKED}
            found[json.dumps([scene["name"], asked])] = {n: part for n, part in variant.items() if n not in asked}
    return found


def build_scene(
    name: str, play: Callable[[Recorder], None], recipes: Sequence[Recipe], edges: Edges, answers: Answers
) -> dict[str, Any]:
    """The vector of one scene; `edges`: by scene what its searches found, which is added to."""
    recorder = Recorder(None)
    recorder.known_edges = iter(edges.get(name, ()))
    recorder.wanted = {(recipe["batch"], recipe["input"]): recorder.machine for recipe in recipes}
    play(recorder)
    if recorder.edges:
        edges[name] = recorder.edges
    leaves = sorted(recorder.leaves.items()) if name.startswith("life") else []
    variants = [build_variant(name, recorder, recipe, answers) for recipe in (*recorder.variants, *recipes)]
    return {"name": name, "batches": plain(recorder.batches), "variants": variants, "leaves": plain(leaves)}


def build_variant(name: str, recorder: Recorder, recipe: Recipe, answers: Answers) -> dict[str, Any]:
    """The vector of a variant of an input that was played, in the scene of that name."""
    number, index = recipe["batch"], recipe["input"]
    batch, machine = recorder.batches[number], recorder.wanted[number, index]
    changed = make_variant(batch, index, dict(machine.state.tree.items()), recipe["set"])
    body, given = ([*entry["messages"], *entry["records"]][index : index + 1] for entry in (changed, batch))
    asked: dict[str, Any] = plain(
        {
            "batch": number,
            "input": index,
            "timestamp": changed["timestamp"],
            "body": body[0] if body != given else b"",
            "changes": changed["changes"],
        }
    )
    answer = answers.get(json.dumps([name, asked]))
    return asked | (plain(play_variant(machine.copy(), changed, index)) if answer is None else answer)


def play_variant(machine: Machine, batch: dict[str, Any], index: int) -> dict[str, Any]:
    """What comes of it."""
    played = play_input(machine, batch, index)
    return {
        "outcome": errors.OUTCOMES[machine.regs.outcome],
        "steps": machine.regs.steps,
        "trace": played.trace,
        "hash": machine.hash(),
    }
