"""What a step costs to judge at worst: as many leaves as it can touch, no sibling of their paths empty."""

from __future__ import annotations

from tests.support.judge.step_gas import measure

from setoff.shared.rules import phases

LIMIT = 1_500_000
"""Gas of a one-step proof, calldata included, apart from what the court itself does."""


def test_every_step_fits_into_its_gas() -> None:
    worst = measure()
    assert not set(phases.NAMES) - {"idle"} - worst.gas.keys()
    assert max(worst.leaves.values()) == phases.MAX_LEAVES
    assert max(worst.gas.values()) < LIMIT, worst.gas.most_common(5)
