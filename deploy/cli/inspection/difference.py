"""Where a false history leaves the true one, as far as L1 has narrowed it down, and both states there side by side.

Of the false side L1 has hashes alone. So what it says of the state after the first step that differs is shown as its
machine hash; the true side beside it in words, leaf by leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from setoff.deploy.cli.inspection.words import describe_input, show_hex
from setoff.shared.codec import records
from setoff.shared.dispute.game import Claim, HistoryCommitment
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.leaf_names import find_changes, name_leaf
from setoff.shared.machine.step_walk import walk_steps

BITS: Final = 5
"""Of a child's number in an opening of 32."""


class Place(NamedTuple):
    """A node of a history, the first in which the two differ: at the last level a leaf. `theirs`: the false side's hash
    there, b"" where L1 does not have it."""

    level: int
    prefix: int
    theirs: bytes

    @property
    def first(self) -> int:
        """Position of the first leaf below it."""
        return self.prefix << BITS * (EPOCH.levels - self.level)


class Position(NamedTuple):
    """A step of an epoch."""

    batch: int
    input_index: int
    micro: int


def split(position: int) -> Position:
    """A leaf's position, as the court counts them."""
    micro = position & (1 << EPOCH.micro_bits) - 1
    above = position >> EPOCH.micro_bits
    return Position(above >> EPOCH.input_bits, above & (1 << EPOCH.input_bits) - 1, micro)


def find_place(claim: Claim, history: HistoryCommitment, run: EpochRun) -> Place:
    """The narrowest node that is known to differ first between a false history and the true `run`."""
    level, prefix, shown = 0, 0, history.children
    if run.root in claim.histories:
        match = claim.match(run.root, history.root)
        level, prefix, shown = match.level, match.prefix, match.opening
        if not match.is_sealed and match.waiting != history.root:
            return Place(level, prefix, b"")  # the last opening is the true side's
        if match.is_sealed:
            (leaf,) = shown
            return Place(level, prefix, b"" if leaf == run.children(level, prefix)[0] else leaf)
    ours: Sequence[bytes] = run.children(level, prefix)
    child = next((index for index, (one, two) in enumerate(zip(ours, shown, strict=True)) if one != two), None)
    return Place(level, prefix, b"") if child is None else Place(level + 1, prefix << BITS | child, shown[child])


def describe_differences(reader: ChainReader, claim: Claim, run: EpochRun) -> Iterator[str]:
    """For people, of each history about the claim that ends elsewhere than the truth."""
    false = [history for history in claim.histories.values() if history.end != run.end]
    if not false:
        yield "where it leaves the truth is not known: nobody has shown a history of it, only its end is claimed"
    for history in false:
        place = find_place(claim, history, run)
        whose = f"the history {show_hex(history.root)} of 0x{history.owner.hex()}"
        if place.level == EPOCH.levels:
            yield f"{whose} leaves the truth at this step:"
            yield from describe_step(reader, claim.epoch, place, run)
        else:
            first, last = split(place.first), split(place.first + (1 << BITS * (EPOCH.levels - place.level)) - 1)
            base = claim.epoch * reader.deployment.epoch_batches
            yield f"{whose} leaves the truth somewhere from {_name(base, first)} to {_name(base, last)}:"
            yield f"  L1 has narrowed it down {place.level} of {EPOCH.levels} times"


def describe_step(reader: ChainReader, epoch: int, place: Place, run: EpochRun) -> Iterator[str]:
    """The first step that differs: what it is, and the states after it side by side."""
    at = split(place.first)
    number = epoch * reader.deployment.epoch_batches + at.batch
    batch = reader.batch(number)
    header = batch.header
    if at.input_index >= header.inputs:
        yield f"  batch {number} has {header.inputs} inputs; the false history takes a step of input {at.input_index}"
        return
    machine = run.machine_before(place.first >> EPOCH.micro_bits << EPOCH.micro_bits)
    is_message = at.input_index < header.message_count
    data = batch.messages[at.input_index][: records.RECORD_BYTES] if is_message else batch.body(at.input_index)
    yield f"  batch {number}, input {at.input_index}: {describe_input(data, is_message=is_message)}"
    before = machine.hash()
    step = None
    for step in walk_steps(machine, batch, at.input_index):
        if step.micro == at.micro:
            break
        before = step.end
    if step is None or step.micro != at.micro:
        yield f"  the true history has no step {at.micro} there any more: the machine is idle"
        yield from _compare(before, before, place.theirs)
        return
    yield f"  step {at.micro}, {step.rule}"
    yield from _compare(before, step.end, place.theirs)
    for key, (old, new) in step.leaves.items():
        if old != new:
            for change in find_changes(key, old, new):
                yield f"  {name_leaf(key):<16}  {change}"
    yield "  what the false history says of these leaves L1 does not show: only that it hashes to something else"


def _compare(before: bytes, after: bytes, theirs: bytes) -> Iterator[str]:
    yield f"  {'':<16}  {'the truth':<40}  the false history"
    yield f"  {'machine before':<16}  {_shorten(before):<40}  the same"
    yield f"  {'machine after':<16}  {_shorten(after):<40}  {_shorten(theirs) if theirs else 'not on L1 yet'}"


def _shorten(data: bytes) -> str:
    return show_hex(data)[:34] + "…"


def _name(base: int, at: Position) -> str:
    return f"batch {base + at.batch}, input {at.input_index}, step {at.micro}"
