"""A dispute in words, for whoever is woken by it: who lied about what, who stands for the truth, how far it is and how
much time is left.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.machine.history import EPOCH
from setoff.watcher.monitor.dispute_view import FALSE, TRUE, UNKNOWN, DisputeView, Side

MINUTES: Final = 120
"""Seconds from which on times are told in minutes."""


def narrate(dispute: DisputeView, operator: str, account: str) -> str:
    """A sentence; `operator` and `account`, our own: addresses as 0x-strings, "" where they are not known.

    Empty for a true claim that nobody disputes.
    """
    who = "the operator" if dispute.claimant == operator else dispute.claimant[:10]
    if dispute.verdict == UNKNOWN:
        left = f"; {describe_time(dispute.join_in)} left to dispute it" if dispute.join_in > 0 else ""
        return f"whether {who} told the truth about epoch {dispute.epoch} is not known here{left}"
    if dispute.verdict == TRUE and dispute.state != "disputed":
        return ""
    said = "lied" if dispute.verdict == FALSE else "told the truth, and is disputed,"
    stands = next((side for side in dispute.sides if side.verdict == TRUE and side.state == "standing"), None)
    parts = [f"{who} {said} about epoch {dispute.epoch}", _describe_bond(stands, account)]
    if stands is None:
        if dispute.join_in > 0:
            parts.append(f"{describe_time(dispute.join_in)} left to join")
        return "; ".join(parts)
    return "; ".join([*parts, *_describe_matches(dispute, stands)])


def describe_time(seconds: int) -> str:
    """So much time, for people."""
    return f"{seconds // 60} minutes" if seconds >= MINUTES else f"{seconds} s"


def _describe_bond(side: Side | None, account: str) -> str:
    if side is None:
        return "nobody's bond is on the truth"
    return "our bond is on the truth" if side.owner == account else f"the bond of {side.owner[:10]} is on the truth"


def _describe_matches(dispute: DisputeView, true: Side) -> list[str]:
    """How far the matches of the true history are, and whose time runs."""
    matches = [match for match in dispute.matches if true.root in (match.one, match.other)]
    if not matches:
        return [f"no other end stands, it can be installed in {describe_time(dispute.installable_in)}"]
    level = min(match.level for match in matches)
    against = "" if len(matches) == 1 else f" in the slowest of {len(matches)} matches"
    parts = [f"{level} of {EPOCH.levels} moves made{against}"]
    ours = [match.time_left for match in matches if match.on_turn == true.root]
    if ours:
        parts.append(f"{describe_time(max(min(ours), 0))} left for the next of ours")
    elif any(match.on_turn for match in matches):
        left = max(match.time_left for match in matches if match.on_turn)
        parts.append(f"theirs is the turn, for {describe_time(max(left, 0))}")
    else:
        parts.append("a proof decides")
    return parts
