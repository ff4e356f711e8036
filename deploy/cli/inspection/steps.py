"""The micro-steps of an input: which rule each runs, what leaves it uses, and what it changes in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from setoff.deploy.cli.inspection.past import go_to
from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.words import describe_input, show_hex
from setoff.shared.codec import records
from setoff.shared.errors import OUTCOMES, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.leaf_names import find_changes, name_leaf
from setoff.shared.machine.step_walk import Step, walk_steps

MOST: Final = 200
"""Steps of an input that are told one by one; any other can be asked for."""


def explain_steps(
    reader: ChainReader, number: int, input_index: int, micro: int | None, report: Callable[[int], None]
) -> Told:
    """All steps of an input, or one of them. Raises InputError("not_found") if there is no such input or step."""
    machine, batch = go_to(reader, number, report)
    header = batch.header
    if not 0 <= input_index < header.inputs:
        raise InputError("not_found", f"batch {number} has {header.inputs} inputs, from 0")
    for earlier in range(input_index):
        machine.run_input(batch, earlier)
    is_message = input_index < header.message_count
    data = batch.messages[input_index][: records.RECORD_BYTES] if is_message else batch.body(input_index)
    asked = describe_input(data, is_message=is_message)
    first = _find_position(reader, number, input_index)
    lines = [f"input {input_index} of batch {number}: {asked}"]
    told: list[dict[str, Any]] = []
    for step in walk_steps(machine, batch, input_index):
        if micro is None or micro == step.micro:
            told.append(_to_facts(step, first))
            if micro is not None or step.micro < MOST:
                lines += _describe(step, first, is_alone=micro is not None)
    count = machine.regs.steps - machine.regs.started
    if not told:
        raise InputError("not_found", f"input {input_index} of batch {number} has {step.micro + 1} steps, from 0")
    if micro is None and step.micro >= MOST:
        lines.append(f"and {step.micro + 1 - MOST} steps more: name one of them, or ask for --json")
    outcome = OUTCOMES[machine.regs.outcome]
    lines.append(f"outcome: {outcome}")
    facts = {"batch": number, "input": input_index, "text": asked, "outcome": outcome, "steps": told, "count": count}
    return Told(facts, lines)


def _find_position(reader: ChainReader, number: int, input_index: int) -> int:
    """Where the first step of an input stands in the history of its epoch, as the court counts."""
    return (number % reader.deployment.epoch_batches << EPOCH.input_bits | input_index) << EPOCH.micro_bits


def _to_facts(step: Step, first: int) -> dict[str, Any]:
    leaves = [
        {
            "key": f"0x{key:x}",
            "name": name_leaf(key),
            "before": before,
            "after": after,
            "changes": find_changes(key, before, after),
        }
        for key, (before, after) in step.leaves.items()
    ]
    return {"step": step.micro, "position": first + step.micro, "rule": step.rule, "leaves": leaves, "end": step.end}


def _describe(step: Step, first: int, *, is_alone: bool) -> Iterator[str]:
    used = ", ".join(name_leaf(key) for key, (before, after) in step.leaves.items() if before == after)
    yield f"step {step.micro}, {step.rule}" + (f": looks at {used}" if used else "")
    for key, (before, after) in step.leaves.items():
        if before != after:
            yield f"  {name_leaf(key)}: {'; '.join(find_changes(key, before, after))}"
    if is_alone:
        yield f"position {first + step.micro} of its epoch's history; machine hash after it: {show_hex(step.end)}"
