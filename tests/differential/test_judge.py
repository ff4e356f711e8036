"""The judge gives the right verdict or none: whatever does not fit reverts, at any gas."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from tests.differential.generator import Generator
from tests.differential.harness import Bench, Case, Judge
from tests.evm import Reverted, reverts

from setoff.shared.machine.witness import StepInput, StepProof, WitnessLeaf
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.tree import Path


class Record:
    """A random trace with one case of each kind, the widest."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.cases: dict[str, Case] = {}
        bench = Bench(self.judge)
        bench.compare = self.keep
        generator = Generator(6, bench.machine)
        plan = generator.opening()
        for _ in range(30):
            bench.run(*plan)
            plan = generator.batch()

    def keep(self, case: Case) -> None:
        known = self.cases.get(case.kind)
        if known is None or len(case.proof.witness) > len(known.proof.witness):
            self.cases[case.kind] = case

    def step(self, case: Case, proof: StepProof, **change: int) -> bytes:
        asked = {"first": case.first, "position": case.position, **change}
        return self.judge.step(pre=case.pre, proof=proof.encode(), **asked)


@pytest.fixture(scope="module")
def record() -> Record:
    return Record()


@pytest.fixture
def wide(record: Record) -> Iterator[list[Case]]:
    """Cases whose steps touch a leaf."""
    yield [case for case in record.cases.values() if case.proof.witness]


def leaf_changed(proof: StepProof, at: int, **change: object) -> StepProof:
    leaf = proof.witness[at]._replace(**change)  # type: ignore[arg-type]
    return proof._replace(witness=(*proof.witness[:at], leaf, *proof.witness[at + 1 :]))


def test_right_proofs_pass(record: Record) -> None:
    for case in record.cases.values():
        assert record.step(case, case.proof) == case.post


def test_batches_of_an_epoch_are_counted_from_its_first(record: Record) -> None:
    for case in record.cases.values():
        for ahead in (1, 3):
            if case.first >= ahead and case.kind != "unused batch":
                shifted = {"first": case.first - ahead, "position": case.position | ahead << 30}
                assert record.step(case, case.proof, **shifted, count=ahead + 1) == case.post


def test_batches_beyond_the_epoch_change_nothing(record: Record) -> None:
    for case in record.cases.values():
        idle = case.proof._replace(witness=())
        for batch in (1, 31, 32):
            assert record.step(case, idle, position=case.position & (1 << 30) - 1 | batch << 30) == case.pre


def test_missing_leaf_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        with reverts("witness_leaves"):
            record.step(case, case.proof._replace(witness=case.proof.witness[:-1]))


def test_leaf_too_many_reverts(record: Record) -> None:
    for case in record.cases.values():
        extra = WitnessLeaf(keys.signers_key(), b"", Path(0, ()))
        if len(case.proof.witness) < phases.MAX_LEAVES:
            with reverts("witness_leaves"):
                record.step(case, case.proof._replace(witness=(*case.proof.witness, extra)))


def test_another_key_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        for at, leaf in enumerate(case.proof.witness):
            # A step may stop before it looks at this leaf; then there are too many.
            with pytest.raises(Reverted, match=r"witness_(key|leaves|path)"):
                record.step(case, leaf_changed(case.proof, at, key=leaf.key ^ 1))


def test_key_beyond_the_tree_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        with pytest.raises(Reverted, match="witness_key"):
            record.step(case, leaf_changed(case.proof, 0, key=case.proof.witness[0].key | 1 << keys.KEY_BITS))


def test_value_of_another_length_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        for length in (1, 31, 33, 639):
            with reverts("witness_value"):
                record.step(case, leaf_changed(case.proof, 0, value=b"\1" * length))


def test_another_value_never_gives_a_verdict(record: Record, wide: list[Case]) -> None:
    """A value of the right length that the state does not hold: whatever the rules make of it, the path refuses it."""
    rng = Random(1)
    for case in wide:
        for at, leaf in enumerate(case.proof.witness):
            if leaf.value:
                bit = 1 << rng.randrange(8 * len(leaf.value))
                value = (int.from_bytes(leaf.value, "big") ^ bit).to_bytes(len(leaf.value), "big")
                with pytest.raises(Reverted):
                    record.step(case, leaf_changed(case.proof, at, value=value))
                with pytest.raises(Reverted):
                    record.step(case, leaf_changed(case.proof, at, value=b""))


