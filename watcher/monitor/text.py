"""The disputes as text, for people."""

from __future__ import annotations

from setoff.watcher.liveness.presence import Presence
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.monitor.narrative import narrate


def to_text(overview: Overview) -> str:
    """For people."""
    unknown = (
        ""
        if overview.knows
        else "; without our own execution nothing is said about who is right (REDIS_URL names a watcher's store)"
    )
    lines = [
        f"block {overview.block}, {overview.confirmed} epochs confirmed, {len(overview.disputes)} claims open{unknown}"
    ]
    if overview.operator:
        lines.append(describe_presence(overview.operator))
    for dispute in overview.disputes:
        if words := narrate(dispute, overview.operator_address, overview.account):
            lines.append(words)
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
        if dispute.idle_matches:
            lines.append(f"    and {dispute.idle_matches} matches between others in which nobody has moved")
    lines += [f"{alert.level.upper()}: {alert.text}" for alert in overview.alerts]
    return "\n".join(lines)


def _short(text: str) -> str:
    return text[:10]


def describe_presence(presence: Presence) -> str:
    """For people: one line."""
    opens = f"in {presence.opens_in} s" if presence.opens_in else f"since {presence.opens_at}"
    winding = f", winding down since {presence.winding_since}" if presence.winding_since else ""
    return (
        f"operator {presence.state}: posted {presence.silent_for} s ago, anybody may post {opens}, "
        f"end the exchange from {presence.ends_at} on{winding}; {presence.waiting} messages wait"
    )
