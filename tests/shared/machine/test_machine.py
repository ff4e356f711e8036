"""The machine as sequencer, watcher and dispute run it: one rulebook, the same end."""

import copy
import pickle
from dataclasses import fields

import pytest

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.errors import WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import AUCTION, DELEVERAGE, LIQUIDATION, TAKEOVER, UNWIND, Fill, Machine
from setoff.shared.rules import phases
from setoff.shared.state.keys import BACKSTOP
from setoff.shared.state.registers import Registers, machine_hash
from setoff.shared.state.tree import EMPTY, Tree


@pytest.fixture(scope="module")
def traffic() -> SampleTraffic:
    return SampleTraffic()


@pytest.fixture(scope="module")
def batches(traffic: SampleTraffic) -> list[Batch]:
    return play_epoch(traffic)


@pytest.fixture
def ran(traffic: SampleTraffic, batches: list[Batch]) -> Machine:
    machine = Machine.genesis(traffic.domain)
    for batch in batches:
        machine.run_batch(batch)
    return machine


def test_genesis_is_an_empty_tree_and_a_domain(traffic: SampleTraffic) -> None:
    assert Machine.genesis(traffic.domain).hash() == machine_hash(EMPTY[40], Registers(domain=traffic.domain).hash())


def test_the_played_epoch_runs_every_phase_and_meets_many_refusals(
    traffic: SampleTraffic, batches: list[Batch]
) -> None:
    machine = Machine.genesis(traffic.domain)
    seen, outcomes = set(), set()
    for batch in batches:
        for input_index in range(batch.header.inputs):
            machine.step(batch, input_index, 0)
            micro = 0
            while machine.regs.phase != phases.IDLE:
                seen.add(machine.regs.phase)
                micro += 1
                machine.step(batch, input_index, micro)
            outcomes.add(errors.OUTCOMES[machine.regs.outcome])
    assert seen == set(range(1, len(phases.NAMES)))
    assert outcomes >= {"accepted", "would_cross", "insufficient_margin", "nonce_used", "stale_report"}


def test_outcomes_of_the_played_epoch(traffic: SampleTraffic, batches: list[Batch]) -> None:
    machine = Machine.genesis(traffic.domain)
    refused = {}
    for number, batch in enumerate(batches):
        for input_index, outcome in enumerate(machine.run_batch(batch)):
            if outcome != errors.ACCEPTED:
                refused[number, input_index] = errors.OUTCOMES[outcome]
    assert refused == {
        (0, 16): "would_cross",
        (0, 17): "insufficient_margin",
        (0, 19): "insufficient_margin",
        (1, 2): "amount_out_of_range",
        (1, 13): "unknown_order",
        (1, 14): "stale_report",
        (1, 15): "nonce_used",
        (1, 16): "malformed_record",
        (4, 13): "insufficient_margin",
        (4, 15): "insufficient_margin",
        (4, 24): "unfillable",
        (4, 51): "not_due",
        (5, 5): "withdrawals_limited",
        (5, 6): "stale_price",
        (5, 7): "not_due",
        (4, 35): "price_band",
    }


def test_taking_inputs_one_by_one_ends_like_running_batches(
    traffic: SampleTraffic, batches: list[Batch], ran: Machine
) -> None:
    machine = Machine.genesis(traffic.domain)
    for batch in batches:
        machine.begin(batch.header.number, batch.header.timestamp)
        for input_index in range(batch.header.inputs):
            machine.take(batch.body(input_index), input_index < batch.header.message_count)
    assert machine.hash() == ran.hash()


def test_a_batch_of_what_was_offered_and_accepted_ends_the_same() -> None:
    traffic = SampleTraffic()
    first = play_epoch(traffic)[0]
    machine = Machine.genesis(traffic.domain)
    machine.begin(0, first.header.timestamp)
    for message in first.messages:
        body, queued_at = records.split_message(message)
        machine.take(body, True, queued_at)
    kept = [record for record in first.records if machine.offer(record).was_taken]
    assert 0 < len(kept) < len(first.records)
    batch = SampleTraffic().seal(first.messages, kept)
    replayed = Machine.genesis(traffic.domain)
    assert set(replayed.run_batch(batch)) == {errors.ACCEPTED}
    assert replayed.hash() == machine.hash()


def test_committing_after_every_step_gives_the_same_end(
    traffic: SampleTraffic, batches: list[Batch], ran: Machine
) -> None:
    machine = Machine.genesis(traffic.domain)
    for batch in batches:
        for input_index in range(max(1, batch.header.inputs)):
            machine.step(batch, input_index, 0)
            while machine.regs.phase != phases.IDLE:
                machine.state.commit()
                machine.step(batch, input_index, 1)
    assert machine.hash() == ran.hash()


