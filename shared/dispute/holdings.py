"""What of an account's money the court holds, in wei."""

from __future__ import annotations

from setoff.shared.dispute.game import CourtState, HistoryState


def sum_staked(court: CourtState, owner: bytes) -> int:
    """In stakes which claims may be made on, or are open on."""
    mine = [(number, stake) for number, stake in court.stakes.items() if stake.owner == owner and not stake.is_slashed]
    newest = court.stake_of.get(owner)
    return sum(number == newest or stake.open > 0 for number, stake in mine) * court.terms.stake


def sum_locked(court: CourtState, owner: bytes) -> int:
    """In bonds which are not paid out."""
    histories = (history for claim in court.claims.values() for history in claim.histories.values())
    held = sum(history.owner == owner and history.state is not HistoryState.PAID for history in histories)
    return held * court.terms.bond
