"""The web console in a real Chromium: the scenarios of `tests/e2e/console/`, driven by playwright-core."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
SCENARIOS: Final = ROOT / "tests" / "e2e" / "console"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
SECONDS: Final = 120


@lru_cache(maxsize=1)
def find_console() -> Path:
    """The folder that the console was built in, with a Node (`node`); built first where it was not."""
    found = subprocess.run([str(ROOT / "deploy" / "run"), "console-path"], capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr[-2000:]
    return Path(found.stdout.strip()).parent


def find_chromium() -> str:
    """The program; the test is skipped where the machine has none."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    pytest.skip(f"this machine has no Chromium ({', '.join(PROGRAMS)}): the console was not tried in a browser")


def play(name: str, *words: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Play a scenario to its end; what it told."""
    with start(name, *words) as scenario:
        return scenario.finish(seconds)


class Scenario:
    """One that is played; `said` is its standard error, a line each time it wants to be known how far it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self._process = process
        self.said: IO[str] = process.stderr

    def finish(self, seconds: float) -> dict[str, Any]:
        """Wait until it is over; what it told."""
        output, errors = self._process.communicate(timeout=seconds)
        assert self._process.returncode == 0, errors[-3000:]
        told: dict[str, Any] = json.loads(output)
        return told


@contextmanager
def start(name: str, *words: str) -> Iterator[Scenario]:
    """Begin a scenario, and go on beside it."""
    program, folder = find_chromium(), find_console()
    command = [str(folder / "node"), str(SCENARIOS / f"{name}.mjs"), str(folder), program, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Scenario(process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(10)
