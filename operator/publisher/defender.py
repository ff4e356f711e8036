"""The operator at the court: makes the claims and defends them, with the watchers' own player.

It claims epochs ahead, without waiting for confirmations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.dispute.trace_provider import Epochs
from setoff.shared.l1.connection import L1
from setoff.shared.l1.player import CourtPlayer

POLICY: Final = Policy(claim_after=0)

MakePlayer = Callable[[bytes, Policy], Player]
"""(address, policy) to the strategy that decides."""


class Defender:
    """Plays for the account of `l1`, which has the operator's key."""

    def __init__(self, l1: L1, deployment: Deployment, epochs: Epochs, make_player: MakePlayer = Player) -> None:
        """`epochs`: what to claim, and to stand by."""
        self._player = CourtPlayer(l1, deployment.court, epochs, POLICY, first_block=deployment.block)
        self._player.player = make_player(l1.address, POLICY)

    def look(self) -> Mapping[int, bytes]:
        """Read what is new at the court; the starts of epochs that are confirmed by now. Raises ChainError."""
        self._player.reader.poll()
        return self._player.reader.court.start_of

    @property
    def court(self) -> CourtState:
        """The court, as of the last look."""
        return self._player.reader.court

    def play(self) -> None:
        """Do what is due. Raises ChainError, DataError."""
        self._player.step()

    @property
    def first_needed(self) -> int:
        """The first epoch that is not confirmed, or about which a game may still go on."""
        court = self._player.reader.court
        return min([court.confirmed, *(claim.epoch for claim in court.unfinished() if not court.is_false_start(claim))])
