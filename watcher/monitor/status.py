"""How the processes of a watcher are, for people."""

from __future__ import annotations

from setoff.watcher.pulse import ProcessStatus


def describe_status(statuses: list[ProcessStatus]) -> str:
    """For people: a line a process."""
    lines = []
    for status in statuses:
        state = "alive" if status.is_alive else f"silent for {status.age:.0f} s"
        facts = "  ".join(f"{name} {value}" for name, value in status.facts.items() if name not in ("pid", "host"))
        lines.append(f"{status.process:<24} {state:<20} {facts}".rstrip())
    return "\n".join(lines)
