"""The judge gives the right verdict or none: whatever does not fit reverts, at any gas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from random import Random

import pytest
from tests.support.evm import Reverted, reverts
from tests.support.generator.generator import Generator
from tests.support.judge.bench import KINDS, Bench, Case, Judge, encode_proof
from tests.support.judge.kinds import CRITICAL, favour_of

from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import StepInput, StepProof, WitnessLeaf
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.registers import FIELDS
from setoff.shared.state.tree import Path

BATCHES = 120
# On one worker, so that the life is lived once.
pytestmark = pytest.mark.xdist_group("judge")

WORD = 32
HEADER_WORDS = 10
OFFSETS = (WORD * (1 + len(FIELDS)), WORD * (2 + len(FIELDS)))
"""Where words of other meaning lie in an encoded proof: root, registers, and the offsets of input and witness."""
UNUSED = "unused batch"
GASES = ("fetch order", "fetch report", "fetch deposit", "fetch bulk", "fill", "sweep", "takeover", "probe", "idle")


def call_off(machine: Machine, micro: int) -> None:
    """Now and then call a wind-down off, which nobody else can."""
    if not micro and machine.regs.steps % 3 == 0:
        machine.regs.winding_since = 0


class Record:
    """A life of one exchange with the widest case of each kind of step."""

    def __init__(self, seed: int) -> None:
        self.judge = Judge()
        self.cases: dict[str, Case] = {}
        bench = Bench(self.judge)
        bench.compare = self.keep
        bench.meddle = lambda machine, input_index, micro: call_off(machine, micro)
        generator = Generator(seed, bench.machine)
        plan = generator.opening()
        for number in range(BATCHES):
            bench.run(*plan)
            if self.cases.keys() == KINDS:
                break
            lacking = KINDS - self.cases.keys()
            favour = favour_of(lacking - CRITICAL) if number > 10 else Counter()
            # What only a crisis brings up is waited for as long as the rest.
            is_crisis = number % 3 == 2 or (lacking <= CRITICAL and number % 3 == 1)
            plan = generator.crisis() if is_crisis else generator.batch(40, favour)
            # Steps are proven only where that can bring something new: proving is what takes the time.
            bench.choose = self.is_wanted

    def is_wanted(self, kind: str) -> bool:
        known = self.cases.get(kind)
        return known is None or (bool(known.proof.witness) and len(known.proof.witness) < 2)

    def keep(self, case: Case) -> None:
        known = self.cases.get(case.kind)
        if known is None or len(case.proof.witness) > len(known.proof.witness):
            self.cases[case.kind] = case

    def step(self, case: Case, proof: StepProof | bytes, *, gas: int | None = None, **change: int) -> bytes:
        asked = {"first": case.first, "position": case.position, **change}
        data = proof if isinstance(proof, bytes) else encode_proof(proof)
        limit = {} if gas is None else {"gas": gas}
        return self.judge.step(pre=case.pre, proof=data, **asked, **limit)


@pytest.fixture(scope="module")
def record() -> Record:
    """A life in which every kind of step came; which of them has one is a matter of luck, and of every rule."""
    for seed in range(1, 6):
        made = Record(seed)
        if made.cases.keys() == KINDS:
            break
    return made


@pytest.fixture
def wide(record: Record) -> Iterator[list[Case]]:
    """Cases whose steps touch a leaf."""
    yield [case for case in record.cases.values() if case.proof.witness]


def leaf_changed(proof: StepProof, at: int, **change: object) -> StepProof:
    leaf = proof.witness[at]._replace(**change)  # type: ignore[arg-type]
    return proof._replace(witness=(*proof.witness[:at], leaf, *proof.witness[at + 1 :]))


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


# --- what is right ----------------------------------------------------------------------------------------------------


def test_right_proofs_of_every_kind_pass(record: Record) -> None:
    assert record.cases.keys() == KINDS, sorted(KINDS - record.cases.keys())
    for case in record.cases.values():
        assert record.step(case, case.proof.encode()) == case.post
        assert case.proof.encode() == encode_proof(case.proof)


def test_batches_of_an_epoch_are_counted_from_its_first(record: Record) -> None:
    for case in record.cases.values():
        for ahead in (1, 3):
            if case.first >= ahead and case.kind != UNUSED:
                shifted = {"first": case.first - ahead, "position": case.position | ahead << 30}
                assert record.step(case, case.proof, **shifted, count=ahead + 1) == case.post


def test_batches_beyond_the_epoch_change_nothing(record: Record) -> None:
    for case in record.cases.values():
        idle = case.proof._replace(witness=())
        for batch in (1, 31, 32):
            assert record.step(case, idle, position=case.position & (1 << 30) - 1 | batch << 30) == case.pre


# --- the witness ------------------------------------------------------------------------------------------------------


def test_missing_leaf_reverts(record: Record, wide: list[Case]) -> None:
    for case in wide:
        with reverts("witness_leaves"):
            record.step(case, case.proof._replace(witness=case.proof.witness[:-1]))
        with pytest.raises(Reverted, match="witness_"):
            record.step(case, case.proof._replace(witness=case.proof.witness[1:]))


def test_leaf_too_many_reverts(record: Record) -> None:
    for case in record.cases.values():
        extra = WitnessLeaf(keys.signers_key(), b"", Path(0, ()))
        if len(case.proof.witness) < phases.MAX_LEAVES:
            with reverts("witness_leaves"):
                record.step(case, case.proof._replace(witness=(*case.proof.witness, extra)))
            for leaf in case.proof.witness[:1]:
                with pytest.raises(Reverted, match="witness_"):
                    record.step(case, case.proof._replace(witness=(leaf, *case.proof.witness)))


def test_leaves_in_another_order_revert(record: Record) -> None:
    several = [case for case in record.cases.values() if len(case.proof.witness) > 1]
    assert len(several) > 20
    for case in several:
        leaves = case.proof.witness
        for at in range(len(leaves) - 1):
            swapped = (*leaves[:at], leaves[at + 1], leaves[at], *leaves[at + 2 :])
            with pytest.raises(Reverted, match="witness_"):
                record.step(case, case.proof._replace(witness=swapped))
        with pytest.raises(Reverted, match="witness_"):
            record.step(case, case.proof._replace(witness=leaves[::-1]))


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
                for _ in range(2):
                    value = flip(leaf.value, rng.randrange(8 * len(leaf.value)))
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


# --- the state before -------------------------------------------------------------------------------------------------


def test_another_state_reverts(record: Record) -> None:
    for case in record.cases.values():
        with reverts("wrong_pre"):
            record.step(case, case.proof._replace(state_root=bytes(32)))
        for at in range(0, len(case.proof.registers), WORD):
            registers = bytearray(case.proof.registers)
            registers[at + 31] ^= 1
            with reverts("wrong_pre"):
                record.step(case, case.proof._replace(registers=bytes(registers)))
    case = record.cases["fill"]
    with reverts("wrong_pre"):
        record.judge.step(case.first, case.position, case.post, encode_proof(case.proof))


def test_unknown_phase_reverts(record: Record) -> None:
    """No machine gets there; if one did, there would be no verdict rather than a wrong one."""
    case = record.cases["drop"]
    at = WORD * FIELDS.index("phase") + 31
    for phase in (len(phases.NAMES), 255):
        registers = bytearray(case.proof.registers)
        registers[at] = phase
        proof = case.proof._replace(registers=bytes(registers), witness=())
        with reverts("wrong_phase"):
            record.judge.contract.execute(case.first, 1, case.position, encode_proof(proof))


# --- the input --------------------------------------------------------------------------------------------------------


def test_another_input_reverts(record: Record) -> None:
    fetches = [
        case for case in record.cases.values() if case.proof.step_input.message or case.proof.step_input.record_page
    ]
    assert len(fetches) > 30
    for case in fetches:
        given = case.proof.step_input
        others = [
            given._replace(header=(*given.header[:at], bump(given.header[at]), *given.header[at + 1 :]))
            for at in range(HEADER_WORDS)
        ]
        others.append(given._replace(header=StepInput().header))
        if given.message:
            others += [
                given._replace(message=flip(given.message, 3)),
                given._replace(message=flip(given.message, RECORD_BYTES + 7)),
                given._replace(message=given.message[:-1]),
                given._replace(message=b""),
                given._replace(queue_hash=b"\1" * 32),
            ]
        else:
            others += [
                given._replace(record_page=flip(given.record_page, 3)),
                given._replace(record_page=given.record_page[:-RECORD_BYTES]),
                given._replace(record_page=given.record_page[:-1]),
                given._replace(siblings=(*given.siblings, bytes(32))),
                given._replace(siblings=given.siblings[:-1]),
                given._replace(siblings=tuple(flip(sibling, 9) for sibling in given.siblings)),
                given._replace(siblings=given.siblings[::-1]),
            ]
        for other in others:
            if other == given:
                continue  # the only page of a batch has no siblings
            with reverts("wrong_input"):
                record.step(case, case.proof._replace(step_input=other))


def bump(word: bytes | int) -> bytes | int:
    return word + 1 if isinstance(word, int) else flip(word, 0)


def test_a_message_is_no_record_and_a_record_no_message(record: Record) -> None:
    for kind, case in record.cases.items():
        given = case.proof.step_input
        if given.message:
            others = [
                given._replace(message=b"", record_page=given.message),
                given._replace(message=b"", record_page=given.message, queue_hash=bytes(32)),
            ]
        elif given.record_page:
            others = [given._replace(record_page=b"", siblings=(), message=given.record_page[at : at + RECORD_BYTES])
                      for at in range(0, len(given.record_page), RECORD_BYTES)]  # fmt: skip
        else:
            continue
        for other in others:
            with pytest.raises(Reverted, match="wrong_input"):
                record.step(case, case.proof._replace(step_input=other))
                pytest.fail(kind)


def test_input_of_another_slot_or_batch_reverts(record: Record) -> None:
    for kind in ("fetch order", "fetch deposit", "fetch report", "refuse cancel"):
        case = record.cases[kind]
        for first in {case.first + 1, max(case.first - 1, 0), 10**6} - {case.first}:
            with pytest.raises(Reverted, match="wrong_input"):
                record.step(case, case.proof, first=first)
        # Its own page holds the other input's record, too: then the record is another, and so are its leaves.
        for other in (1, 8, 512):
            input_index = case.position >> 20 ^ other
            if input_index < case.proof.step_input.header[4] + case.proof.step_input.header[6]:
                with pytest.raises(Reverted, match=r"wrong_input|witness_"):
                    record.step(case, case.proof, position=input_index << 20)
            elif case.proof.witness:
                with reverts("witness_leaves"):
                    record.step(case, case.proof, position=input_index << 20)
            else:
                assert record.step(case, case.proof, position=input_index << 20) == case.pre


def test_a_later_step_is_not_a_fetch(record: Record) -> None:
    """An idle machine at a micro-step above 0 stays as it is, whatever input is given."""
    case = record.cases["fetch order"]
    with reverts("witness_leaves"):
        record.step(case, case.proof, position=case.position + 1)
    same = record.step(case, case.proof._replace(witness=()), position=case.position + 1)
    assert same == case.pre


def test_a_phase_is_not_run_at_the_first_step_of_a_slot(record: Record) -> None:
    case = record.cases["fill"]
    with reverts("wrong_input"):
        record.step(case, case.proof, position=case.position >> 20 << 20)


# --- the encoding -----------------------------------------------------------------------------------------------------


def test_shortened_proofs_revert(record: Record) -> None:
    """At every word's end, and in the middle of words: nothing that is missing is read as zero."""
    for kind in ("fetch order", "fetch deposit", "fill", "sweep", "idle"):
        case = record.cases[kind]
        data = encode_proof(case.proof)
        for length in chain(
            range(0, len(data), 7 * WORD), (1, 31, len(data) // 2 + 5, len(data) - 1, len(data) - WORD)
        ):
            with pytest.raises(Reverted):
                record.step(case, data[:length])


def test_lengthened_proofs_never_give_another_verdict(record: Record) -> None:
    for case in record.cases.values():
        for tail in (b"\0", b"\xff", bytes(WORD), b"\xff" * 999):
            check_verdict(record, case, encode_proof(case.proof) + tail)


def test_offsets_and_lengths_out_of_range_revert_or_change_nothing(record: Record) -> None:
    for kind in ("fetch order", "fill", "takeover"):
        case = record.cases[kind]
        data = encode_proof(case.proof)
        for at in OFFSETS:
            for value in (0, 1, 31, len(data), len(data) + WORD, 2**64, 2**255, 2**256 - 1, 2**256 - WORD):
                check_verdict(record, case, data[:at] + value.to_bytes(WORD, "big") + data[at + WORD :])
        # The witness's own length.
        at = int.from_bytes(data[OFFSETS[1] : OFFSETS[1] + WORD], "big")
        for count in (0, 1, phases.MAX_LEAVES + 1, 2**32, 2**256 - 1):
            if count != len(case.proof.witness):
                with pytest.raises(Reverted):
                    record.step(case, data[:at] + count.to_bytes(WORD, "big") + data[at + WORD :])


def test_garbage_reverts(record: Record) -> None:
    rng = Random(3)
    case = record.cases["fetch order"]
    for length in (0, 4, 32, 1000, len(encode_proof(case.proof)), 32768):
        with pytest.raises(Reverted):
            record.step(case, rng.randbytes(length))
        with pytest.raises(Reverted):
            record.step(case, bytes(length))
    with pytest.raises(Reverted):
        record.step(case, encode_proof(case.proof).ljust(32769, b"\0"))


def test_random_flips_never_give_another_verdict(record: Record) -> None:
    rng = Random(2)
    for case in record.cases.values():
        data = encode_proof(case.proof)
        for _ in range(40):
            check_verdict(record, case, flip(data, rng.randrange(8 * len(data))))


def check_verdict(record: Record, case: Case, data: bytes) -> None:
    """The judge reverts or comes to the right hash (padding, and bytes that nobody reads, are free)."""
    try:
        verdict = record.step(case, data)
    except Reverted:
        return
    assert verdict == case.post, case.kind


# --- gas --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", GASES)
def test_any_gas_gives_the_right_verdict_or_none(record: Record, kind: str) -> None:
    """Above all where a signature is recovered: a precompile out of gas must not read as a bad signature."""
    case = record.cases[kind]
    data = encode_proof(case.proof)
    enough = record.judge.step_cost(case.first, case.position, case.pre, data) * 64 // 63 + 10_000
    verdicts = 0
    for gas in (*range(25_000, enough, 1_499), *range(enough - 25_000, enough, 37)):
        try:
            verdict = record.step(case, data, gas=gas)
        except Reverted:
            continue
        assert verdict == case.post, gas
        verdicts += 1
    assert verdicts
