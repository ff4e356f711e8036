"""A shell for tests that type what a page tells, with its environment, and what was left running there."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Terminal:
    """A shell's environment, and what was left running there."""

    def __init__(self, folder: Path, place: Path) -> None:
        """`folder`: for what it needs itself; `place`: where it is typed."""
        self._folder, self._place = folder, place
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SETOFF_KEY")}
        self._running: list[subprocess.Popen[bytes]] = []

    def type(self, line: str, seconds: float = 90) -> str:
        """Run it to its end, and return what it says; what needs that something has started is typed again a while."""
        said = ""

        def is_done() -> bool:
            nonlocal said
            words = ["bash", "-c", line]
            done = subprocess.run(
                words, cwd=self._place, env=self.environment, capture_output=True, text=True, timeout=200
            )
            said = f"{line}: {done.stdout}{done.stderr}"
            return done.returncode == 0

        wait_until(is_done, seconds, what=lambda: said)
        return said

    def leave_running(self, line: str) -> Path:
        """Start it; the file that has its output."""
        log = self._folder / f"{len(self._running)}.log"
        with log.open("wb") as output:
            words = ["bash", "-c", f"exec env {line}"]
            self._running.append(
                subprocess.Popen(
                    words, cwd=self._place, env=self.environment, stdout=output, stderr=output, start_new_session=True
                )
            )
        return log

    def close(self) -> None:
        """Interrupt what runs, the newest first."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def open_terminal(folder: Path, place: Path = ROOT) -> Iterator[Terminal]:
    """Typed at `place`; what is left running ends with it."""
    terminal = Terminal(folder, place)
    try:
        yield terminal
    finally:
        terminal.close()
