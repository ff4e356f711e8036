"""`prove` with the real judge at every gas limit: it reverts, or eliminates the liar and nobody else.

The court hands the judge 63/64 of what is left, the judge hands 63/64 of that to the rules, and those to the precompile
that recovers a signature: whichever of them runs dry first, its failure must not be read as a verdict.
"""

from __future__ import annotations

import pytest
from tests.support.courts.arena import HONEST, OUT, RIVAL, STANDING, proof_arguments
from tests.support.courts.dispute import Dispute, lie_at

from setoff.shared.codec.hashing import keccak


@pytest.fixture
def dispute() -> Dispute:
    return Dispute()


@pytest.mark.parametrize("kind", ["fetch 0.0", "fetch 1.0", "fetch 1.1", "fetch 1.2", "margin", "withdraw", "transfer"])
def test_at_every_gas_limit_the_verdict_is_right(dispute: Dispute, kind: str) -> None:
    arena, position = dispute.arena, dispute.steps()[kind]
    honest, liar = dispute.run(), dispute.run(lie_at(position))
    key = arena.claim(keccak(b"third"))
    arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    assert arena.seal(key, honest, liar) == position

    arguments = proof_arguments(key, honest, liar, position, arena.genesis, honest.proof(position))
    data = arena.court.encode("prove", *arguments)
    before = arena.chain.snapshot()
    for _ in range(2):  # the second time all is warm, as it is in the tries below
        arena.chain.call(arena.court.address, data, sender=HONEST)
        needed = arena.chain.last.gas_used
        arena.chain.restore(before)
        before = arena.chain.snapshot()

    def verdict(gas: int) -> bool:
        before = arena.chain.snapshot()
        succeeded = arena.chain.succeeds(arena.court.address, data, sender=HONEST, gas=gas)
        found = tuple(int(arena.court.history_of(key, run.root)[0]) for run in (honest, liar))
        assert found == ((STANDING, OUT) if succeeded else (STANDING, STANDING)), f"with {gas} gas of {needed}"
        arena.chain.restore(before)
        return succeeded

    # Coarsely over everything, and finely where there begins to be enough.
    coarse = [gas for gas in range(21_000, needed + needed // 4, max(needed // 400, 1)) if verdict(gas)]
    fine = [gas for gas in range(coarse[0] - 4_000, coarse[0] + 4_000, 37) if verdict(gas)]
    assert len(coarse) > 10 and 10 < len(fine) < 8_000 // 37 - 10
