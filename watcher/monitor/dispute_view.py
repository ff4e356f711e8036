"""The disputes that are on: who stands, whose turn it is, how much time is left, what is at stake and comes of it.

All of it follows from the court's events. What a watcher has executed itself adds which of the sides is the true one;
what it could not get adds the batches whose data is withheld. Beside that stands whether the operator is there at all.
Times are seconds, money is wei.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from setoff.shared.dispute.game import Claim, ClaimState, CourtState, HistoryCommitment, Match
from setoff.shared.dispute.trace_provider import Epochs, ExecutedEpoch, find_executed, find_true_root
from setoff.watcher.chain.withheld import WithheldBatch
from setoff.watcher.liveness.presence import Presence
from setoff.watcher.monitor.alerts import (
    Alert,
    alert_claim,
    alert_contradiction,
    alert_presence,
    alert_unknown,
    alert_withheld,
)
from setoff.watcher.monitor.work import Work

UNKNOWN, TRUE, FALSE = "unknown", "true", "false"

LOW: Final = 4
"""An honest clock is low when less than one part in so many of the challenge period is left."""


@dataclass(frozen=True, slots=True)
class Side:
    """A history in a dispute."""

    root: str
    owner: str
    end: str
    state: str
    """"standing", "out" or "paid"."""
    verdict: str
    """Whether it is the true one, by our own execution."""
    bond: int
    """Still at stake."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A match between two standing histories."""

    one: str
    other: str
    level: int
    """0 to 6; 7: sealed, a proof decides."""
    on_turn: str
    """Root; "" if sealed."""
    time_left: int
    """Of the side on turn; of a sealed match until the dispute can be given up."""
    verdict: str
    """"one", "other" or "unknown": who would win if both sides played to the end."""


@dataclass(frozen=True, slots=True)
class DisputeView:
    """One claim and its dispute."""

    key: str
    epoch: int
    round: int
    state: str
    claimant: str
    claimed_end: str
    verdict: str
    """Whether the claimed end is true."""
    expected: str
    """The end to be installed as things stand; "" if that is open."""
    installable_in: int
    """Seconds until it can be, at the earliest."""
    join_in: int
    """Seconds left to join with an end that is not the claimed one."""
    at_stake: int
    """Bonds and the stake's reward together."""
    sides: list[Side]
    matches: list[Pairing]
    """Those of the true history, those in which somebody has moved, and one for each other clock that runs."""
    idle_matches: int
    """All others: their clocks are those of matches that are shown."""


@dataclass(slots=True)
class Overview:
    """All disputes at one time, and what else somebody should look at."""

    block: int
    now: int
    confirmed: int
    """Epochs whose start is confirmed."""
    challenge_period: int
    knows: bool
    """Whether our own execution is at hand."""
    disputes: list[DisputeView] = field(default_factory=list)
    withheld: list[WithheldBatch] = field(default_factory=list)
    """Batches whose data could not be had; none are known without a watcher's Redis."""
    operator: Presence | None = None
    operator_address: str = ""
    """0x-string; "" where it was not asked for."""
    account: str = ""
    """Our own, 0x-string; "" without a key."""
    work: Work | None = None
    """Of this watcher; None without its Redis."""
    alerts: list[Alert] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def view_disputes(
    court: CourtState,
    epochs: Epochs | None,
    block: int,
    now: int,
    low: int | None = None,
    *,
    withheld: Sequence[WithheldBatch] = (),
    operator: Presence | None = None,
) -> Overview:
    """The disputes at the time `now`; `low`: seconds below which an honest clock is an alert."""
    period = court.terms.challenge_period
    low = period // LOW if low is None else low
    overview = Overview(
        block, now, court.confirmed, period, epochs is not None, withheld=[*withheld], operator=operator
    )
    # First what is the same for everybody: without an operator, or without the data, nobody plays as usual.
    overview.alerts += alert_presence(operator, now) if operator else ()
    overview.alerts += alert_withheld(withheld, period, now)
    for claim in court.unfinished():
        executed = find_executed(epochs, claim) if epochs else None
        root = find_true_root(executed, claim)
        overview.disputes.append(_view(court, claim, executed, root, now))
        overview.alerts += (
            alert_claim(court, claim, executed, root, now, low) if executed else alert_unknown(court, claim, now)
        )
    overview.alerts += alert_contradiction(court, epochs) if epochs else ()
    return overview


