"""What a dispute costs its honest side by the number of liars, on the court and the judge themselves, everything cold.

Every liar plays to the end: the honest side joins last, so it has four moves and the proof in each match. Gas is that
of transactions, calldata at 16/4 a byte, at a price below the court's cap. Credits are reckoned a little high (two new
words each, no zero byte), so that they may come to more than the gas they stand for; the losers pay them.
"""

from __future__ import annotations

from typing import Any, Final

from tests.support.courts.arena import HONEST, PARAMS, RIVAL, move_arguments, proof_arguments
from tests.support.courts.dispute import Dispute, lie_at

from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.history import EPOCH
from setoff.shared.params import ETHER

LIARS: Final = (1, 10, 100)
GAS_PRICE: Final = 10**9


class Purse:
    """What the honest side spends in gas and gets back, in one dispute."""

    def __init__(self, dispute: Dispute) -> None:
        self.gas = 0
        self.calls = 0
        self.refunded = 0
        self._dispute = dispute

    def call(self, function: str, *arguments: Any, value: int = 0) -> None:
        """An honest transaction to the court."""
        arena = self._dispute.arena
        arena.chain.cool()
        getattr(arena.court, function)(*arguments, sender=HONEST, value=value, gas_price=GAS_PRICE)
        self.gas += arena.chain.last.gas_used
        self.calls += 1
        self.refunded += sum(event["amount"] for event in arena.chain.last.named("Redeemed"))


def play(liars: int) -> dict[str, float]:
    """One dispute of the honest side with so many liars, to its last payment."""
    dispute = Dispute()
    arena, purse = dispute.arena, Purse(dispute)
    court, position = arena.court, dispute.steps()["margin"]
    honest = dispute.run()
    lies = [dispute.run(lie_at(position, number)) for number in range(1, liars + 1)]
    before = arena.chain.balance(HONEST)
    key = arena.claim(keccak(b"third"))
    for lie in lies:
        arena.join(key, lie, RIVAL)
    purse.call("join", key, honest.children(0, 0), honest.end, honest.last_path(), value=PARAMS.bond)
    for lie in lies:
        prefix = 0
        for level in range(EPOCH.levels):
            mover, opponent = (honest, lie) if level % 2 == 0 else (lie, honest)
            arguments = move_arguments(key, mover, opponent, level, prefix)
            if mover is honest:
                purse.call("move", *arguments)
            else:
                court.move(*arguments, sender=RIVAL)
            prefix = prefix * EPOCH.fanout + arguments[3]
        proof = honest.proof(position)
        purse.call("prove", *proof_arguments(key, honest, lie, position, arena.genesis, proof))
    arena.warp(PARAMS.challenge_period)
    purse.call("install", key, honest.end)
    purse.call("settle", key, honest.root)
    purse.call("release", key, honest.root)
    for lie in lies:
        purse.call("release", key, lie.root)
        purse.call("redeem", key, lie.root, HONEST)
    purse.call("collect", HONEST)
    paid = purse.gas * GAS_PRICE
    gained = arena.chain.balance(HONEST) - before
    name = f"{liars} liars"
    return {
        f"{name}: honest transactions": purse.calls,
        f"{name}: honest_gas": purse.gas,
        f"{name}: per liar_gas": purse.gas / liars,
        f"{name}: share refunded by credits": purse.refunded / paid,
        f"{name}: honest ETH locked": PARAMS.bond / ETHER,
        f"{name}: liars' ETH locked": (PARAMS.stake + liars * PARAMS.bond) / ETHER,
        f"{name}: honest ETH gained": gained / ETHER,
    }


def run() -> dict[str, float]:
    """Gas of the honest side, what is refunded, and what each side locks, with 1, 10 and 100 liars."""
    figures: dict[str, float] = {}
    for liars in LIARS:
        figures |= play(liars)
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:44} {value:14,.3f}")
