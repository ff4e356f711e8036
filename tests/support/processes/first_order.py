"""The page of a first order, typed as it stands there, and how long each line took."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

from tests.support.processes.terminal import ROOT, Terminal
from tests.support.waiting import wait_until

PAGE: Final = ROOT / "deploy" / "devnet" / "FIRST_ORDER.md"
COMMAND: Final = "deploy/run setoff"
"""How the page calls it."""
IS_THERE: Final = "In another terminal"
"""What a devnet says once all of it runs."""


class FirstOrder:
    """`took`: seconds, by what was typed, in order. `said`: what it answered."""

    def __init__(self, terminal: Terminal, folder: Path) -> None:
        """`folder`: another one than is written, and other ports: nothing else is changed."""
        self._terminal = terminal
        self._folder = folder
        self.took: dict[str, float] = {}
        self.said: dict[str, str] = {}
        self._first, *self._typed = re.findall(r"^\$ (.*)$", PAGE.read_text(), re.MULTILINE)

    def start_devnet(self) -> None:
        """The first line, which stays; until all of it runs."""
        begun = time.monotonic()
        self._terminal.environment |= {"SETOFF_OPERATOR_LISTEN": "127.0.0.1:0"}
        line = self._first.replace("--dir devnet", f"--dir {self._folder} --port 0")
        guide = self._terminal.leave_running(line)
        wait_until(lambda: IS_THERE in guide.read_text(), 120, what=guide.read_text)
        self.took[self._first] = time.monotonic() - begun

    def type(self, command: str = COMMAND, until: str = "") -> None:
        """The rest, to its end or to the first line with `until` in it, by another `command` if one is named."""
        exports = ""
        for written in self._typed:
            line = written.replace("devnet/", f"{self._folder}/").replace(COMMAND, command)
            if line.startswith((". ", "export ")):
                exports += f"{line}; "
                continue
            begun = time.monotonic()
            self.said[written] = self._terminal.type(exports + line)
            self.took[written] = time.monotonic() - begun
            if until and until in written:
                return

    def describe(self) -> str:
        """How long each part took, and all of it, for people."""
        lines = [f"{seconds:8.1f} s  {line}" for line, seconds in self.took.items()]
        return "\n".join([*lines, f"{sum(self.took.values()):8.1f} s  all of it"])