def test_an_idle_machine_stays_as_it_is(ran: Machine, batches: list[Batch]) -> None:
    before = ran.hash()
    ran.step(batches[3], 1023, 0)
    ran.step(batches[3], 1023, 1)
    ran.step(batches[3], 0, 2**20 - 1)
    assert ran.hash() == before


def test_an_empty_batch_only_tells_the_time(traffic: SampleTraffic, batches: list[Batch]) -> None:
    machine = Machine.genesis(traffic.domain)
    for batch in batches[:2]:
        machine.run_batch(batch)
    machine.state.commit()
    root, regs = machine.state.tree.root, machine.regs.copy()
    assert machine.run_batch(batches[2]) == []
    machine.state.commit()
    assert machine.state.tree.root == root
    assert (machine.regs.batch, machine.regs.time, machine.regs.steps) == (2, regs.time + 1, 0)
    regs.batch, regs.time, regs.steps = 2, regs.time + 1, 0
    assert machine.regs.encode() == regs.encode()


def test_a_snapshot_restores_the_machine(ran: Machine) -> None:
    restored = Machine.restore(ran.snapshot())
    assert restored.hash() == ran.hash()
    assert restored.snapshot() == ran.snapshot()


def test_a_restored_machine_goes_on_like_the_first(traffic: SampleTraffic, batches: list[Batch], ran: Machine) -> None:
    machine = Machine.genesis(traffic.domain)
    for batch in batches:
        machine = Machine.restore(machine.snapshot())
        machine.run_batch(batch)
    assert machine.hash() == ran.hash()


def test_a_machine_goes_on_in_another_process(batches: list[Batch], ran: Machine) -> None:
    twin, copied = pickle.loads(pickle.dumps(ran)), copy.deepcopy(ran)
    twin.state.account(1).collateral += 1  # it is another one
    assert copied.hash() == ran.hash() != twin.hash()
    twin.state.account(1).collateral -= 1
    assert twin.run_batch(batches[-1]) == copied.run_batch(batches[-1]) == ran.run_batch(batches[-1])
    assert twin.hash() == copied.hash() == ran.hash()


def test_whatever_it_is_made_of_goes_there_whole(batches: list[Batch], ran: Machine) -> None:
    state = ran.state
    account, market, terms = state.account(1), state.market(1), state.terms()
    account.collateral += 1  # nothing of it is in the tree
    for part in (ran.regs, account, market, terms, account.positions[0], batches[0].header):
        twin = pickle.loads(pickle.dumps(part))
        names = [field.name for field in fields(part) if field.name != "positions"]
        assert [getattr(twin, name) for name in names] == [getattr(part, name) for name in names]
    assert pickle.loads(pickle.dumps(state)).commit() == state.commit()
    assert pickle.loads(pickle.dumps(batches[0])) == batches[0]


@pytest.mark.parametrize("cut", [0, 1, 1_919, 1_920 + 3, -1])
def test_refuses_snapshot_cut_short(ran: Machine, cut: int) -> None:
    with pytest.raises(WitnessError, match="bad_witness"):
        Machine.restore(ran.snapshot()[:cut])


def test_a_copy_is_independent(traffic: SampleTraffic, batches: list[Batch]) -> None:
    machine = Machine.genesis(traffic.domain)
    machine.run_batch(batches[0])
    before = machine.hash()
    twin = machine.copy()
    twin.run_batch(batches[1])
    assert machine.hash() == before != twin.hash()
    machine.run_batch(batches[1])
    assert machine.hash() == twin.hash()


def test_fills_name_both_orders(traffic: SampleTraffic, batches: list[Batch]) -> None:
    machine = Machine.genesis(traffic.domain)
    machine.begin(0, batches[0].header.timestamp)
    for input_index in range(13):
        machine.take(batches[0].body(input_index), input_index < 8)
    assert machine.take(batches[0].body(13), is_message=False) == errors.ACCEPTED
    assert machine.fills == [Fill(1, 3, 0, 1, 0, records.BUY, 101, 5), Fill(1, 3, 0, 2, 0, records.BUY, 101, 3)]


def test_fills_tell_their_kind(traffic: SampleTraffic, batches: list[Batch]) -> None:
    machine = Machine.genesis(traffic.domain)
    for batch in batches[:-1]:
        machine.run_batch(batch)
    last = batches[-1]
    found: dict[int, set[int]] = {}
    for input_index in range(last.header.inputs):
        machine.run_input(last, input_index)
        for fill in machine.fills:
            found.setdefault(fill.kind, set()).add(fill.taker)
    rare = {LIQUIDATION: {6}, TAKEOVER: {6}, DELEVERAGE: {6, 9}, UNWIND: {BACKSTOP}, AUCTION: {3}}
    assert found == rare, "limits far from the mark meet nobody any more"


def test_the_tree_of_a_run_is_that_of_its_leaves(ran: Machine) -> None:
    ran.state.commit()
    assert Tree(ran.state.tree.items()).root == ran.state.tree.root
