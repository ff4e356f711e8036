"""All scenarios as one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from setoff.deploy.simulation.market_lab.scenarios import SCENARIOS
from setoff.deploy.simulation.market_lab.terms import DUST
from setoff.shared.errors import ConfigError


def choose(names: Sequence[str]) -> list[str]:
    """These scenarios, or all. Raises ConfigError on a name that is none."""
    unknown = sorted(set(names) - set(SCENARIOS))
    if unknown:
        raise ConfigError("bad_config", f"there is no scenario {', '.join(unknown)}: see --list")
    return list(names) or list(SCENARIOS)


def run_scenarios(names: Sequence[str], seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Play these; money in token units. `violations` is empty iff no attacker has more than it may."""
    rows: list[dict[str, Any]] = []
    violations: list[str] = []
    for name in choose(names):
        tell(name)
        scenario = SCENARIOS[name]
        outcome = scenario.run(seed)
        rows.append(
            {
                "name": name,
                "purpose": scenario.purpose,
                "profit": outcome.profit,
                "gas": outcome.gas,
                "takings": outcome.takings,
                "limit": scenario.limit,
                "stated": scenario.stated,
                "breaches": outcome.breaches,
                "is_held": scenario.is_held(outcome),
            }
        )
        if outcome.profit > scenario.limit:
            violations.append(f"{name}: the attackers gained {outcome.profit} token units, {scenario.limit} at most")
        violations += [f"{name}: {breach}" for breach in outcome.breaches]
    return {"seed": seed, "dust": DUST, "scenarios": rows, "violations": violations}
