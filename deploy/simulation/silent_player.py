"""A player at the court who stops playing, so that the clock decides."""

from __future__ import annotations

from dataclasses import dataclass

from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.strategy import Player
from setoff.shared.dispute.trace_provider import Epochs


@dataclass(frozen=True)
class SilentPlayer(Player):
    """Claims and joins like any other, and makes no move from some level on."""

    silent_from: int = 0

    def choose(self, court: CourtState, epochs: Epochs, now: int) -> list[Action]:
        """What any player would do, without those moves, and without a last word."""
        return [action for action in super().choose(court, epochs, now) if not self._is_beyond(action)]

    def _is_beyond(self, action: Action) -> bool:
        if isinstance(action, actions.Move):
            return action.level >= self.silent_from
        return isinstance(action, actions.Prove | actions.Timeout)
