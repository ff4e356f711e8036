"""The step vectors against the judge on an EVM, over the real inbox with the vectors' batches posted."""

from typing import Any

import pytest
from tests.support.evm import reverts
from tests.support.judge.bench import Judge
from tests.support.vectors import load

from setoff.shared.machine.batch import Batch, Header
from setoff.shared.state.registers import FIELDS

STEPS = load("steps")
RUN = load("runs")
HISTORY = load("histories")
EMPTY_REGISTERS = (0, bytes(20), bytes(32))


@pytest.fixture(scope="module")
def judge() -> Judge:
    judge = Judge()
    for entry in RUN["batches"]:
        judge.post(Batch(Header(**entry["header"]), tuple(entry["messages"]), tuple(entry["records"])))
    return judge


@pytest.mark.parametrize("step", STEPS["steps"], ids=lambda s: f"{s['name']}, {s['outcome']}, {s['next_phase']}")
def test_the_judge_comes_to_the_same_machine_hash(judge: Judge, step: dict[str, Any]) -> None:
    assert judge.step(step["first_batch"], step["position"], step["pre"], step["proof"]) == step["post"]


def test_the_judge_gives_the_same_registers_and_leaves(judge: Judge) -> None:
    for step in STEPS["steps"]:
        regs, values, root = judge.contract.execute(
            step["first_batch"], STEPS["batch_count"], step["position"], step["proof"]
        )
        assert list(values) == [leaf["new"] for leaf in step["witness"]]
        assert root == step["state_root_after"]
        named = dict(zip(FIELDS, regs, strict=True))
        named["signer"] = bytes.fromhex(named["signer"][2:])
        assert {name: value for name, value in named.items() if value not in EMPTY_REGISTERS} == {
            name: value for name, value in step["registers_after"].items() if value not in EMPTY_REGISTERS
        }


def test_rejects_another_state_before(judge: Judge) -> None:
    for step in STEPS["steps"][::9]:
        with reverts("wrong_pre"):
            judge.step(step["first_batch"], step["position"], step["post"][::-1], step["proof"])


@pytest.mark.parametrize("entry", load("refused")["proofs"], ids=lambda entry: entry["name"])
def test_the_judge_refuses_it_for_its_reason(judge: Judge, entry: dict[str, Any]) -> None:
    with reverts(entry["reason"]):
        judge.step(entry["first_batch"], entry["position"], entry["pre"], entry["proof"])


def test_the_last_proof_of_the_game_shows_the_truth(judge: Judge) -> None:
    proof = HISTORY["proof"]
    post = judge.contract.step(0, HISTORY["batch_count"], proof["position"], proof["pre"], proof["proof"])
    assert post == proof["truth_leaf"]
