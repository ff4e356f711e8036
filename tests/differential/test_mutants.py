"""A wrong twin does not pass: each mutant of the Vyper sources is caught on fixed traces."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.evm import Reverted
from tests.support.generator.generator import Generator
from tests.support.judge.bench import GROUPS, PHASES, Bench, Case, Judge, Mismatch
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.mutants import MUTANTS, Mutant
from tests.support.judge.scenes.every import EDGES, SCENES

from setoff.contracts import compiler
from setoff.contracts.compiler import Compiled, compile_contract
from setoff.shared.rules import phases

# On one worker, so that the traces are played once.
pytestmark = pytest.mark.xdist_group("mutants")

IS_LONG = os.environ.get("SETOFF_LONG") == "1"
SAMPLE = ("requirement rounds down", "swept as of before")
"""Mutants of the default run: of arithmetic, of a price, and of a sweep. Each takes the compiler ten
seconds, so that all others are left to the long run."""
CHOSEN = [mutant for mutant in MUTANTS if IS_LONG or mutant.name in SAMPLE]


class Stage:
    """What happened on one exchange, as the machine says, to be judged again and again."""

    def __init__(self, play: Callable[[Bench], None]) -> None:
        self.judge = Judge()
        self.cases: list[Case] = []
        bench = Bench(self.judge)
        bench.compare = self.cases.append
        play(bench)

    def is_caught(self, target: str, compiled: Compiled) -> bool:
        """Whether a judge with this contract in it differs from the machine anywhere, or fails."""
        if target == "judge":
            contract = self.judge.deploy_judge(compiled, self.judge.groups)
        else:
            group = self.judge.chain.deploy(compiled).address
            contract = self.judge.deploy_judge("judge", {**self.judge.groups, target: group})
        try:
            for case in self.cases:
                if has_a_say(target, case):
                    self.judge.check(case, contract)
        except (Mismatch, Reverted):
            return True
        return False


def has_a_say(target: str, case: Case) -> bool:
    """Whether a contract takes part in judging a step."""
    if target == "judge":
        return True
    if target in ("fetch", "messages"):
        return case.kind.startswith(("fetch", "refuse"))
    return case.kind in {phases.NAMES[phase] for phase in PHASES[target]}


NOTHING = {"idle", "unused input", "unused batch"}
"""Kinds of steps that do nothing, of which a few of each scene stand for all."""
FREQUENT = {"work", "sweep", *NOTHING}
"""Kinds of steps that come so often that the first hundreds stand for all."""


def play_scene(scene: Callable[[JudgedWorld], None], bench: Bench) -> None:
    """A scene."""
    bench.choose = lambda kind: kind not in NOTHING or bench.judged[kind] < 4
    scene(JudgedWorld(bench))


def play_random(bench: Bench) -> None:
    """A random trace."""
    generator = Generator(5, bench.machine)
    plan = generator.opening()
    bench.choose = lambda kind: kind not in FREQUENT or bench.judged[kind] < 500
    for number in range(60):
        bench.run(*plan)
        plan = generator.batch() if number % 4 else generator.crisis()


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """All scenes; in the long run boundaries, too, and a random trace (by default `test_steps.py` judges one)."""
    scenes = (*SCENES, *(EDGES if IS_LONG else ()))
    return [Stage(play) for play in (*(partial(play_scene, scene) for scene in scenes), *([play_random] * IS_LONG))]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the contracts that the compiler takes for the real ones."""
    copy = tmp_path / "contracts"
    shutil.copytree(compiler.ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(compiler, "ROOT", copy)
    yield copy


def test_every_phase_has_a_group() -> None:
    judged = sorted(phase for group in PHASES.values() for phase in group)
    assert judged == [phase for phase in range(len(phases.NAMES)) if phase != phases.IDLE]
    assert {*PHASES, "fetch", "messages"} == set(GROUPS)


@pytest.mark.slow
def test_unchanged_twins_pass(stages: list[Stage]) -> None:
    for stage in stages:
        for case in stage.cases:
            stage.judge.check(case)


def test_every_mutant_has_something_to_change() -> None:
    lost = [mutant.name for mutant in MUTANTS if mutant.old not in (compiler.ROOT / mutant.file).read_text()]
    assert lost == []
    assert {mutant.name for mutant in CHOSEN} >= set(SAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_mutant_is_caught(mutant: Mutant, stages: list[Stage], sources: Path) -> None:
    file = sources / mutant.file
    text = file.read_text()
    file.write_text(text.replace(mutant.old, mutant.new))
    name = mutant.target if mutant.target == "judge" else f"rule_groups/{mutant.target}"
    # Around the cache of this process, which knows only names, to the one on disk, which knows sources.
    compiled = compile_contract.__wrapped__(name)
    assert any(stage.is_caught(mutant.target, compiled) for stage in stages)
