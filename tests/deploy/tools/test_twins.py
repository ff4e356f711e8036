"""The comparison of twins passes what is there, and catches every way in which twins drift apart."""

import shutil
from pathlib import Path

import pytest

from setoff.deploy.tools.twins import CONTRACTS, SHARED, find_differences, main


def test_twins_agree() -> None:
    assert find_differences() == []
    assert main() == 0


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return shutil.copytree(SHARED, tmp_path / "shared", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize(
    ("file", "old", "new", "difference"),
    [
        ("rules/phases", "2**22", "2**23", "constant BATCH_STEP_CAP is 4194304 in Python, 8388608 in Vyper"),
        ("rules/phases", "DROP: ", "DROPPED: ", "constant DROP is missing in Vyper"),
        ("rules/phases", "DROP: ", "DROPPED: ", "constant DROPPED is missing in Python"),
        ("errors", "WOULD_CROSS: constant(uint256) = 17\n", "", "constant WOULD_CROSS is missing in Vyper"),
        ("codec/eip712", "uint32 peer", "uint64 peer", "constant TRANSFER_TYPE is"),
        ("codec/records", "    peer: uint256\n", "", "struct TransferBody has account, nonce, peer, amount in Python"),
        (
            "state/registers",
            "    tick: uint256            # tick of the level the next step works on\n",
            "",
            "struct Registers has domain",
        ),
        ("state/leaves", "struct Level:", "struct Tier:", "struct Level is missing in Vyper"),
        ("rules/margin", "def compute_fee(", "def compute_charge(", "function compute_fee is missing in Vyper"),
        ("state/store", "def signers(", "def signer_set(", "function signers is missing in Vyper"),
        ("rules/positions", 'raise "witness_value"', 'raise "no_position"', "reverts with 'no_position'"),
        (
            "rule_groups/margin",
            'raise "wrong_phase"',
            'raise "phase"',
            "reverts with 'phase', which is not on the list",
        ),
    ],
)
def test_catches_broken_twin(contracts: Path, file: str, old: str, new: str, difference: str) -> None:
    path = contracts / f"{file}.vy"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    found = find_differences(contracts=contracts)
    assert any(difference in line for line in found)


def test_catches_another_order(contracts: Path) -> None:
    path = contracts / "codec/integers.vy"
    text = path.read_text()
    swapped = (
        text.replace("def div_up(", "def _(")
        .replace("def div_floor(", "def div_up(")
        .replace("def _(", "def div_floor(")
    )
    path.write_text(swapped)
    assert find_differences(contracts=contracts) == ["codec/integers: function div_up stands elsewhere in Vyper"]


def test_catches_files_without_twins(shared: Path, contracts: Path) -> None:
    (shared / "rules" / "options.py").write_text('"""Options."""\n')
    (contracts / "rules" / "swaps.vy").write_text("# pragma version 0.4.3\n")
    assert find_differences(shared, contracts) == [
        "rules/options: shared/rules/options.py has no twin contracts/rules/options.vy",
        "rules/swaps: contracts/rules/swaps.vy has no twin shared/rules/swaps.py",
    ]


def test_catches_a_rule_only_python_has(shared: Path) -> None:
    path = shared / "rules" / "transfers.py"
    path.write_text(path.read_text() + "\n\ndef step_refund() -> None:\n    pass\n")
    assert find_differences(shared) == ["rules/transfers: function step_refund is missing in Vyper"]
