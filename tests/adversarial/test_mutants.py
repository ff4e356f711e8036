"""Every weakened rule is caught by the games, so the games would catch such a mistake in the rules themselves."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from tests.support.courts.mutants import KNOWN, OTHERS

from setoff.deploy.simulation.lab.audit import Violation
from setoff.deploy.simulation.lab.cases import REAL, Rules, draw_game, find_cases
from setoff.deploy.simulation.lab.chain import Lab

GAMES = 150
"""Random games that a mutant may survive at most, after all known attacks."""


def games(rules: Rules) -> Iterator[tuple[str, Callable[[], Lab]]]:
    """Every known attack, the rarer kinds first, then random games."""
    cases = find_cases()
    duels = [name for name in cases if name.startswith(("lie: ", "true claim: "))]
    for name in (*(name for name in cases if name not in duels), *duels[::7]):
        yield name, lambda name=name: cases[name](rules)  # type: ignore[misc]
    for seed in itertools.count():
        yield f"random game {seed}", lambda seed=seed: draw_game(seed, rules).run()  # type: ignore[misc]


def catch(rules: Rules) -> tuple[str, str]:
    """The first game in which something is violated, and what."""
    seeds = 0
    for name, play in games(rules):
        seeds += name.startswith("random")
        if seeds > GAMES:
            break
        try:
            play()
        except Violation as violation:
            return name, str(violation).split(" (")[0]
    return "", ""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*KNOWN, *OTHERS])
def test_a_weakened_rule_is_caught(name: str) -> None:
    game, violation = catch({**KNOWN, **OTHERS}[name]())
    assert game, f"no game notices that {name}"
    print(f"{name}: {violation} [{game}]")


def test_the_real_rules_stand_where_mutants_fall() -> None:
    for name, play in itertools.islice(games(REAL), 120):
        play()
        assert name
