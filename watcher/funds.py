"""Money of one honest party: held, locked, and what it takes if every claim of a challenge period is disputed.

"One bond" is one bond for each key on the true chain that is disputed at once. An attacker who lies about every epoch
makes that ⌈T / claim_interval⌉ + 1 of them, whatever the number of his lies about each.
"""

from __future__ import annotations

from typing import NamedTuple

from setoff.shared.dispute.game import Court, HistoryState
from setoff.shared.dispute.terms import Terms
from setoff.shared.params import ETHER, HONEST_GAS


class Funds(NamedTuple):
    """What an account has and may need, in wei."""

    held: int
    locked: int
    """In bonds of histories that are not paid out."""
    first: int
    """A bond, and the gas of a dispute with one opponent at the price that the court refunds."""
    keys: int | None
    """Keys that can be disputed at once; None: the terms do not bound them."""

    @property
    def needed(self) -> int | None:
        """To stand for the truth in all of them at once; None: not bounded."""
        return None if self.keys is None else self.keys * self.first

    @property
    def is_short(self) -> bool:
        """Whether there is less than that, or not even enough for one more dispute."""
        everything = self.held + self.locked
        return (not self.locked and self.held < self.first) or (self.needed is not None and everything < self.needed)

    def describe(self) -> str:
        """For people: one line."""
        has = f"{format_ether(self.held)} held" + (f" and {format_ether(self.locked)} locked" if self.locked else "")
        if self.needed is None:
            return f"{has}; a dispute takes {format_ether(self.first)}, and no claim interval bounds how many there are"
        return (
            f"{has}; one dispute takes {format_ether(self.first)}, one of every claim of a challenge period "
            f"({self.keys} at once) {format_ether(self.needed)}"
        )


def count_funds(terms: Terms, held: int, locked: int = 0) -> Funds:
    """The funds of an account that holds `held` wei and has `locked` wei in bonds."""
    return Funds(held, locked, terms.bond + HONEST_GAS * terms.gas_price_cap, terms.keys_at_once)


def sum_locked(court: Court, owner: bytes) -> int:
    """Wei that an account has in bonds which are not paid out."""
    histories = (history for claim in court.claims.values() for history in claim.histories.values())
    held = sum(history.owner == owner and history.state is not HistoryState.PAID for history in histories)
    return held * court.terms.bond


def format_ether(wei: int) -> str:
    """Wei as ETH."""
    return f"{wei / ETHER:.3f} ETH"
