"""How the processes of a watcher are, for people."""

from __future__ import annotations

from typing import Final

from setoff.shared.config.pulse import OWN, describe_clock
from setoff.watcher.pulse import ProcessStatus

NEEDED: Final = ("supervisor", "follower", "worker", "server")
"""What every watcher has running, by the beginnings of their names."""


def describe_status(statuses: list[ProcessStatus]) -> str:
    """For people: a line a process."""
    lines = []
    for status in statuses:
        state = "alive" if status.is_alive else f"silent for {status.age:.0f} s"
        facts = "  ".join(
            f"{name} {value}"
            for name, value in status.facts.items()
            if name not in ("pid", "host", OWN) and value not in ([], "")
        )
        lines.append(f"{status.process:<24} {state:<20} {facts}".rstrip())
    return "\n".join(lines)


def find_problems(statuses: list[ProcessStatus]) -> list[str]:
    """What somebody has to look at: a process that is silent, missing, or says that something is wrong."""
    found = []
    for status in statuses:
        if not status.is_alive:
            found.append(f"{status.process} is silent for {status.age:.0f} s")
        if error := status.facts.get("error"):
            found.append(f"{status.process}: {error}")
        if clock := describe_clock(status):
            found.append(f"{status.process}: {clock}")
        if status.facts.get("alarm"):
            found.append(f"{status.process}: L1 has confirmed what is not true")
        found += [str(words) for words in status.facts.get("poisoned") or ()]
        found += [f"{status.process}: endpoint {complaint}" for complaint in status.facts.get("endpoints") or ()]
    for name in NEEDED:
        if not any(status.process.startswith(name) for status in statuses):
            found.append(f"no {name} runs")
    return found
