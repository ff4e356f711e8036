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
        ("rules/phases", "2**20", "2**21", "constant BATCH_STEP_CAP is 1048576 in Python, 2097152 in Vyper"),
        ("rules/phases", "DROP: ", "DROPPED: ", "constant DROP is missing in Vyper"),
        ("rules/phases", "DROP: ", "DROPPED: ", "constant DROPPED is missing in Python"),
        ("errors", "WOULD_CROSS: constant(uint256) = 17\n", "", "constant WOULD_CROSS is missing in Vyper"),
        ("codec/records", "uint32 peer", "uint64 peer", "constant TRANSFER_TYPE is"),
        ("rules/wind_down", "records.AMEND, ", "", "the record type AMEND is not named in Vyper where it is in Python"),
        ("codec/records", "return 50", "return 49", "size of ORDER is 50 in Python, 49 in Vyper"),
        (
            "codec/records",
            "    if kind == FORCED:\n        return 81\n",
            "",
            "size of FORCED is 81 in Python, 'missing'",
        ),
        ("codec/records", "order_slot=self._read(body, 17, 2)", "order_slot=self._read(body, 17, 1)", "order_slot is"),
        ("codec/records", "price=self._read(body, 19, 4)", "price=self._read(body, 18, 4)", "decode_order: price is"),
        (
            "codec/records",
            "(self._read(message, 23, 4), int256)",
            "(self._read(message, 24, 4), int256)",
            "maker_fee is",
        ),
        (
            "codec/records",
            "    key: address\n",
            "    key: uint256\n",
            "SetAgentBody has key as uint256 instead of address",
        ),
        ("codec/records", "extract32(body, 13)", "extract32(body, 14)", "decode_bulk: leg_pages is 'bytes 13 to 44'"),
        (
            "codec/records",
            "slice(message, 21, BODY",
            "slice(message, 20, BODY",
            "decode_forced: body is 'bytes 21 to 80'",
        ),
        ("codec/records", "leg >> 72 & 255", "leg >> 64 & 255", "decode_leg: market is 'bytes 1 to 1' in Python"),
        (
            "codec/records",
            "keccak256(AMEND_TYPE)",
            "keccak256(CANCEL_TYPE)",
            "struct hash of AMEND is 'AMEND_TYPE with",
        ),
        (
            "codec/records",
            "assert kind == REPORT",
            "assert kind == CRANK",
            "struct hash of REPORT is 'REPORT_TYPE with",
        ),
        ("codec/records", "    peer: uint256\n", "", "struct TransferBody has account, nonce, peer, amount in Python"),
        (
            "state/registers",
            "    tick: uint256            # tick of the level the next step works on\n",
            "",
            "struct Registers has domain",
        ),
        ("state/leaves", "struct Level:", "struct Tier:", "struct Level is missing in Vyper"),
        (
            "state/leaves",
            "    best_bid: uint256              #",
            "    bid: uint256                   #",
            "struct Market has",
        ),
        ("state/leaves", "    premium: int256 ", "    premium: uint256 ", "struct Market has premium as uint256"),
        ("state/leaves", "leaf.band << 32", "leaf.band << 24", "Market is written with band elsewhere"),
        ("state/leaves", "leaf.twap_sum << 192 | leaf.twap_time << 160", "leaf.twap_sum << 192", "with no twap_time"),
        (
            "state/leaves",
            "self._bits(leaf.premium) & _U64",
            "self._bits(leaf.premium) & _U32",
            "with premium elsewhere",
        ),
        (
            "state/leaves",
            "band=words[0] >> 32 & _U32",
            "band=words[0] >> 32 & _U16",
            "Market is read with band elsewhere",
        ),
        (
            "state/leaves",
            "self._low(words[4] >> 64, 64)",
            "self._low(words[4] >> 64, 32)",
            "read with premium elsewhere",
        ),
        ("state/leaves", "p.bids << 64", "p.bids << 32", "Position is written with bids elsewhere"),
        ("state/leaves", "report >> 96 & _U32", "report >> 64 & _U32", "Oracle is read with price elsewhere"),
        ("state/registers", "    cleared.agent = 0\n", "", "clear forgets kind"),
        ("rules/listing", "    changed.band = parameters.band\n", "", "set_parameters takes initial_margin"),
        (
            "rules/listing",
            "changed.band = parameters.band",
            "changed.band = parameters.impact",
            "takes band from impact",
        ),
        (
            "rules/listing",
            "parameters.funding_cap <= records",
            "parameters.close_out <= records",
            "funding_cap is at most",
        ),
        ("rules/listing", "and 1 <= parameters.band\n", "and 2 <= parameters.band\n", "band is at least 2, which no"),
        ("codec/records", "parameters.impact, uint64), bytes8", "parameters.impact, uint32), bytes4", "impact is"),
        ("codec/records", "impact=self._read(message, 63, 8)", "impact=self._read(message, 64, 8)", "impact is"),
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
@pytest.mark.slow
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
