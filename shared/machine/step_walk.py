"""The micro-steps of an input one by one, each with the leaves that it uses: for people who look at a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state.store import encode_leaf


class Step(NamedTuple):
    """One micro-step: what ran, and each leaf that it used, as it was and as it is."""

    micro: int
    rule: str
    leaves: dict[int, tuple[bytes, bytes]]
    end: bytes
    """Machine hash after it."""


def walk_steps(machine: Machine, batch: Batch, input_index: int) -> Iterator[Step]:
    """Take the steps of an input one by one."""
    micro = 0
    while micro == 0 or machine.regs.phase != phases.IDLE:
        yield take_step(machine, batch, input_index, micro)
        micro += 1


def take_step(machine: Machine, batch: Batch, input_index: int, micro: int) -> Step:
    """Take the step that comes next, number `micro` of that input."""
    rule = "fetch" if micro == 0 else phases.NAMES[machine.regs.phase]
    machine.state.commit()
    tree = machine.state.tree.copy()
    machine.step(batch, input_index, micro)
    used = {key: (tree.get(key), encode_leaf(key, leaf)) for key, leaf in machine.state.touched.items()}
    return Step(micro, rule, used, machine.hash())
