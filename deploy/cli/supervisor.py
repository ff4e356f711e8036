"""Processes under one supervisor: started one after the other, started again when they end, stopped in good order.

A process counts as started when it says so (`shared/config/readiness.py`); the next one is started then. One that
complains and ends before it has ever served ends everything: somebody has to mend that. Every end is said. They all end
with this process, even if that is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from setoff.deploy.cli.exit_codes import WRONG_USE
from setoff.deploy.devnet.process import end_with_parent
from setoff.shared.config import readiness
from setoff.shared.config.backoff import Backoff
from setoff.shared.config.readiness import Ear
from setoff.shared.errors import ConfigError, StateError

log = logging.getLogger(__name__)

GRACE: Final = 30.0
"""Seconds that a process has to stop: to answer what is on its way, and to write what it has."""
LOOK: Final = 0.1
"""Seconds between two looks."""


class Part:
    """One of the processes."""

    def __init__(self, name: str, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """`setoff` with these words; `folder`: for a socket of its own."""
        self.name = name
        self._command = [sys.executable, "-m", "setoff.deploy.cli", *words]
        self._ear = Ear(folder, name)
        self._environment = dict(environment)
        self._ear.name_in(self._environment)
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._has_served = False

    @property
    def is_serving(self) -> bool:
        """Whether it has said that it serves, since it was started last."""
        if self._process is not None and self._ear.listen():
            self._has_served = True
            return True
        return False

    def tend(self) -> None:
        """Start it if it does not run and it is time. Raises ConfigError or StateError if it could not start at all."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            is_new = not self.is_serving and not self._has_served
            self._process = None
            pause = self._backoff.has_ended()
            if code > 0 and is_new and not self._backoff.restarts:
                what = f"the {self.name} could not start, see above; nothing runs any more"
                raise ConfigError("bad_config", what) if code == WRONG_USE else StateError("not_ready", what)
            say(f"the {self.name} {describe_end(code)}; it is started again in {pause:.1f} s")
        if self._backoff.is_due:
            self._ear.forget()
            parent = partial(end_with_parent, os.getpid())
            self._process = subprocess.Popen(self._command, env=self._environment, preexec_fn=parent)
            self._backoff.has_started()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Until it has ended; at `deadline` (monotonic seconds) that is forced. Says how it ended."""
        if self._process is not None:
            try:
                code = self._process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                say(f"the {self.name} does not stop: it is killed")
                self._process.kill()
                code = self._process.wait()
            is_stopped = code in (0, -signal.SIGTERM)  # the latter where it had hardly begun
            say(f"the {self.name} {'has stopped' if is_stopped else describe_end(code)}")
            self._process = None
        self._ear.close()


class Supervisor:
    """Runs parts until a signal comes. A context manager: what was started is stopped, whatever happens."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="setoff-")
        """For the sockets of the parts."""
        self.parts: list[Part] = []
        self._stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())

    def add(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Start one more, and wait until it serves; the others are tended meanwhile. Returns whether it does: else the
        signal has come. Raises ConfigError or StateError if it cannot start."""
        part = Part(name, words, environment, Path(self.folder.name))
        self.parts.append(part)
        while not part.is_serving:
            self._tend()
            if self._stop.wait(LOOK):
                return False
        return True

    def run(self) -> None:
        """Tend all until the signal comes."""
        readiness.tell(readiness.READY)
        while not self._stop.wait(LOOK):
            self._tend()

    def _tend(self) -> None:
        for part in self.parts:
            part.tend()

    def stop(self) -> None:
        """Stop all: the last one first, since it uses what was there before it."""
        readiness.tell(readiness.STOPPING)
        deadline = time.monotonic() + GRACE
        for part in reversed(self.parts):
            part.ask_to_stop()
            part.wait(deadline)
        self.folder.cleanup()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def describe_end(code: int) -> str:
    """How a process has ended."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def say(text: str) -> None:
    """A line of the log."""
    log.warning("%s", text)
