"""Finding and running scenarios of either kind."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.script import Script
from setoff.shared.errors import ConfigError

SHIPPED: Final = Path(__file__).resolve().parents[3] / "tests" / "adversarial" / "scenarios"
"""Where the scenarios are that come with the source."""


def find_scenarios(folder: Path = SHIPPED) -> Iterator[Path]:
    """The scenario files of a folder, by name."""
    yield from sorted(folder.glob("*.toml"))


def find_scenario(text: str) -> Path:
    """A file, or the name of a scenario that comes with the source. Raises ConfigError."""
    for path in (Path(text), SHIPPED / f"{text}.toml"):
        if path.is_file():
            return path
    raise ConfigError("bad_config", f"there is no scenario {text}; `setoff scenario list` shows those that come along")


def play_scenario(script: Script, console: Console, folder: Path) -> Report:
    """Run it; `folder` keeps logs and state, and the report as `report.json`. Raises SetoffError if it cannot run."""
    folder.mkdir(parents=True, exist_ok=True)
    with _logging_to(folder / "players.log"):
        report = _play(script, console, folder)
    (folder / "report.json").write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    return report


def _play(script: Script, console: Console, folder: Path) -> Report:
    if script.kind == "court":
        from setoff.deploy.simulation.scenario.court import play_court

        return play_court(script, console, folder)
    from setoff.deploy.simulation.scenario.exchange import play_exchange

    return play_exchange(script, console, folder)


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """What the players have to say, liars among them, goes to a file and not between the lines of the console."""
    logger, handler = logging.getLogger("setoff"), logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(name)s: %(message)s"))
    before = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate, logger.level = False, logging.INFO
    try:
        yield
    finally:
        logger.propagate, logger.level = before
        logger.removeHandler(handler)
        handler.close()
