"""A sequence in a file: the arena it was tried in, its moves as numbers and in words, what it came to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from setoff.deploy.simulation.market_lab.search.arena import Arena
from setoff.deploy.simulation.market_lab.search.attempt import Trial, prepare, try_moves
from setoff.deploy.simulation.market_lab.search.moves import from_json, to_json
from setoff.shared.errors import ConfigError


def describe(trial: Trial) -> Iterator[str]:
    """A line a move: what it is, and the outcome of its last record."""
    for move, outcome in zip(trial.moves, trial.outcomes, strict=True):
        yield f"{move.describe()}: {outcome}" if outcome else move.describe()


def write(path: Path, arena: Arena, trial: Trial) -> None:
    """As JSON."""
    body = {
        "weather": arena.weather,
        "quorum": arena.quorum,
        "terms": dict(arena.terms),
        "profit": trial.profit,
        "moves": to_json(trial.moves),
        "words": list(describe(trial)),
    }
    path.write_text(json.dumps(body, indent=2) + "\n")


def replay(path: Path) -> tuple[Trial, int]:
    """Try it again, and the profit that the file tells of. Raises ConfigError on a file that is none."""
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        arena = prepare(body["weather"], quorum=body["quorum"], **body["terms"])
        return try_moves(arena, from_json(body["moves"])), int(body["profit"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("bad_config", f"{path} is no replay: {error}") from None
