"""A development chain, whatever node runs it: a process that is started and stopped from here.

The chain lives in memory and in a temporary folder, both gone with it; on Linux the process dies with the thread that
started it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from setoff.deploy.devnet.process import end_with_parent
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1


class Chain(ABC):
    """A running chain with funded accounts; a context manager that stops it."""

    def __init__(
        self,
        command: Sequence[str],
        folder: tempfile.TemporaryDirectory[str],
        ready: str,
        *,
        keys: Sequence[bytes],
        chain_id: int,
        seconds: int,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Starts `command`, and waits for at most `seconds` until it prints `ready`, a regular expression whose group
        is the port. `folder` is removed in the end; `keys` are the funded accounts' secrets.

        Raises ConfigError if the chain does not come up.
        """
        self._folder = folder
        self._keys = keys
        self._chain_id = chain_id
        self._log = Path(folder.name) / "node.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=None if environment is None else {**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
            )
        try:
            self.port = self._find_port(ready, seconds)
        except BaseException:
            Chain.stop(self)
            raise
        self.url = f"http://127.0.0.1:{self.port}"
        self.l1 = L1(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def connect(self, account: int, **options: Any) -> L1:
        """A connection with the key of the funded account number `account`; `options` as for `L1`."""
        return L1(self.url, self._keys[account], chain_id=self._chain_id, **options)

    @abstractmethod
    def mine(self, blocks: int = 1) -> None:
        """Make blocks now."""

    @abstractmethod
    def advance(self, seconds: int) -> None:
        """Make a block `seconds` after the last one; the clock goes on from there."""

    def stop(self) -> None:
        """End the process and remove what it wrote; more than once does no harm."""
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(OSError):
            self._folder.cleanup()

    def _find_port(self, ready: str, seconds: int) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            output = self._log.read_text(errors="replace")
            if found := re.search(ready, output):
                return int(found[1])
            if not self.is_running:
                reason = "port_taken" if "in use" in output else "bad_config"
                raise ConfigError(reason, f"the node ended at once: {output.strip()[-300:]}")
            time.sleep(0.01)
        raise ConfigError("bad_config", f"the node did not start within {seconds} s")
