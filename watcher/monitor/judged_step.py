"""The step at which two histories part, run again: its input, its rule, its leaves before and after."""

from __future__ import annotations

from typing import Any

from setoff.shared.codec import records
from setoff.shared.errors import InputError
from setoff.shared.machine.epoch import EpochRun, split_trace_position, used_inputs
from setoff.shared.machine.leaf_names import find_changes, name_leaf
from setoff.shared.machine.step_walk import Step, take_step
from setoff.watcher.execution.archive import Archive


def show_step(archive: Archive, epoch: int, position: int) -> dict[str, Any]:
    """The step at a position of an epoch's history, from its true start.

    Raises what `Archive` raises, InputError("not_found") where nothing is run at that position.
    """
    inputs = archive.inputs(epoch)
    batch_index, input_index, micro = split_trace_position(position)
    if batch_index >= len(inputs.batches) or input_index >= used_inputs(inputs.batches[batch_index]):
        raise InputError("not_found", "nothing is run at that position: the machine stays as it is")
    batch = inputs.batches[batch_index]
    machine = EpochRun(archive.machine_before(epoch), inputs.batches, inputs.queue_hash).machine_before(position)
    before = machine.hash()
    is_message = input_index < batch.header.message_count
    data = batch.messages[input_index][: records.RECORD_BYTES] if is_message else batch.body(input_index)
    step = take_step(machine, batch, input_index, micro)
    return {
        "batch": batch.header.number,
        "input": input_index,
        "is_message": is_message,
        "record": None if is_message else batch.header.first_record + input_index - batch.header.message_count,
        "asked": _show_input(data),
        "step": micro,
        "rule": step.rule,
        "before": "0x" + before.hex(),
        "after": "0x" + step.end.hex(),
        "leaves": _show_leaves(step),
    }


def _show_input(data: bytes) -> dict[str, Any]:
    """What an input asks for: its kind, and its fields that are not zero."""
    try:
        body = records.decode(data)
    except InputError:
        return {"kind": f"no record: type {data[0]}", "fields": {}}
    fields = {name: value for name, value in body._asdict().items() if isinstance(value, int) and value}
    return {"kind": type(body).__name__.removesuffix("Body"), "fields": {name: str(fields[name]) for name in fields}}


def _show_leaves(step: Step) -> list[dict[str, Any]]:
    return [
        {
            "name": name_leaf(key),
            "before": "0x" + before.hex(),
            "after": "0x" + after.hex(),
            "changes": find_changes(key, before, after),
        }
        for key, (before, after) in step.leaves.items()
    ]
