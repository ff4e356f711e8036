"""How the operator's processes are, and what somebody has to look at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from setoff.operator.pulse import TOLD_AT
from setoff.shared.config.pulse import OWN, ProcessStatus, describe_clock
from setoff.shared.params import ETHER

NEEDED: Final = ("sequencer", "publisher")
"""What every operator has running."""
TIMES: Final = frozenset({"l1_time", "machine_time", "paced_until", "winding_since"})
SECONDS: Final = frozenset({"silent_for", "opens_in", "commit_seconds"})
LONGEST: Final = 120.0
PATIENCE: Final = {"sequencer": 10.0, "publisher": LONGEST}
"""Seconds for which a process may be at one thing: the publisher waits for L1, and builds what a dispute asks for."""
HIDDEN: Final = frozenset({
    "pid", "host", OWN, TOLD_AT, "clock", "obstacle", "error", "acknowledging", "spending", "batches", "lag",
})  # fmt: skip
"""Facts that are for programs, or told as problems."""


def find_problems(statuses: Sequence[ProcessStatus], now: float | None = None) -> list[str]:
    """What somebody has to look at, in words; `now`: unix seconds."""
    now = time.time() if now is None else now
    found = [f"no {name} runs" for name in NEEDED if not any(each.process == name for each in statuses)]
    for status in statuses:
        name, facts = status.process, status.facts
        if not status.is_alive:
            found.append(f"the {name} is silent for {status.age:.0f} s")
            continue
        own = facts.get(OWN, now)  # by the clock of who told it
        still = own - facts.get(TOLD_AT, own)
        if still > PATIENCE.get(name, LONGEST) + status.age:
            found.append(f"the {name} lives, but does nothing for {still:.0f} s: it waits for L1, or is stuck")
        if obstacle := facts.get("obstacle"):
            found.append(f"no records are taken: {obstacle}")
        if error := facts.get("error"):
            found.append(f"the {name}: {error}")
        if clock := describe_clock(status):
            found.append(f"the {name}: {clock}")
        if facts.get("winding_since"):
            found.append(f"the exchange winds down, since {facts['winding_since']}")
        found += _find_lacks(facts)
    return found


def _find_lacks(facts: dict[str, Any]) -> list[str]:
    """What a publisher lacks."""
    found = []
    if facts.get("bond_stands") is False:
        found.append("the bond for receipts does not stand: `setoff receipts bond` says why")
    if facts.get("opens_in") == 0:
        found.append(f"anybody may post: the operator has posted nothing for {facts.get('silent_for')} s")
    if facts.get("balance_wei") == 0:
        found.append(f"{facts['account']} has no ether to post with")
    return found


def describe_status(statuses: Sequence[ProcessStatus]) -> list[str]:
    """For people: a block of lines a process."""
    lines = []
    for status in statuses:
        state = "alive" if status.is_alive else f"silent for {status.age:.0f} s"
        lines.append(f"{status.process}: {state}")
        for name, value in status.facts.items():
            if name not in HIDDEN and value not in ("", 0, None):
                lines.append(f"  {name.removesuffix('_wei').replace('_', ' '):<18} {format_fact(name, value)}")
    return lines


def format_fact(name: str, value: Any) -> str:
    """The value of a fact with its unit."""
    if name.endswith("_wei"):
        return f"{value / ETHER:.4f} ETH"
    if name in TIMES:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if name in SECONDS:
        return f"{value:g} s"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
