"""The witness bundle of a batch: the fragment of a machine that all its plain steps use, so that anybody can take them
again who has neither the state nor the history.

It is compared as the whole machine would be: the hash before the batch in, the hash after it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from setoff.shared.codec.eip712 import recover_ahead
from setoff.shared.errors import SetoffError, WitnessError
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.shared.rules.phases import BATCH_STEP_CAP

MOST_STEPS: Final = BATCH_STEP_CAP + MAX_INPUTS
"""Steps that a batch takes at most (protocol, rule 9.20), from every machine to which the rules come."""


def run_bounded(machine: Machine, batch: Batch) -> tuple[int, ...]:
    """Run a batch by plain steps on a machine that somebody has made; the outcome of each input.

    A machine may have any hash that is asked for and still be none to which the rules come, made to break whoever runs
    it, or to keep him busy for ever. Raises WitnessError("bad_witness") for such a one.
    """
    machine.many_accounts = EVERY_STEP
    outcomes, left = [], MOST_STEPS
    try:
        recover_ahead(machine.regs.domain, batch.records)
        for input_index in range(used_inputs(batch)):
            left -= run_plainly(machine, batch, input_index, left)
            outcomes.append(machine.regs.outcome)
        machine.hash()  # writes what changed, which such a machine may not let it do
    except SetoffError:
        raise
    except Exception as error:
        what = f"batch {batch.header.number} cannot be run from it: {type(error).__name__}"
        raise WitnessError("bad_witness", f"the machine given is none to which the rules come: {what}") from None
    return tuple(outcomes[: batch.header.inputs])


def cut_bundle(machine: Machine, batch: Batch, look: Callable[[], None] = lambda: None) -> Fragment:
    """Run a batch by plain steps, and keep what they used. `look` is called all the time, and may raise: the machine is
    of no use then."""
    machine.many_accounts = EVERY_STEP
    state = machine.state
    state.commit()
    registers, state.seen = machine.regs.encode(), {}
    recover_ahead(machine.regs.domain, batch.records)
    for input_index in range(used_inputs(batch)):
        run_plainly(machine, batch, input_index, look=look)
    fragment = Fragment.cut(registers, machine, look)
    state.seen = None
    return fragment


class Rerun(NamedTuple):
    """A batch that was run from its bundle."""

    machine: Machine
    """As much of the machine after it as the bundle has."""
    outcomes: tuple[int, ...]

    @property
    def end(self) -> bytes:
        """Machine hash after the batch."""
        return self.machine.hash()


def open_bundle(data: bytes, before: bytes, most: int) -> Fragment:
    """The bundle in what somebody has sent, which is of the machine with the hash `before`; unpacked it may have `most`
    bytes. Raises WitnessError("bad_witness")."""
    fragment = Fragment.decode(data, most)
    fragment.check(most)
    try:
        found = fragment.restore().hash()
    except Exception as error:
        raise WitnessError("bad_witness", f"a bundle holds no part of a machine: {type(error).__name__}") from None
    if found != before:
        raise WitnessError("bad_witness", f"a bundle is of the machine 0x{found.hex()}, not of 0x{before.hex()}")
    return fragment


def run_bundle(fragment: Fragment, batch: Batch) -> Rerun:
    """Run a batch from a bundle that was opened. Raises WitnessError("bad_witness") if it does not hold all that the
    batch takes, or is of a machine to which the rules do not come."""
    machine = fragment.restore()
    machine.state.seen = {}
    outcomes = run_bounded(machine, batch)
    missing = machine.state.seen.keys() - fragment.values.keys()
    if missing:
        # It would have read as absent whatever is there.
        what = f"{len(missing)} leaves that batch {batch.header.number} uses"
        raise WitnessError("bad_witness", f"a bundle keeps back {what}")
    return Rerun(machine, outcomes)
