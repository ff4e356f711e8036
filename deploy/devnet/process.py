"""An OS process of ours: its own log, its own process group, ended with its starter whatever happens to that."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from setoff.shared.errors import StateError

PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2): the signal that this process gets when its parent ends."""
TAIL: Final = 2000
"""Characters of a log that an error quotes."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Process:
    """`setoff` with these words, in an environment of its own. Raises nothing; `check` tells whether it still runs."""

    def __init__(self, name: str, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [sys.executable, "-m", "setoff.deploy.cli", *words]
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._begin = 0  # of this start's output in the log

    def start(self) -> None:
        """Start it (again); its output is added to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._begin = output.tell()
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt is for the starter, who then stops this one
                preexec_fn=partial(end_with_parent, os.getpid()),
            )

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its number, None while it does not run."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def code(self) -> int | None:
        """Its exit code, None while there is none."""
        return None if self._process is None else self._process.poll()

    def check(self) -> None:
        """Raises StateError, with the end of the log, if it is not running."""
        if not self.is_running:
            code = self._process.returncode if self._process else "never started"
            raise StateError("not_ready", f"{self.name} has ended ({code}); {self.log} ends with:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-TAIL:].strip() if self.log.exists() else ""

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """The rest of the first line since its start that begins with `text`. Raises StateError if none comes."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.log.read_bytes()[self._begin :].decode(errors="replace").splitlines():
                if line.startswith(text):
                    return line.removeprefix(text).strip()
            self.check()
            time.sleep(0.05)
        raise StateError("not_ready", f"{self.name} did not start in {timeout:.0f} s; {self.log} says:\n{self.tail()}")

    def ask_to_end(self) -> None:
        """Send SIGTERM, without waiting."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """End it and its children at once (SIGKILL)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, timeout: float = 8.0) -> None:
        """End it in good order, or after `timeout` seconds at once."""
        self.ask_to_end()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()


def end_with_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> None:
    """For `preexec_fn`, in a child of the process `parent`: on Linux the kernel sends it this signal when the thread
    that started it is gone, even if that was killed."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it was gone before the kernel knew
            os._exit(1)
