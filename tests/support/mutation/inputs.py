"""Single inputs of the scenes, each from the few leaves it uses: what a mutant does to them shows in a millisecond.

Whatever differs in a scene differs first in one input, from the state that is right before it. An input whose vector
holds uses just the leaves that it says, so that their values before and after stand for the whole state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from tests.support.late_tree import begin_late
from tests.support.vector_checks import Entry, list_variants, play_input

from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree


class Leaves(dict[int, bytes]):
    """What a state asks of a tree, without a root; and which leaves it has asked for."""

    root = b""

    def __init__(self, leaves: Mapping[int, bytes]) -> None:
        super().__init__(leaves)
        self.used: set[int] = set()

    def get(self, key: int, default: Any = b"") -> Any:
        self.used.add(key)
        return super().get(key, default)


class Result(NamedTuple):
    """What comes of an input: steps, their trace, the registers, and the leaves that were used."""

    steps: int
    trace: bytes
    registers: bytes
    leaves: list[tuple[int, bytes]]


class Input(NamedTuple):
    """An input, registers and leaves before it, those of them that it uses, and what comes of it."""

    scene: str
    batch: Entry
    index: int
    before: bytes
    tree: dict[int, bytes]
    leaves: dict[int, bytes]
    expected: Result
    is_variant: bool


def list_inputs(document: Entry) -> Iterator[Input]:
    """Every input of the scenes. Raises AssertionError where one does not come to what the vector says."""
    for scene in document["scenes"]:
        machine = begin_late(document["domain"])
        for batch in scene["batches"]:
            for index, expected in enumerate(batch["hashes"]):
                before, tree = machine.regs.encode(), dict(machine.state.tree.items())
                for variant in list_variants(scene, batch, index):
                    yield _make_input(scene["name"], variant, index, before, tree, is_variant=True)
                yield _make_input(scene["name"], batch, index, before, tree, is_variant=False)
                play_input(machine, batch, index)
                assert machine.hash() == expected


def _make_input(
    scene: str, batch: Entry, index: int, before: bytes, tree: dict[int, bytes], *, is_variant: bool
) -> Input:
    result = play(before, tree, batch, index)
    leaves = {key: tree.get(key, b"") for key, _ in result.leaves}
    return Input(scene, batch, index, before, tree, leaves, result, is_variant)


def play(before: bytes, tree: Mapping[int, bytes], batch: Entry, index: int, limit: int = 2**20) -> Result:
    """Run an input from registers and leaves, for so many steps at most."""
    leaves = Leaves(tree)
    machine = Machine(Registers.decode(before), State(cast(Tree, leaves)))
    played = play_input(machine, batch, index, limit)
    found = sorted((key, dict.get(leaves, key, b"")) for key in leaves.used)
    return Result(*played, machine.regs.encode(), found)


def run_input(given: Input) -> bool:
    """Whether the input comes to what it should."""
    return play(given.before, given.leaves, given.batch, given.index, given.expected[0] + 1) == given.expected
