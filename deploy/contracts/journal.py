"""What a deployment that may be broken off has begun: a file beside the one that it writes in the end.

It says what was wished for, on which chain, and which transaction number each contract was given; what is there
already the chain itself says. So whoever begins again knows what is paid for.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import ConfigError

SUFFIX: Final = ".journal"
MOST_TOLD: Final = 4
"""Differences that a refusal names."""


@dataclass(slots=True)
class Journal:
    """Without a path it is kept in memory only."""

    path: Path | None
    wishes: dict[str, Any]
    """What the deployment is, flat, as JSON has it."""
    nonces: dict[str, int] = field(default_factory=dict)
    """Transaction number of each contract's creation."""
    start: int = 0
    """Number of the block after which everything was created."""

    @classmethod
    def open(cls, path: Path | None, wishes: dict[str, Any]) -> Self:
        """The journal that is there, or a new one. Raises ConfigError if it is of another deployment, or unreadable."""
        if path is None or not path.exists():
            return cls(path, wishes)
        advice = f"name another --out, or move {path} away to begin anew"
        try:
            found = json.loads(path.read_text())
            nonces = {str(name): int(nonce) for name, nonce in found["nonces"].items()}
            kept = cls(path, dict(found["wishes"]), nonces, int(found["start"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError("bad_config", f"{path} is no journal of a deployment ({error}): {advice}") from None
        other = [name for name in wishes if kept.wishes.get(name) != wishes[name]]
        if other:
            parts = [f"{name} {_show(kept.wishes.get(name))} there, {_show(wishes[name])} here" for name in other]
            parts[MOST_TOLD:] = [f"{len(parts) - MOST_TOLD} more"] if len(parts) > MOST_TOLD else []
            raise ConfigError("wrong_deployment", f"{path} is of another deployment: {'; '.join(parts)}: {advice}")
        return kept

    def save(self) -> None:
        """Write it down, on the disk itself, before anything is paid."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: value for name, value in asdict(self).items() if name != "path"}
        replace_file(self.path, json.dumps(content, indent=2) + "\n")
        for place in (self.path, self.path.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def find_journal(out: Path) -> Path:
    """The journal of the deployment that writes `out`."""
    return out.with_name(out.name + SUFFIX)


def _show(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 70 else text[:67] + "…"