def _verdict(executed: ExecutedEpoch | None, end: bytes) -> str:
    return UNKNOWN if executed is None else TRUE if executed.run.end == end else FALSE


def _side_verdict(history: HistoryCommitment, executed: ExecutedEpoch | None, root: bytes | None) -> str:
    if root is not None:
        return TRUE if history.root == root else FALSE
    return FALSE if _verdict(executed, history.end) == FALSE else UNKNOWN


def _view(court: CourtState, claim: Claim, executed: ExecutedEpoch | None, root: bytes | None, now: int) -> DisputeView:
    terms, period = court.terms, court.terms.challenge_period
    sides = [
        Side(
            _hex(history.root),
            _hex(history.owner),
            _hex(history.end),
            history.state.value,
            _side_verdict(history, executed, root),
            0 if history.state.value == "paid" else terms.bond,
        )
        for history in claim.histories.values()
    ]
    expected, due = _expected(claim, executed, period)
    is_open = claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED)
    matches, standing = _choose_matches(claim, root), len(claim.standing())
    return DisputeView(
        key=_hex(claim.key),
        epoch=claim.epoch,
        round=claim.round,
        state=claim.state.value,
        claimant=_hex(claim.claimant),
        claimed_end=_hex(claim.end),
        verdict=_verdict(executed, claim.end),
        expected=_hex(expected) if expected else "",
        installable_in=max(due - now, 0),
        join_in=max(claim.claimed_at + period - now, 0) if is_open else 0,
        at_stake=sum(side.bond for side in sides) + terms.stake_reward,
        sides=sides,
        matches=[_pairing(claim, match, root, now, period) for match in matches],
        idle_matches=standing * (standing - 1) // 2 - len(matches),
    )


def _choose_matches(claim: Claim, root: bytes | None) -> list[Match]:
    """What is shown of the pairs, which are the square of the histories: in the order of joins."""
    found = {(match.earlier, match.later): match for match in claim.turns()}
    if root is not None and claim.is_standing(root):
        found |= {(match.earlier, match.later): match for match in claim.matches_of(root)}
    joined = {history.root: history.join_order for history in claim.histories.values()}
    return sorted(found.values(), key=lambda match: (joined[match.earlier], joined[match.later]))


def _expected(claim: Claim, executed: ExecutedEpoch | None, period: int) -> tuple[bytes | None, int]:
    """The end that will be installed if nobody who can still act errs, and from when on it can be."""
    due = claim.claimed_at + period
    if claim.state is ClaimState.INSTALLED:
        return claim.result, claim.changed_at
    if not claim.disputed_at:
        # Without a dispute what is claimed holds, true or not: a watcher who knows better still has to say so.
        return claim.end, due
    ends = claim.ends()
    end = next(iter(ends)) if len(ends) == 1 else None
    if executed is not None and executed.run.end in ends:
        end = executed.run.end
    return end, due if end == claim.end else max(due, claim.disputed_at + period)


def _pairing(claim: Claim, match: Match, root: bytes | None, now: int, period: int) -> Pairing:
    until = claim.disputed_at + 3 * period if match.is_sealed else claim.expiry(match, period)
    verdict = "one" if match.earlier == root else "other" if match.later == root else UNKNOWN
    return Pairing(
        _hex(match.earlier),
        _hex(match.later),
        match.level,
        "" if match.is_sealed else _hex(match.on_turn),
        until - now,
        verdict,
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
