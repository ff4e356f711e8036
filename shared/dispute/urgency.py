"""What a player's action is for: by when it has to be on L1, and whose business it is first. Pure.

An action with a deadline is worth paying for; one without can wait a moment, to see whether somebody else does it. The
moment differs from player to player, so that of many honest ones only the first pays the gas.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.game import Claim, CourtState

SHARED: Final = (actions.Install, actions.Void, actions.Settle, actions.Advance, actions.Release)
"""Calls that any player may make and one is enough of."""

_ONE: Final = 1 << 64


def deadline_of(action: Action, court: CourtState) -> int | None:
    """The time (unix seconds) at which the action comes too late; None if only comfort depends on it."""
    claim = court.claims.get(action.key) if isinstance(action, actions.KeyAction) else None
    if claim is None:
        return None
    period = court.terms.challenge_period
    match action:
        case actions.Join():
            # Whether it defends the claim or not: the first of the two deadlines that may be meant.
            return claim.claimed_at + period if not claim.disputed_at else _next_join_deadline(claim, period)
        case actions.Move(_, mover, opponent, _):
            if mover in claim.histories and opponent in claim.histories:
                return claim.expiry(claim.match(mover, opponent), period)
        case actions.Timeout() | actions.Prove():
            return claim.disputed_at + 3 * period
    return None


def share_of_wait(action: Action, court: CourtState, me: bytes) -> float:
    """How long to wait with the action, as a share of the longest wait, 0 to 1.

    0 for what nobody else would do and for whoever the action pays; for the others a number of their own.
    """
    if not isinstance(action, SHARED) or _is_mine(action, court, me):
        return 0.0
    return 0.25 + 0.75 * draw_turn(me, repr(action))


def draw_turn(me: bytes, what: str) -> float:
    """When it is the turn of the account `me` (20 bytes) to send what any of many may, as a share of the longest wait,
    0 to 1: another number for every account and for all that is to be sent, the same whenever it is asked for.
    """
    return int.from_bytes(keccak(me + what.encode())[:8], "big") / _ONE


def _next_join_deadline(claim: Claim, period: int) -> int:
    latest = max((history.joined_at for history in claim.histories.values()), default=claim.disputed_at)
    first = claim.claimed_at + period
    return first if latest < first else claim.disputed_at + period


def _installed(court: CourtState, epoch: int) -> Claim | None:
    """The claim on the start that `epoch` has or is about to have."""
    at = min(epoch, court.confirmed)
    claim = court.latest(at, court.start_of[at])
    while claim is not None and at < epoch:
        at += 1
        claim = court.latest(at, claim.result)
    return claim


def _is_mine(action: Action, court: CourtState, me: bytes) -> bool:
    """Whether the action's claim pays this player: its claimant, or the owner of the history that won it."""
    if isinstance(action, actions.Advance):
        claim = _installed(court, action.epoch)
    elif isinstance(action, actions.KeyAction):
        claim = court.claims.get(action.key)
    else:
        claim = None
    if claim is None:
        return False
    if isinstance(action, actions.Release):
        history = claim.histories.get(action.root)
        if history is not None and history.owner == me:
            return True
    standing = claim.standing()
    if claim.disputed_at and standing:
        return standing[0].owner == me
    return claim.claimant == me
