"""The web console in a real Chromium: the scenarios of `tests/e2e/console/`, driven by playwright-core."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

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
    program, folder = find_chromium(), find_console()
    command = [str(folder / "node"), str(SCENARIOS / f"{name}.mjs"), str(folder), program, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told
