"""The known attacks on the rules of the market, by name. To import this is to enter all of them in the register."""

from setoff.deploy.simulation.market_lab.scenario import REGISTRY, Scenario
from setoff.deploy.simulation.market_lab.scenarios import (
    backstop,
    behind,
    books,
    crowd,
    debts,
    deleveraging,
    exits,
    fees,
    funding,
    marks,
    oracles,
    other_markets,
    scale,
    settlements,
    wrong_prices,
)

MODULES = (
    marks,
    funding,
    oracles,
    debts,
    backstop,
    books,
    deleveraging,
    exits,
    fees,
    scale,
    wrong_prices,
    behind,
    other_markets,
    settlements,
    crowd,
)
SCENARIOS: dict[str, Scenario] = REGISTRY

__all__ = ["MODULES", "SCENARIOS"]
