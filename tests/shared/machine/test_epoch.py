"""An epoch's run: its end, its history, and a proof at every kind of position."""

from random import Random

import pytest

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, split_trace_position
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.tree import fold


def position(batch: int, input_index: int, micro: int) -> int:
    return batch << 30 | input_index << 20 | micro


class Epoch:
    """A run, and what a plain walk over its real steps found: position -> machine hash after it."""

    def __init__(self) -> None:
        traffic = SampleTraffic()
        self.batches: list[Batch] = play_epoch(traffic)
        self.start = Machine.genesis(traffic.domain)
        self.run = EpochRun(self.start, self.batches, ZERO)
        self.walk: dict[int, bytes] = {}
        machine = self.start.copy()
        for number, batch in enumerate(self.batches):
            for input_index in range(max(1, batch.header.inputs)):
                micro = 0
                while micro == 0 or machine.regs.phase != phases.IDLE:
                    machine.step(batch, input_index, micro)
                    self.walk[position(number, input_index, micro)] = machine.hash()
                    micro += 1
        self.end = machine.hash()

    def leaf(self, at: int) -> bytes:
        """The leaf by definition: the last real step at or before the position."""
        return self.walk[max(step for step in self.walk if step <= at)]

    def places(self) -> list[int]:
        """Positions of every kind: real steps, idle and unused ones, and both sides of every border."""
        last = [batch.header.inputs - 1 for batch in self.batches]
        borders = [position(b, s, 0) for b, s in ((0, 1), (0, last[0]), (0, last[0] + 1), (1, 0), (2, 0), (3, 0))]
        borders += [position(3, last[3] + 1, 0), position(4, 0, 0), position(31, 1023, 0), position(0, 13, 6)]
        found = {0, 1, EPOCH.positions - 1, position(2, 1, 0), position(2, 1023, 2**20 - 1), position(30, 5, 5)}
        for border in borders:
            found |= {border - 1, border, border + 1}
        return sorted(found | set(list(self.walk)[::9]))


@pytest.fixture(scope="module")
def epoch() -> Epoch:
    return Epoch()


def test_fast_run_and_trace_have_the_same_end(epoch: Epoch) -> None:
    assert epoch.run.end == epoch.end == epoch.run.leaf(EPOCH.positions - 1) == epoch.run.end_machine().hash()
    assert epoch.run.start_hash == epoch.start.hash()


def test_leaves_and_paths_at_every_kind_of_position(epoch: Epoch) -> None:
    for at in epoch.places():
        assert epoch.run.leaf(at) == epoch.leaf(at)
        assert climb(epoch.leaf(at), at, epoch.run.path(at)) == epoch.run.root


def test_openings_lead_from_the_root_to_every_leaf(epoch: Epoch) -> None:
    for at in epoch.places():
        node = epoch.run.root
        for level in range(EPOCH.levels):
            prefix = at >> 5 * (EPOCH.levels - level)
            children = epoch.run.children(level, prefix)
            assert merkle_root(children) == node
            node = children[at >> 5 * (EPOCH.levels - level - 1) & 31]
        assert [node] == epoch.run.children(EPOCH.levels, at)
        assert node == epoch.leaf(at)


def test_a_proof_at_every_kind_of_position_leads_to_the_next_leaf(epoch: Epoch) -> None:
    for at in epoch.places():
        before = epoch.run.machine_before(at)
        assert before.hash() == (epoch.leaf(at - 1) if at else epoch.run.start_hash)
        proof = epoch.run.prove_step(at)
        assert proof.registers == before.regs.encode()
        batch, input_index, micro = split_trace_position(at)
        after = before.copy()
        if batch < len(epoch.batches):
            after.step(epoch.batches[batch], input_index, micro)
        root = proof.state_root
        after.state.commit()
        for leaf in proof.witness:
            assert fold(leaf.key, leaf.value, leaf.path) == root
            root = fold(leaf.key, after.state.tree.get(leaf.key), leaf.path)
        assert machine_hash(root, after.regs.hash()) == epoch.leaf(at)


def test_positions_may_be_asked_for_in_any_order(epoch: Epoch) -> None:
    places = epoch.places()
    Random(3).shuffle(places)
    for at in places:
        machine = epoch.run.machine_before(at)
        assert machine.hash() == (epoch.leaf(at - 1) if at else epoch.run.start_hash)
        machine.state.account(1).collateral += 1  # whoever gets it may do with it what he likes
        machine.regs.phase = phases.WORK
    assert epoch.run.machine_before(0).hash() == epoch.run.start_hash


def test_the_start_is_left_alone(epoch: Epoch) -> None:
    assert epoch.start.hash() == Machine.genesis(SampleTraffic().domain).hash()


def test_an_epoch_may_start_in_the_middle_of_the_chain(epoch: Epoch) -> None:
    first = EpochRun(epoch.start, epoch.batches[:2], ZERO)
    second = EpochRun(first.end_machine(), epoch.batches[2:], epoch.batches[1].header.queue_hash)
    assert second.end == epoch.end
    third = second.prove_step(position(1, 3, 0))
    assert third.step_input.queue_hash == epoch.run.prove_step(position(3, 3, 0)).step_input.queue_hash


def test_a_position_is_batch_slot_and_step() -> None:
    assert split_trace_position(position(31, 1023, 2**20 - 1)) == (31, 1023, 2**20 - 1)
    assert split_trace_position(EPOCH.positions - 1) == (31, 1023, 2**20 - 1)
