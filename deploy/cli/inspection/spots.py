"""A few batches of an epoch, run again from a server's witness bundles: what was found, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from setoff.deploy.cli.exit_codes import ANSWER_IS_NO, DONE, NOT_POSSIBLE
from setoff.shared.errors import ChainError, SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.leaf_names import find_changes, name_leaf
from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import FIELDS, Registers
from setoff.watcher.checks.known_start import KnownHash, hash_epoch
from setoff.watcher.checks.spot_check import (
    CheckedBatch,
    Finding,
    Report,
    Server,
    check_batches,
    compute_probability,
    draw_batches,
    find_next_fragment,
)

DIFFERENCES: Final = 12
"""That are shown of a false batch."""


class Spots(NamedTuple):
    """What is told of it."""

    agrees: bool | None
    why: str
    code: int
    """The exit code."""
    lines: list[str]
    differences: list[str]
    drawn: list[dict[str, Any]]
    """Of each batch its number, what was found, and why."""
    probability: Fraction


def check_spots(
    reader: ChainReader, server: Server, epoch: int, count: int, start: KnownHash, end: KnownHash, report: Report
) -> Spots:
    """Draw `count` batches of an epoch that begins and ends so as L1 has it, and run them again.

    Raises StateError or WitnessError if the server does not say what it holds of the epoch, ChainError, DataError.
    """
    batches = reader.deployment.epoch_batches
    # All of it is said before anything is drawn.
    commitment = hash_epoch(reader, epoch)
    boundaries = server.boundaries(epoch, commitment, batches)
    refused = _hold_against_l1(boundaries, start, end)
    if refused is not None:
        return refused
    drawn = draw_batches(batches, count)
    found = check_batches(reader, server, epoch, boundaries, drawn, report)
    if hash_epoch(reader, epoch) != commitment:
        raise ChainError("rpc_unreachable", f"a reorg has replaced batches of epoch {epoch} meanwhile: try again")
    probability = compute_probability(batches, count)
    differences = [line for each in found if each.finding is Finding.FALSE for line in _describe(server, epoch, each)]
    told = [{"batch": each.number, "finding": each.finding.value, "why": each.why} for each in found]
    agrees, why, code = _judge(found, boundaries, end, probability, batches)
    lines = [f"batch {each.number}: {_name(each)}" for each in found]
    return Spots(agrees, why, code, lines, differences, told, probability)


def _hold_against_l1(boundaries: Sequence[bytes], start: KnownHash, end: KnownHash) -> Spots | None:
    """What there is to say where the server holds another epoch than L1 does; None where it does not."""
    agrees, code = None, NOT_POSSIBLE
    for ours, theirs, what in ((start, boundaries[0], "begins with"), (end, boundaries[-1], "ends at")):
        if theirs != ours.machine_hash:
            why = f"by the {ours.word} hash on L1 it {what} 0x{ours.machine_hash.hex()}, by the server 0x{theirs.hex()}"
            why += ": one of the two is false, and no batch was drawn; `setoff verify --from URL` finds out which"
            return Spots(agrees, why, code, [], [], [], Fraction(0))
        agrees, code = False, ANSWER_IS_NO
    return None


def _judge(
    found: Sequence[CheckedBatch], boundaries: Sequence[bytes], end: KnownHash, probability: Fraction, batches: int
) -> tuple[bool | None, str, int]:
    """Whether the end agrees, why, and the exit code."""
    false = [each for each in found if each.finding is Finding.FALSE]
    withheld = [each for each in found if each.finding is Finding.WITHHELD]
    if false:
        first = false[0]
        true_before = sum(each.finding is Finding.TRUE for each in found[: found.index(first)])
        if first.told == boundaries[-1] and true_before == batches - 1:
            return False, f"every batch before is true: the {end.word} end is FALSE, if the start is true", ANSWER_IS_NO
        why = "the server's history is false there, so it does not show that the end is true; ask another, or"
        return False, f"{why} execute all of it: `setoff verify --from URL`", ANSWER_IS_NO
    if withheld:
        why = f"{len(withheld)} of {len(found)} batches that were drawn are WITHHELD: a server that keeps back what is"
        return None, f"{why} drawn may have something to hide; ask another watcher", NOT_POSSIBLE
    if probability == 1:
        return True, f"all {batches} batches are true, so the {end.word} end is", DONE
    return (
        True,
        (
            f"what was drawn is true: a false end would have been found with a probability of {probability} "
            f"({_show_percent(probability)}) at least, and missed otherwise"
        ),
        DONE,
    )


def _show_percent(probability: Fraction) -> str:
    """Never more than it is."""
    return f"{int(probability * 1000) / 10:g} %"


def _name(checked: CheckedBatch) -> str:
    if checked.finding is Finding.TRUE:
        return f"true, {len(checked.rerun.outcomes) if checked.rerun else 0} inputs"
    return f"{checked.finding.value.upper()}: {checked.why}"


def _describe(server: Server, epoch: int, checked: CheckedBatch) -> Iterator[str]:
    """What differs after a false batch, as far as the bundle of the next one shows what the server has there."""
    yield f"after batch {checked.number}, what the server says, and what its inputs lead to:"
    theirs = find_next_fragment(server, epoch, checked)
    if theirs is None or checked.rerun is None:
        yield "  the server shows nothing of what it says is there but the hash"
        return
    lines = list(_compare(theirs, checked.rerun.machine))
    yield from (f"  {line}" for line in lines[:DIFFERENCES])
    if len(lines) > DIFFERENCES:
        yield f"  and {len(lines) - DIFFERENCES} more"
    if not lines:
        yield "  the same registers and leaves, as far as the bundle of the next batch shows any"


def _compare(theirs: Fragment, ours: Machine) -> Iterator[str]:
    registers = Registers.decode(theirs.registers)
    for name in FIELDS:
        one, other = getattr(registers, name), getattr(ours.regs, name)
        if one != other:
            yield f"register {name}: {_show(one)} → {_show(other)}"
    known = ours.state.seen or {}
    for key, value in theirs.values.items():
        if key not in known:
            continue
        own = ours.state.tree.get(key)
        if own != value:
            yield from (f"{name_leaf(key)}: {change}" for change in _find_changes(key, value, own))


def _find_changes(key: int, theirs: bytes, ours: bytes) -> list[str]:
    try:
        return find_changes(key, theirs, ours) or ["bytes that mean nothing"]
    except (SetoffError, ValueError, LookupError, TypeError, ArithmeticError):
        return ["bytes that are no such leaf"]


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
