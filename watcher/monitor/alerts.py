"""What somebody should look at: the one form in which the monitor says so, and when there is reason to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from setoff.shared.dispute.game import Claim, ClaimState, CourtState
from setoff.shared.dispute.strategy import is_contradicted
from setoff.shared.dispute.trace_provider import Epochs, ExecutedEpoch
from setoff.shared.l1.succession import Successor
from setoff.watcher.chain.withheld import ALARM_PART, WithheldBatch
from setoff.watcher.liveness.presence import Presence

WARNING: Final = "warning"
CRITICAL: Final = "critical"


PATIENT_PART: Final = 4
"""That a claim cannot be judged is said when one part in so many of the challenge period is gone."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at."""

    level: str
    """"warning" or "critical"."""
    key: str
    """Of the claim that it is about, as 0x-string; "" if it is about none."""
    text: str


def alert_succession(successor: Successor, now: int) -> Alert:
    """That there will be other rules: a watcher goes on, with this version, until all money has left."""
    return Alert(
        WARNING,
        "",
        f"{successor.describe(now)}: its watchers need the version made for its rules; this one is needed here until "
        "all withdrawals are paid",
    )


def alert_withheld(withheld: Sequence[WithheldBatch], period: int, now: int) -> Iterator[Alert]:
    """One of each; critical when half of the challenge period is gone."""
    for each in withheld:
        left = each.disputable_until - now
        level = CRITICAL if left * ALARM_PART <= period else WARNING
        what = f"the data of batch {each.batch} ({each.data_root}) is withheld for {now - each.since} s"
        if not each.claimed_at:
            fate = "is not claimed yet" + (f"; no claim of it is final before {left} s from now" if left > 0 else "")
        else:
            fate = f"is claimed: a dispute can begin for {left} s more" if left > 0 else "is claimed, past all dispute"
        yield Alert(level, "", f"{what}; epoch {each.epoch} {fate}")


def alert_presence(presence: Presence, now: int) -> Iterator[Alert]:
    """What there is to say of it, nothing if the operator is there."""
    silent = f"the operator has posted nothing for {presence.silent_for} s"
    waiting = f"{presence.waiting} messages wait"
    left = presence.ends_at - now
    end = f"it can be ended in {left} s" if left > 0 else "it can be ended for good"
    match presence.state:
        case "winding down":
            since = now - presence.winding_since
            yield Alert(CRITICAL, "", f"the exchange winds down for {since} s: take out what is yours; {waiting}")
        case "open":
            yield Alert(CRITICAL, "", f"{silent}: for {now - presence.opens_at} s anybody may post; {end}; {waiting}")
        case "slow":
            yield Alert(CRITICAL, "", f"the operator completes no epoch: for {now - presence.opens_at} s anybody may "
                        f"post, so that it can be claimed; {waiting}")  # fmt: skip
        case "late":
            yield Alert(WARNING, "", f"{silent}; in {presence.opens_in} s anybody may post; {waiting}")


def alert_claim(
    court: CourtState, claim: Claim, executed: ExecutedEpoch, root: bytes | None, now: int, low: int
) -> Iterator[Alert]:
    """What there is to say of a claim, by our own execution; `root`: of the true history, None while it is not known;
    `low`: seconds below which an honest clock is an alert.
    """
    period, key, name = court.terms.challenge_period, "0x" + claim.key.hex(), f"epoch {claim.epoch}"
    if court.is_false_start(claim):
        return
    if claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED):
        deadline = claim.join_deadline(executed.run.end, period)
        stands = root is not None and root in claim.histories
        if deadline is not None and not stands:
            left = deadline - now
            if left <= 0:
                yield Alert(CRITICAL, key, f"{name}: nobody stood for the truth in time")
            elif left < low:
                yield Alert(CRITICAL, key, f"{name}: {left} s left to join for the truth, and nobody has")
            elif claim.end != executed.run.end:
                yield Alert(WARNING, key, f"{name}: a false end is claimed and nobody disputes it yet, {left} s left")
    if root is None or not claim.is_standing(root):
        if root is not None and root in claim.histories and claim.histories[root].was_eliminated:
            yield Alert(CRITICAL, key, f"{name}: the true history is out")
        return
    for match in claim.matches_of(root):
        if match.is_sealed or match.on_turn != root:
            continue
        left = claim.expiry(match, period) - now
        if left < low:
            level = CRITICAL if left <= low // 2 else WARNING
            yield Alert(level, key, f"{name}: the true history has {left} s left against 0x{match.waiting.hex()[:8]}")


def alert_unknown(court: CourtState, claim: Claim, now: int) -> Iterator[Alert]:
    """That nobody here can say whether a claim is true, louder as the time to dispute it runs out."""
    period = court.terms.challenge_period
    deadline = claim.join_deadline(b"", period)
    if court.is_false_start(claim) or claim.state not in (ClaimState.CLAIMED, ClaimState.DISPUTED) or deadline is None:
        return
    left = deadline - now
    if (period - left) * PATIENT_PART < period:
        return  # it takes a while to execute what was posted
    level = CRITICAL if left * ALARM_PART <= period else WARNING
    text = f"epoch {claim.epoch}: it is not known here whether what is claimed is true"
    until = f"it can be disputed for {left} s more" if left > 0 else "it cannot be disputed any more"
    yield Alert(level, "0x" + claim.key.hex(), f"{text}, and {until}")


def alert_contradiction(court: CourtState, epochs: Epochs) -> Iterator[Alert]:
    """That L1 has confirmed what is not true."""
    if is_contradicted(court, epochs):
        yield Alert(CRITICAL, "", f"L1 has confirmed a start of epoch {court.confirmed} that is not the true one")
