"""Every step can be judged within the budget of a dispute, by contracts that fit on L1."""

import pytest
from tests.benchmarks.bench_gas import CONTRACTS, GAS_BUDGET, run
from tests.differential.harness import KINDS

from setoff.contracts import RUNTIME_LIMIT


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return run()


def test_every_step_is_within_budget(figures: dict[str, float]) -> None:
    assert {name.removeprefix("gas ") for name in figures if name.startswith("gas ")} == KINDS
    dear = {name: gas for name, gas in figures.items() if name.startswith("gas ") and gas >= GAS_BUDGET}
    assert not dear


def test_every_contract_fits(figures: dict[str, float]) -> None:
    assert all(0 < figures[f"size {name}"] < RUNTIME_LIMIT for name in CONTRACTS)
