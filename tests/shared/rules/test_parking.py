"""Records of the L1 queue that find the machine busy: kept, and taken in their turn before any later record."""

from dataclasses import dataclass

import pytest
from tests.support.machines.crowd import crash, crowd
from tests.support.machines.world import BUY, SELL, World

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases


@dataclass
class Taken:
    """What an input left behind: its outcome, the parked records, and whether work is left."""

    outcome: str
    parked: int
    is_working: bool


def take(world: World, body: bytes, is_message: bool = True) -> Taken:
    outcome = world.take(body, is_message)
    regs = world.machine.regs
    return Taken(outcome, regs.parked_end - regs.parked_first, regs.has_work != 0)


def busy(monkeypatch: pytest.MonkeyPatch, limit: int = 20) -> World:
    """A world whose machine has work of its own left for some inputs."""
    world = crowd()
    monkeypatch.setattr(phases, "WORK_LIMIT", limit)
    world.take(crash(world))
    assert world.machine.regs.has_work == 1
    return world


def drain(world: World) -> list[str]:
    """Cranks until nothing is left to do: their outcomes."""
    outcomes = []
    while world.machine.is_busy:
        outcomes.append(world.crank(0))
    return outcomes


@pytest.mark.parametrize("is_named", [False, True], ids=["signed", "as sender"])
def test_a_forced_withdrawal_that_finds_the_machine_busy_is_paid_in_the_end(
    monkeypatch: pytest.MonkeyPatch, is_named: bool
) -> None:
    world = busy(monkeypatch)
    record = world.traffic.withdraw(9, 5)
    before = world.account(9).collateral
    assert take(world, world.traffic.force(9, record) if is_named else record) == Taken("parked", 1, True)
    assert drain(world)[-1] == "accepted"
    assert world.machine.regs.withdrawals == 1
    assert world.account(9).collateral == before - 5
    assert world.value(10 << 36) == b""  # its place is free again
    assert take(world, record).outcome == "nonce_used"


def test_it_lets_the_work_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    left = world.machine.regs.sweep_word.bit_count()
    take(world, world.traffic.withdraw(9, 5))
    assert world.machine.regs.sweep_word.bit_count() < left


def test_nothing_passes_a_parked_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its work done the machine takes neither an order nor a price before it: nobody can keep it waiting."""
    world = busy(monkeypatch, 60)
    while world.machine.regs.has_work:
        taken = take(world, world.traffic.withdraw(9, 5))
    assert taken.parked > 0
    monkeypatch.undo()
    price, order = (
        world.traffic.report(0, 95, time=world.traffic.time + 1),
        world.traffic.order(10, BUY, 90, 1, order_slot=3),
    )
    before = world.machine.regs.copy()
    for record in (price, order, world.traffic.cancel_all(10)):
        assert take(world, record, is_message=False) == Taken("busy", taken.parked, False)
    after = world.machine.regs
    assert (after.sequence, after.sweeping, after.withdrawals) == (before.sequence, 0, before.withdrawals)
    assert drain(world) == ["accepted"] * taken.parked
    assert take(world, price, is_message=False).outcome == "accepted"


def test_they_are_taken_in_the_order_of_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later one of the queue lets the first go in its place and waits behind the others: it overtakes none."""
    world = busy(monkeypatch, 60)
    sent = 0
    while world.machine.regs.has_work:
        sent += 1
        taken = take(world, world.traffic.withdraw(9, sent))
    assert taken.parked == sent > 0
    for _ in range(3):
        sent += 1
        assert take(world, world.traffic.withdraw(9, sent)) == Taken("accepted", taken.parked, False)
    assert drain(world) == ["accepted"] * taken.parked
    assert [world.withdrawal(index).amount for index in range(sent)] == list(range(1, sent + 1))
    assert world.withdrawal(sent).amount == 0


def test_a_full_batch_parks_what_the_queue_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.trading()
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    record = world.traffic.withdraw(1, 7)
    assert take(world, record, is_message=False).outcome == "step_cap"
    assert take(world, record) == Taken("parked", 1, False)
    assert world.crank(0) == "step_cap"
    world.wait(1)
    assert world.withdraw(2, 7) == "busy"
    assert world.crank(0) == "accepted"
    assert (world.machine.regs.withdrawals, world.machine.regs.signer) == (1, world.account(1).owner)


def test_a_full_batch_parks_a_crank_that_names_a_market() -> None:
    world = World.trading()
    world.wait(phases.SAMPLE_INTERVAL)
    assert world.report(0, 100) == "accepted"
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    sampled = world.market().sampled
    assert take(world, world.traffic.crank(1), is_message=False) == Taken("step_cap", 0, False)
    assert take(world, world.traffic.crank(0)) == Taken("step_cap", 0, False)
    assert take(world, world.traffic.crank(1)) == Taken("parked", 1, False)
    assert take(world, world.traffic.crank(9)) == Taken("parked", 2, False)
    world.wait(1)
    assert world.withdraw(1, 5) == "busy"
    assert take(world, world.traffic.crank(0), is_message=False) == Taken("accepted", 1, False)
    assert world.market().sampled == world.traffic.time > sampled
    assert take(world, world.traffic.crank(1)) == Taken("unknown_market", 0, False)
    assert world.withdraw(1, 5) == "accepted"


