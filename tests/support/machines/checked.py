"""An input run step by step, every invariant checked after each."""

from tests.support.generator.generator import Generator
from tests.support.machines.bearers import Bearers
from tests.support.machines.invariants import check_invariants, find_unhealthy

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.step import apply_step


def run_traffic_checked(seed: int, batches: int, inputs: int, reached: set[int] | None = None) -> None:
    """Run what a `Generator` draws, markets that break away and accounts that fail with them included."""
    machine = Machine.genesis(SampleTraffic().domain)
    deposited = 0
    for number, (time, messages, signed) in enumerate(Generator(seed, machine).batches(batches, inputs)):
        machine.begin(number, time)
        for body in (*messages, *signed):
            deposited = run_checked(machine, body, deposited, reached)


def run_checked(machine: Machine, body: bytes, deposited: int, reached: set[int] | None = None) -> int:
    """Run one input step by step, with every invariant after each; returns what has been deposited then."""
    regs = machine.regs
    first = regs.steps
    regs.steps += 1
    is_message = len(body) == records.MESSAGE_BYTES or body[0] >= records.FIRST_MESSAGE
    queued_at = regs.time if is_message else 0
    if len(body) == records.MESSAGE_BYTES:
        body, queued_at = records.split_message(body)
    step_fetch(regs, machine.state, body, is_message, queued_at)
    if body[0] == records.DEPOSIT and regs.outcome == errors.ACCEPTED:
        deposited += records.decode_deposit(body).amount
    check_invariants(machine, deposited)
    before = Bearers.of(machine) if regs.phase != phases.IDLE else None
    while before:
        if reached is not None:
            reached.add(regs.phase)
        apply_step(regs, machine.state)
        assert len(machine.state.touched) <= phases.MAX_LEAVES
        check_invariants(machine, deposited)
        after = Bearers.of(machine)
        before.check(after)
        before = after if regs.phase != phases.IDLE else None
    if body[0] in (records.REPORT, records.CRANK) and regs.outcome == errors.ACCEPTED:
        assert find_unhealthy(machine) == []
    assert regs.steps - first <= phases.INPUT_STEP_BOUND
    return deposited
