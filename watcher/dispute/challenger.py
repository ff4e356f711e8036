"""The player: compares every claim on L1 with what the workers executed, and plays against the false ones.

It decides and sends through the same `CourtPlayer` as the operator's publisher. It keeps nothing of its own: after a
restart in the middle of a game everything is read from L1 again, and what it knows from Redis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import Epochs
from setoff.shared.l1.player import CourtPlayer, Round
from setoff.watcher.context import Context
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.histories import Histories
from setoff.watcher.settings import WatcherSettings

HISTORY_WAIT: Final = 1.0
"""Seconds that a round waits for the history of one epoch. One that takes longer is built while the games go on."""

OpenEpochs = Callable[[WatcherSettings, Context], Epochs]
"""Gives what a player goes by."""


def open_epochs(settings: WatcherSettings, context: Context) -> ExecutedEpochs:
    """What this watcher's workers have executed."""
    return ExecutedEpochs(
        Archive.of(context),
        Histories.of(settings, context.deployment),
        claims=settings.claims_after is not None,
        wait=HISTORY_WAIT,
    )


def make_player(settings: WatcherSettings, context: Context, open_epochs: OpenEpochs = open_epochs) -> CourtPlayer:
    """The player that the settings ask for; `context` are opened with its key. Raises ConfigError, ChainError."""
    policy = Policy(claim_after=settings.claims_after, deference=settings.deference)
    epochs = open_epochs(settings, context)
    return CourtPlayer(context.l1, context.deployment.court, epochs, policy, first_block=context.deployment.block)


def describe(player: CourtPlayer, result: Round) -> dict[str, Any]:
    """For the status: how far L1 was read and is confirmed, the open disputes, and what was refused just now."""
    court = player.reader.court
    disputes = [
        {"epoch": claim.epoch, "key": "0x" + claim.key.hex(), "standing": len(claim.standing())}
        for claim in court.unfinished()
        if claim.state.value == "disputed"
    ]
    return {
        "block": result.block,
        "confirmed": court.confirmed,
        "disputes": disputes,
        "refused": [f"{type(action).__name__.lower()}: {reason}" for action, reason in result.refused],
        "alarm": player.is_alarmed,
    }
