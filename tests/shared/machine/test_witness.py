"""One-step proofs, checked the way L1 does: old values against the running root, new values folded into the next."""

from collections.abc import Iterator

import pytest
from eth_abi.abi import decode

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch, extend_queue_hash, verify_record
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import PROOF_TYPES, StepInput, StepProof, prove_step
from setoff.shared.rules import phases
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.tree import fold

Step = tuple[Batch | None, int, int, bytes, bytes, StepProof, Machine]


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """(batch, input index, micro, queue hash before it, hash before, proof, machine after) of every real step."""
    return list(prove_epoch())


def prove_epoch() -> Iterator[Step]:
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    queue_hash = ZERO
    for batch in play_epoch(traffic):
        for input_index in range(max(1, batch.header.inputs)):
            micro = 0
            while micro == 0 or machine.regs.phase != phases.IDLE:
                before = machine.hash()
                proof = prove_step(machine, batch, input_index, micro, queue_hash)
                yield batch, input_index, micro, queue_hash, before, proof, machine.copy()
                micro += 1
        queue_hash = batch.header.queue_hash


def test_every_witness_leads_from_root_to_root(steps: list[Step]) -> None:
    for _, _, _, _, before, proof, after in steps:
        assert machine_hash(proof.state_root, keccak(proof.registers)) == before
        root = proof.state_root
        for leaf in proof.witness:
            assert fold(leaf.key, leaf.value, leaf.path) == root
            root = fold(leaf.key, after.state.tree.get(leaf.key), leaf.path)
        assert machine_hash(root, after.regs.hash()) == after.hash()


def test_a_witness_names_each_leaf_once_and_no_more_than_ten(steps: list[Step]) -> None:
    widest = 0
    for *_, proof, _ in steps:
        named = [leaf.key for leaf in proof.witness]
        assert len(set(named)) == len(named)
        widest = max(widest, len(named))
    assert widest == phases.MAX_LEAVES


def test_a_proven_input_is_the_one_in_its_slot(steps: list[Step]) -> None:
    for batch, input_index, micro, _, _, proof, _ in steps:
        given = proof.step_input
        assert batch is not None
        if micro:
            assert given == StepInput()
        elif input_index >= batch.header.inputs:
            assert keccak(b"".join(w if isinstance(w, bytes) else w.to_bytes(32, "big") for w in given.header)) == (
                batch.header.hash()
            )
            assert given[1:] == StepInput()[1:]
        elif input_index < batch.header.message_count:
            assert given.message == batch.messages[input_index]
            assert given.record_page == b""
        else:
            assert given.message == b""
            assert verify_record(batch.header, input_index, given.record_page, given.siblings) == batch.body(
                input_index
            )


def test_a_message_s_chain_leads_to_the_batch_s(steps: list[Step]) -> None:
    for batch, input_index, micro, queue_hash, _, proof, _ in steps:
        assert batch is not None
        if micro == 0 and input_index < batch.header.message_count:
            for body in batch.messages[:input_index]:
                queue_hash = extend_queue_hash(queue_hash, body)
            assert proof.step_input.queue_hash == queue_hash
            for body in batch.messages[input_index:]:
                queue_hash = extend_queue_hash(queue_hash, body)
            assert queue_hash == batch.header.queue_hash


def test_an_encoded_proof_decodes_to_itself(steps: list[Step]) -> None:
    for *_, proof, _ in steps[::7]:
        root, words, given, leaves = decode(PROOF_TYPES, proof.encode())
        assert root == proof.state_root
        assert b"".join(word.to_bytes(32, "big") for word in words) == proof.registers
        assert given[1:] == (given[1], given[2], proof.step_input.siblings, proof.step_input.queue_hash)
        assert [(leaf.key, leaf.value, *leaf.path) for leaf in proof.witness] == list(leaves)


def test_a_proof_fits_into_the_court_s_call(steps: list[Step]) -> None:
    assert max(len(proof.encode()) for *_, proof, _ in steps) <= 32_768


def test_steps_of_unused_places_touch_nothing() -> None:
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    batch = play_epoch(traffic)[0]
    machine.run_batch(batch)
    before = machine.hash()
    for place in ((batch, 1000, 0), (batch, 1000, 5), (batch, 3, 2**20 - 1), (None, 0, 0), (None, 7, 9)):
        proof = prove_step(machine, *place, queue_hash=ZERO)
        assert proof.witness == ()
        assert machine.hash() == before


def test_proving_does_not_change_what_the_step_does() -> None:
    traffic = SampleTraffic()
    proven, plain = Machine.genesis(traffic.domain), Machine.genesis(traffic.domain)
    for batch in play_epoch(traffic):
        plain.run_batch(batch)
        for input_index in range(max(1, batch.header.inputs)):
            micro = 0
            while micro == 0 or proven.regs.phase != phases.IDLE:
                prove_step(proven, batch, input_index, micro, ZERO)
                micro += 1
    assert proven.hash() == plain.hash()
