"""The judge meets every branch of the rules: the rare ones by hand, and every line in what it is compared on."""

from __future__ import annotations

from pathlib import Path

from tests.differential.branches import BRANCHES, branches_of
from tests.differential.generator import Generator
from tests.differential.harness import Bench, Judge
from tests.differential.scenes import SCENES, Play
from tests.differential.trace_lines import Lines

from setoff.shared.codec import integers
from setoff.shared.rules import (
    backstop,
    book,
    bulk,
    funds,
    intake,
    levels,
    liquidation,
    listing,
    margin,
    marks,
    matching,
    oracle,
    orders,
    positions,
    step,
    triggers,
    winding,
    work,
)

RULES = (
    backstop,
    book,
    bulk,
    funds,
    intake,
    levels,
    liquidation,
    listing,
    margin,
    marks,
    matching,
    oracle,
    orders,
    positions,
    step,
    triggers,
    winding,
    work,
    integers,
)

#: Lines of the rules that no trace can reach, and one that only the machine's caller uses.
UNREACHABLE = (
    'raise AssertionError("an account with an open order has a position place")',
    "return regs.phase == phases.IDLE",
)


def test_judge_meets_every_branch() -> None:
    lines = Lines()
    seen: set[str] = set()
    with lines.watch(*RULES):
        for scene in SCENES:
            play = Play(Bench(Judge()))
            scene(play)
            for taken in play.steps:
                seen |= branches_of(taken)
        for seed in (1, 2):
            bench = Bench(Judge())
            generator = Generator(seed, bench.machine, is_large=seed == 2)
            plan = generator.opening()
            # What is judged of the machine's own work is judged by the random traces.
            bench.choose = lambda kind, bench=bench: kind not in ("work", "sweep") or bench.judged[kind] < 100
            for number in range(40):
                for taken in bench.run(*plan):
                    seen |= branches_of(taken)
                plan = generator.batch() if number % 4 else generator.crisis()
    assert seen <= BRANCHES
    assert not BRANCHES - seen
    missed = []
    for module in RULES:
        assert module.__file__ is not None
        text = Path(module.__file__).read_text().splitlines()
        missed += [
            f"{module.__name__}:{line}" for line in lines.missed(module) if text[line - 1].strip() not in UNREACHABLE
        ]
    assert not missed