def test_a_crank_and_a_malformed_message_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    assert take(world, world.traffic.crank(0)) == Taken("accepted", 0, True)
    assert take(world, bytes([99]) + bytes(123)) == Taken("malformed_record", 0, True)
    broken = records.encode(records.ForcedBody(b"\x11" * 20, records.encode_crank(1)[: records.BODY_BYTES]))
    assert take(world, broken) == Taken("malformed_record", 0, True)
    assert take(world, broken, is_message=False) == Taken("malformed_record", 0, True)


def test_what_became_of_it_is_the_outcome_of_the_slot_that_took_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    assert take(world, world.traffic.withdraw(9, 10**12)).outcome == "parked"
    forged = world.traffic.withdraw(9, 5)[:-1] + b"\x01"
    assert take(world, forged).outcome == "parked"
    assert drain(world)[-2:] == ["insufficient_margin", "bad_signature"]
    assert world.machine.regs.withdrawals == 0


@pytest.mark.parametrize("is_busy", [False, True])
def test_bulks_and_pages_do_not_come_through_the_queue(monkeypatch: pytest.MonkeyPatch, is_busy: bool) -> None:
    """A page that trades nothing costs nothing, and is as much work as eight orders: parked, they would jam it."""
    world = busy(monkeypatch) if is_busy else crowd()
    bulk, leg_page = world.traffic.bulk(10, [Leg(records.SELL_LEG, 1, 20, 110, 1)])
    for body in (bulk, leg_page, world.traffic.force(10, bulk)):
        assert take(world, body) == Taken("malformed_record", 0, is_busy)
    drain(world)
    assert [world.take(body) for body in (bulk, leg_page)] == ["accepted"] * 2
    assert world.resting(10, 20).price == 110


def test_it_is_judged_by_the_time_and_the_rules_of_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    take(world, world.traffic.order(10, BUY, 89, 1, order_slot=5, expiry=world.traffic.time + 10))
    take(world, world.traffic.order(10, BUY, 89, 1, order_slot=6))
    world.take(records.encode(records.WindDownBody()), is_message=True)
    world.wait(20)
    assert drain(world)[-2:] == ["winding_down", "winding_down"]


def test_an_offered_crank_takes_a_parked_record_out_even_if_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise an operator would put it aside for ever, and the exchange with it."""
    world = busy(monkeypatch)
    take(world, world.traffic.withdraw(9, 10**12))
    machine = world.machine
    outcomes = []
    while machine.is_busy:
        offered = machine.offer(world.traffic.crank(0))
        outcomes.append(errors.OUTCOMES[offered.outcome])
        assert offered.was_taken
    assert outcomes[-1] == "insufficient_margin"
    assert errors.OUTCOMES[machine.offer(world.traffic.withdraw(9, 5)).outcome] == "accepted"


def test_what_is_parked_survives_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    take(world, world.traffic.withdraw(9, 5))
    other = Machine.restore(world.machine.snapshot())
    other.begin(world.machine.regs.batch, world.traffic.time)
    world.machine.begin(world.machine.regs.batch, world.traffic.time)
    inputs = len(drain(world))
    for _ in range(inputs):
        other.take(world.traffic.crank(0), is_message=False)
    assert other.hash() == world.machine.hash()
    assert other.regs.withdrawals == 1


def test_an_operator_who_starts_new_work_before_every_message_delays_it_by_one_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It brings a price after each message. The first parks; from then on no price is taken before its turn."""
    world = busy(monkeypatch)
    assert take(world, world.traffic.withdraw(9, 5)).outcome == "parked"
    prices = 0
    for turn in range(100):
        world.wait(1)
        prices += take(world, world.traffic.report(0, 91 + turn % 3), is_message=False).outcome == "accepted"
        take(world, world.traffic.crank(0))  # a forced one, from anybody who does not want to wait
        if world.machine.regs.withdrawals:
            break
    assert world.machine.regs.withdrawals == 1
    assert prices == 0


def test_sells_and_buys_of_the_queue_trade_when_their_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy(monkeypatch)
    take(world, world.traffic.order(9, SELL, 94, 2, order_slot=5))
    take(world, world.traffic.order(10, BUY, 94, 2, order_slot=6))
    held = world.position(9).size
    drain(world)
    assert world.position(9).size < held
    assert world.resting(10, 6).market == 0 or world.resting(9, 5).market == 0