def test_another_path_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        for at, leaf in enumerate(case.proof.witness):
            bitmap, siblings = leaf.path
            absent = next(height for height in range(40) if not bitmap >> height & 1)
            others = [
                Path(bitmap, siblings[:-1]),
                Path(bitmap, (*siblings, bytes(32))),
                Path(bitmap | 1 << absent, siblings),
                Path(bitmap | 1 << 40, siblings),
                Path(bitmap | 1 << 255, (*siblings, bytes(32))),
                Path(bitmap, (*siblings[:-1], bytes(32))),
                Path(bitmap, siblings[::-1]),
            ]
            for path in others:
                if path == leaf.path:
                    continue  # the only leaf of a tree has no siblings, and one sibling is its own reverse
                with reverts("witness_path"):
                    record.step(case, leaf_changed(case.proof, at, path=path))


def test_another_state_reverts(record: Record) -> None:
    for case in record.cases.values():
        with reverts("wrong_pre"):
            record.step(case, case.proof._replace(state_root=bytes(32)))
        for at in range(0, len(case.proof.registers), 32):
            registers = bytearray(case.proof.registers)
            registers[at + 31] ^= 1
            with reverts("wrong_pre"):
                record.step(case, case.proof._replace(registers=bytes(registers)))


def test_another_input_reverts(record: Record) -> None:
    fetches = [case for case in record.cases.values() if case.proof.step_input.header[1] or case.proof.step_input.page]
    assert len(fetches) > 10
    for case in fetches:
        given = case.proof.step_input
        others = [given._replace(header=(*given.header[:2], given.header[2] + 1, *given.header[3:]))]
        others.append(given._replace(header=StepInput().header))
        if given.body:
            others += [
                given._replace(body=given.body[:-1] + b"\1"),
                given._replace(body=given.body[:-1]),
                given._replace(chain=b"\1" * 32),
                given._replace(body=b"", page=given.body),
            ]
        elif given.page:
            others += [
                given._replace(page=b"\1" + given.page[1:]),
                given._replace(page=given.page[:-124]),
                given._replace(siblings=(*given.siblings, bytes(32))),
                given._replace(siblings=given.siblings[:-1]),
                given._replace(page=b"", body=given.page[:124]),
            ]
        for other in others:
            if other == given:
                continue  # the only page of a batch has no siblings
            with reverts("wrong_input"):
                record.step(case, case.proof._replace(step_input=other))


def test_input_of_another_slot_or_batch_reverts(record: Record) -> None:
    for kind in ("fetch order", "fetch deposit"):
        case = record.cases[kind]
        with pytest.raises(Reverted, match="wrong_input"):
            record.step(case, case.proof, first=case.first + 1)
        with pytest.raises(Reverted, match=r"wrong_input|witness_"):
            record.step(case, case.proof, position=case.position ^ 1 << 20)


def test_a_later_step_is_not_a_fetch(record: Record) -> None:
    """An idle machine at a micro-step above 0 stays as it is, whatever input is given."""
    case = record.cases["fetch order"]
    with reverts("witness_leaves"):
        record.step(case, case.proof, position=case.position + 1)
    same = record.step(case, case.proof._replace(witness=()), position=case.position + 1)
    assert same == case.pre


def test_unknown_phase_reverts(record: Record) -> None:
    """No machine gets there; if one did, there would be no verdict rather than a wrong one."""
    case = record.cases["drop"]
    registers = bytearray(case.proof.registers)
    registers[5 * 32 - 1] = len(phases.NAMES)
    proof = case.proof._replace(registers=bytes(registers), witness=())
    with reverts("wrong_phase"):
        record.judge.contract.execute(case.first, 1, case.position, proof.encode())


@pytest.mark.parametrize("kind", ["fetch order", "fetch report", "fetch deposit", "probe", "fill", "idle"])
def test_any_gas_gives_the_right_verdict_or_none(record: Record, kind: str) -> None:
    """Above all where a signature is recovered: a precompile out of gas must not read as a bad signature."""
    case = record.cases[kind]
    data = case.proof.encode()
    record.judge.step(case.first, case.position, case.pre, data)
    enough = record.judge.chain.last.gas_used + 10_000
    verdicts = 0
    for gas in (*range(25_000, enough, 1_499), *range(enough - 12_000, enough, 37)):
        try:
            verdict = record.judge.step(case.first, case.position, case.pre, data, gas=gas)
        except Reverted:
            continue
        assert verdict == case.post
        verdicts += 1
    assert verdicts


def test_random_proofs_never_give_a_verdict(record: Record) -> None:
    """Bits of an encoded proof flipped at random: another verdict than the right one never comes out."""
    rng = Random(2)
    for case in record.cases.values():
        data = case.proof.encode()
        for _ in range(40):
            flipped = (int.from_bytes(data, "big") ^ 1 << rng.randrange(8 * len(data))).to_bytes(len(data), "big")
            try:
                verdict = record.judge.step(case.first, case.position, case.pre, flipped)
            except Reverted:
                continue
            assert verdict == case.post
