"""What a court was deployed with: periods and amounts, fixed for good. Twin: `contracts/court/terms.vy`."""

from typing import NamedTuple

from setoff.shared.params import count_keys


class Terms(NamedTuple):
    """In the order of the court's constructor; `Terms(*params.terms())` are those of a preset."""

    epoch_batches: int
    """Batches that one claim covers."""
    challenge_period: int
    """T, seconds."""
    claim_interval: int
    """Least seconds between the claims of one epoch and of the next, along ends that somebody stands for."""
    bond: int
    """B, wei a history."""
    bond_burn: int
    """Part of B that an eliminated history burns whoever wins, wei."""
    stake: int
    """S, wei a claimant."""
    stake_claims: int
    """n_max, open claims that one stake covers."""
    stake_reward: int
    """c, wei that a slashed claim pays to the winner's owner."""
    gas_price_cap: int
    """Wei a gas that credits count at most."""

    @property
    def keys_at_once(self) -> int | None:
        """Keys on the true chain that can be disputed at once, each of which takes a bond of B; None: not bounded."""
        return count_keys(self.challenge_period, self.claim_interval)
