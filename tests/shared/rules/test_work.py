"""The machine's own work: nothing comes between it and its end, however many inputs it takes."""

import pytest
from tests.support.machines.crowd import crash, crowd
from tests.support.machines.world import SELL, World

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases


def test_work_begins_with_a_report_or_crank_and_ends_idle() -> None:
    world = crowd()
    assert world.take(crash(world)) == "accepted"
    regs = world.machine.regs
    assert (regs.has_work, regs.sweeping, regs.trigger_market, regs.unwind, regs.return_phase) == (0, 0, 0, 0, 0)
    assert {world.position(account).size for account in range(1, 9)} == {7}


def test_work_that_exceeds_its_limit_goes_on_in_the_next_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "LIQUIDATION_PAUSE", 0)  # in which a first slice that is cut off would wait
    whole = crowd()
    whole.take(crash(whole))
    world = crowd()
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    assert world.take(crash(world)) == "accepted"
    regs = world.machine.regs
    assert (regs.has_work, regs.sweeping) == (1, 1)
    inputs = 1
    while regs.has_work:
        assert world.crank(0) == "accepted"
        inputs += 1
    assert inputs > 3
    for account in range(11):
        assert world.value(1 << 36 | account) == whole.value(1 << 36 | account)


def test_records_are_refused_and_change_nothing_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowd()
    record = world.traffic.order(9, SELL, 100, 1)
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    world.take(crash(world))
    regs = world.machine.regs
    nonce = world.account(9).nonce_top
    refused = 0
    while regs.has_work:
        assert world.take(record) == "busy"  # each still lets the work go on
        refused += 1
    assert refused > 2
    assert world.account(9).nonce_top == nonce
    monkeypatch.undo()
    assert world.take(record) == "accepted"


def test_messages_are_applied_in_the_middle_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowd()
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    world.take(crash(world))
    assert world.machine.regs.has_work == 1
    assert world.deposit(8, 1_000) == "accepted"  # in time: its account is not yet visited
    assert world.list_market(2) == "accepted"
    assert world.set_market(1, taker_fee=0, maker_fee=0) == "accepted"
    assert world.set_signer(1, quorum=1) == "accepted"
    assert world.machine.regs.has_work == 1
    while world.machine.regs.has_work:
        world.crank(0)
    assert world.position(8).size == 10
    assert world.position(7).size == 7


def test_a_task_waits_for_the_next_batch_when_this_one_has_no_steps_left(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowd()
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    world.take(crash(world))
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    assert world.crank(0) == "step_cap"
    assert world.machine.regs.has_work == 1
    world.wait(1)
    assert world.crank(0) == "accepted"


def test_a_task_survives_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowd()
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    world.take(crash(world))
    other = Machine.restore(world.machine.snapshot())
    other.begin(world.machine.regs.batch, world.traffic.time)
    world.machine.begin(world.machine.regs.batch, world.traffic.time)
    while world.machine.regs.has_work:
        world.crank(0)
        other.take(SampleTraffic().crank(0), is_message=False)
    assert other.hash() == world.machine.hash()


def test_a_sweep_visits_nobody_where_nobody_holds_anything() -> None:
    world = World.trading(accounts=5)
    before = world.machine.regs.steps
    world.report(0, 100, time=world.traffic.time + 1)
    # fetch, report; choice, no holders; choice, trigger; the last choice
    assert world.machine.regs.steps - before == 2 + 2 + 2 + 1


def test_the_work_of_any_slot_fits_into_it() -> None:
    assert phases.WORK_LIMIT + phases.RECORD_STEP_BOUND + 8 < phases.INPUT_STEP_BOUND < 2**20
    # Every account with all its sub-accounts ranked once, and each word of them read: so many inputs, each of a
    # bounded number of steps.
    assert 2 * (2**20 * 16 + 2**16) // phases.WORK_LIMIT == 514
