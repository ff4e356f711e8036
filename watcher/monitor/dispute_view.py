"""The disputes that are on: who stands, whose turn it is, how much time is left, what is at stake, what will come of
it.

All of it follows from the court's events. What a watcher has executed itself adds which of the sides is the true one;
what it could not get adds the batches whose data is withheld. Beside that stands whether the operator is there at all.
Times are seconds, money is wei.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from setoff.shared.dispute.game import Claim, ClaimState, CourtState, HistoryCommitment, Match
from setoff.shared.dispute.trace_provider import Epochs, ExecutedEpoch
from setoff.shared.errors import SetoffError
from setoff.watcher.chain.withheld import WithheldBatch, alert_withheld
from setoff.watcher.liveness.presence import Presence, alert_presence, describe_presence
from setoff.watcher.monitor.alerts import Alert

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
        executed = _executed(epochs, claim)
        overview.disputes.append(_view(court, claim, executed, now))
        overview.alerts += _alerts(court, claim, executed, now, low)
    overview.alerts += _contradiction(court, epochs)
    return overview


def _executed(epochs: Epochs | None, claim: Claim) -> ExecutedEpoch | None:
    """Our own run of the claim's epoch, if it is about the same batches and start."""
    executed = epochs.executed(claim.epoch) if epochs else None
    if executed is None or executed.epoch_hash != claim.epoch_hash or executed.run.start_hash != claim.start:
        return None
    return executed


def _true_root(claim: Claim, executed: ExecutedEpoch | None) -> bytes | None:
    """Root of the true history, None if it is not known (yet)."""
    if executed is None or not claim.histories:
        return None
    try:
        return executed.run.root
    except SetoffError:
        return None


def _verdict(executed: ExecutedEpoch | None, end: bytes) -> str:
    return UNKNOWN if executed is None else TRUE if executed.run.end == end else FALSE


def _side_verdict(history: HistoryCommitment, executed: ExecutedEpoch | None, root: bytes | None) -> str:
    if root is not None:
        return TRUE if history.root == root else FALSE
    return FALSE if _verdict(executed, history.end) == FALSE else UNKNOWN


def _view(court: CourtState, claim: Claim, executed: ExecutedEpoch | None, now: int) -> DisputeView:
    terms, period = court.terms, court.terms.challenge_period
    root = _true_root(claim, executed)
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
        matches=[_pairing(claim, match, root, now, period) for match in _matches(claim)],
    )


def _expected(claim: Claim, executed: ExecutedEpoch | None, period: int) -> tuple[bytes | None, int]:
    """The end that will be installed if nobody who can still act errs, and from when on it can be."""
    due = claim.claimed_at + period
    if claim.state is ClaimState.INSTALLED:
        return claim.result, claim.changed_at
    if not claim.disputed_at:
        # Without a dispute what is claimed holds, true or not: a watcher who knows better still has to say so.
        return claim.end, due
    ends = claim.ends()
    end = (
        executed.run.end
        if executed is not None and executed.run.end in ends
        else next(iter(ends))
        if len(ends) == 1
        else None
    )
    return end, due if end == claim.end else max(due, claim.disputed_at + period)


def _matches(claim: Claim) -> Iterator[Match]:
    """Every match of the dispute; none of a claim whose end is fixed and paid."""
    standing = sorted(claim.standing(), key=lambda history: history.join_order)
    for number, one in enumerate(standing):
        for other in standing[number + 1 :]:
            yield claim.match(one.root, other.root)


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


def _alerts(court: CourtState, claim: Claim, executed: ExecutedEpoch | None, now: int, low: int) -> Iterator[Alert]:
    period, key = court.terms.challenge_period, _hex(claim.key)
    if executed is None or court.is_false_start(claim):
        return
    root, name = _true_root(claim, executed), f"epoch {claim.epoch}"
    if claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED):
        deadline = claim.join_deadline(executed.run.end, period)
        stands = root is not None and root in claim.histories
        if deadline is not None and not stands:
            left = deadline - now
            if left <= 0:
                yield Alert("critical", key, f"{name}: nobody stood for the truth in time")
            elif left < low:
                yield Alert("critical", key, f"{name}: {left} s left to join for the truth, and nobody has")
            elif claim.end != executed.run.end:
                yield Alert("warning", key, f"{name}: a false end is claimed and nobody disputes it yet, {left} s left")
    if root is None or not claim.is_standing(root):
        if root is not None and root in claim.histories and claim.histories[root].was_eliminated:
            yield Alert("critical", key, f"{name}: the true history is out")
        return
    for match in _matches(claim):
        if match.is_sealed or match.on_turn != root:
            continue
        left = claim.expiry(match, period) - now
        if left < low:
            level = "critical" if left <= low // 2 else "warning"
            yield Alert(level, key, f"{name}: the true history has {left} s left against {_hex(match.waiting)[:10]}")


def _contradiction(court: CourtState, epochs: Epochs | None) -> Iterator[Alert]:
    executed = epochs.executed(court.confirmed) if epochs else None
    if executed is not None and executed.run.start_hash != court.start_of[court.confirmed]:
        yield Alert("critical", "", f"L1 has confirmed a start of epoch {court.confirmed} that is not the true one")


# --- as text ---------------------------------------------------------------------------------------------------------


def to_text(overview: Overview) -> str:
    """For people."""
    unknown = "" if overview.knows else "; without our own execution nothing is said about who is right"
    lines = [
        f"block {overview.block}, {overview.confirmed} epochs confirmed, {len(overview.disputes)} claims open{unknown}"
    ]
    if overview.operator:
        lines.append(describe_presence(overview.operator))
    for dispute in overview.disputes:
        claim = f"{_short(dispute.claimant)} claims {_short(dispute.claimed_end)} ({dispute.verdict})"
        future = f"{_short(dispute.expected)} in {dispute.installable_in} s" if dispute.expected else "open"
        lines.append(
            f"epoch {dispute.epoch} {dispute.state}: {claim}; {future}; {dispute.at_stake / 10**18:g} ETH at stake"
        )
        lines += [
            f"    {_short(side.root)} of {_short(side.owner)}: {side.state}, {side.verdict}" for side in dispute.sides
        ]
        for match in dispute.matches:
            turn = f"{_short(match.on_turn)} on turn" if match.on_turn else "sealed, a proof decides"
            pair = f"{_short(match.one)} against {_short(match.other)}"
            lines.append(f"    {pair}: level {match.level}, {turn}, {match.time_left} s")
    lines += [f"{alert.level.upper()}: {alert.text}" for alert in overview.alerts]
    return "\n".join(lines)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _short(text: str) -> str:
    return text[:10]
