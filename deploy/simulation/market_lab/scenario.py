"""A scenario: an attack by name, as a function that plays it, or the same play without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from setoff.deploy.simulation.market_lab.outcome import Outcome, average, compare
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.terms import DUST, USD

Script = Callable[..., Play]
"""From whether the attack is made, a seed and, where a scenario has several, its path, to the play at its end."""


@dataclass(frozen=True)
class Scenario:
    """`limit`: token units up to which the attackers' profit is no news: dust, or what the protocol says that it does
    not prevent (`stated`). `paths`: ways that the world may take, all equally likely, and nobody knows which when the
    attack is made; its profit is the mean over them. None: there is one way.
    """

    name: str
    purpose: str
    script: Script
    limit: int = DUST
    stated: str = ""
    paths: tuple[Any, ...] = ()

    def run(self, seed: int = 0) -> Outcome:
        """Play it twice, on each path."""
        if not self.paths:
            return compare(self.script(True, seed), self.script(False, seed))
        return average([compare(self.script(True, seed, on), self.script(False, seed, on)) for on in self.paths])

    def is_held(self, outcome: Outcome) -> bool:
        """Whether the attack came to no more than it may."""
        return outcome.profit <= self.limit and not outcome.breaches


REGISTRY: Final[dict[str, Scenario]] = {}


def scenario(*, limit_usd: int = 0, stated: str = "", paths: Sequence[Any] = ()) -> Callable[[Script], Script]:
    """Enter a function under its own name; its docstring says what is tried."""

    def enter(script: Script) -> Script:
        name = script.__name__.replace("_", "-")
        purpose = " ".join((script.__doc__ or "").split()).rstrip(".")
        REGISTRY[name] = Scenario(name, purpose, script, limit_usd * USD or DUST, stated, tuple(paths))
        return script

    return enter
