"""Money of one honest party: held, locked, and what it takes if every claim of a challenge period is disputed; and of
a liveness keeper, which has to claim as well.

"One bond" is one bond for each key on the true chain that is disputed at once. An attacker who lies about every epoch
makes that ⌈T / claim_interval⌉ + 1 of them, whatever the number of his lies about each.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from setoff.shared.dispute.terms import Terms
from setoff.shared.params import ETHER, HONEST_GAS, INSTALL_GAS

POST_GAS: Final = 150_000
"""Of a batch without records, rounded up from what the contract tests measure, as all of these."""
CLAIM_GAS: Final = 300_000
ADVANCE_GAS: Final = 70_000


class DisputeCapital(NamedTuple):
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


def count_dispute_capital(terms: Terms, held: int, locked: int = 0) -> DisputeCapital:
    """The capital of an account that holds `held` wei and has `locked` wei in bonds."""
    return DisputeCapital(held, locked, terms.bond + HONEST_GAS * terms.gas_price_cap, terms.keys_at_once)


class KeeperCapital(NamedTuple):
    """What a liveness keeper has and needs, in wei: claims take stakes, batches and claims take gas."""

    held: int
    staked: int
    """In its stakes that stand."""
    stake: int
    """What a claim without a stake takes; it then covers more of them."""
    stakes: int
    """Of these, if epochs are claimed as often as the terms let them be for a challenge period; at least one."""
    epoch: int
    """Gas to post the batches of one epoch, to claim and to confirm it."""
    first: int
    """A bond, and the gas of a dispute with one opponent: a true claim may be disputed."""

    @property
    def least(self) -> int:
        """To do all of it for the first epoch."""
        return self.stake + self.epoch + self.first

    @property
    def needed(self) -> int:
        """To claim for a whole challenge period; the gas of the epochs is paid as they come."""
        return self.stakes * self.stake + self.epoch + self.first

    @property
    def cannot_begin(self) -> bool:
        """Whether there is too little for the first epoch."""
        return self.held + self.staked < self.least

    @property
    def is_short(self) -> bool:
        """Whether there is too little for a challenge period."""
        return self.held + self.staked < self.needed

    def describe(self) -> str:
        """For people: one line."""
        has = f"{format_ether(self.held)} held" + (f" and {format_ether(self.staked)} staked" if self.staked else "")
        return (
            f"{has}; to claim what it posts takes a stake of {format_ether(self.stake)}, in a challenge period up to "
            f"{self.stakes} of them; an epoch's gas up to {format_ether(self.epoch)}; a claim that is disputed "
            f"{format_ether(self.first)}: {format_ether(self.least)} to begin, {format_ether(self.needed)} in all"
        )


def count_keeper_capital(terms: Terms, held: int, staked: int = 0) -> KeeperCapital:
    """The capital of a liveness keeper that holds `held` wei and has `staked` wei in stakes."""
    stakes = -(-(terms.keys_at_once or 1) // terms.stake_claims)
    gas = terms.epoch_batches * POST_GAS + CLAIM_GAS + INSTALL_GAS + ADVANCE_GAS
    first = terms.bond + HONEST_GAS * terms.gas_price_cap
    return KeeperCapital(held, staked, terms.stake, stakes, gas * terms.gas_price_cap, first)


def format_ether(wei: int) -> str:
    """Wei as ETH."""
    return f"{wei / ETHER:.3f} ETH"
