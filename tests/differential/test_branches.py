"""Every branch of the rule contracts: `contracts/rule_groups`, and all of `rules`, `codec` and `state` that is in them.

They run with probes (`coverage.py`), scene by scene and then on a random trace until nothing is left, and every answer
is compared with the machine's. There is no list of exceptions.
"""

from __future__ import annotations

import pytest
from tests.support.generator.generator import Generator
from tests.support.judge.bench import PHASES, Bench
from tests.support.judge.branches import BRANCHES, branches_of
from tests.support.judge.coverage import GROUP_OF, Coverage
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import SCENES

from setoff.contracts.compiler import ROOT
from setoff.shared.rules import phases
from setoff.shared.state import keys, leaves, store
from setoff.shared.state.registers import Registers

BATCHES = 80
"""Random batches at most; what the scenes leave needs about half of them."""
WIDTHS = {
    keys.ACCOUNT: leaves.ACCOUNT_BYTES,
    keys.ORDER: leaves.ORDER_BYTES,
    keys.LEVEL: leaves.LEVEL_BYTES,
    keys.BITMAP: leaves.BITMAP_BYTES,
    keys.HOLDERS: leaves.BITMAP_BYTES,
    keys.MARKET: leaves.MARKET_BYTES,
    keys.ORACLE: leaves.ORACLE_BYTES,
    keys.SIGNERS: leaves.SIGNERS_BYTES,
    keys.WITHDRAWAL: leaves.WITHDRAWAL_BYTES,
    keys.AGENT: leaves.AGENT_BYTES,
    keys.PARKED: leaves.PARKED_BYTES,
    keys.REQUEST: leaves.REQUEST_BYTES,
    keys.TERMS: leaves.TERMS_BYTES,
    keys.ACTIVITY: leaves.ACTIVITY_BYTES,
}
STRAIGHT = {
    "rules/phases.vy",
    "rules/parking.vy",
    "rules/scale.vy",
    "rule_groups/fetch.vy",
    "rule_groups/messages.vy",
}
"""Files in which nothing is chosen: constants, arithmetic without a jump, and groups that hand on what they get."""

# Most of it is the compiler's time, where the contracts have changed.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage()


def make_bench(coverage: Coverage) -> Bench:
    """A bench whose steps the contracts with probes are asked about."""
    bench = Bench(None)
    bench.compare = coverage.check
    return bench


def test_rules_meet_every_branch(coverage: Coverage) -> None:
    seen: set[str] = set()
    assert WIDTHS.keys() == store._ENCODERS.keys()
    for kind, width in WIDTHS.items():
        assert coverage.encode_again(kind, b"") == b""
        if kind != keys.PARKED:  # in which a message of zeros is one
            assert coverage.encode_again(kind, bytes(width)) == b""
        assert coverage.encode_again(kind, coverage.encode_again(kind, b"\x01" * width))
    for scene in SCENES:
        play = JudgedWorld(make_bench(coverage))
        scene(play)
        for taken in play.steps:
            seen |= branches_of(taken)
    bench = make_bench(coverage)
    generator = Generator(1, bench.machine)
    plan = generator.opening()
    # The machine's own work is one long row of the same steps.
    bench.choose = lambda kind: kind not in ("work", "sweep", "gather") or bench.judged[kind] < 100
    for number in range(BATCHES):
        for taken in bench.run(*plan):
            seen |= branches_of(taken)
        if not coverage.missed and seen >= BRANCHES:
            break
        plan = generator.batch() if number % 4 else generator.crisis()
    assert [str(branch) for branch in coverage.missed] == []
    assert sorted(BRANCHES - seen) == []
    assert seen <= BRANCHES


def test_probes_are_in_every_file_of_the_rules(coverage: Coverage) -> None:
    probed = {file for file, *_ in coverage.places}
    for folder in ("rules", "rule_groups"):
        files = {f"{folder}/{path.name}" for path in (ROOT / folder).glob("*.vy")}
        assert files - probed <= STRAIGHT, "a file with choices has no probe"
    assert len(coverage.places) > 400


@pytest.mark.parametrize("group", PHASES)
def test_rules_refuse_what_is_not_theirs(coverage: Coverage, group: str) -> None:
    """The ways that leave no log: the phase of another contract, a witness of another number of leaves."""
    regs = Registers(sweep_end=256, sweep_word=1, rank_end=256, rank_word=1)  # somebody is to be visited
    for phase in (phases.IDLE, len(phases.NAMES), *(phase for phase, name in GROUP_OF.items() if name != group)):
        regs.phase = phase
        assert coverage.refuse(group, regs, 0, 0) == "wrong_phase"
    for regs.phase in PHASES[group]:
        for count, values in ((10, 10), (10, 9), (9, 10)):
            assert coverage.refuse(group, regs, count, values) in ("witness_leaves", "witness_key")
