"""`setoff operator`: an exchange as two processes, the sequencer (orders to receipts) and the publisher (to L1)."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial

from setoff.deploy.cli import settings
from setoff.deploy.cli.exit_codes import WRONG_USE
from setoff.deploy.devnet.process import end_with_parent
from setoff.operator.api.address import check_free
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.backoff import Backoff
from setoff.shared.errors import ConfigError, StateError


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load_service(arguments, OperatorSettings)
    if arguments.part == "sequencer":
        from setoff.operator.api.service import run_sequencer

        run_sequencer(loaded)
    elif arguments.part == "publisher":
        from setoff.operator.publisher.publisher import run_publisher

        run_publisher(loaded)
    else:
        return run_both(arguments, loaded)
    return 0


class Part:
    """One of the two processes, started again when it ends by itself. It ends with this process, even if that is
    killed."""

    def __init__(self, name: str, options: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._environment = environment
        self._command = [sys.executable, "-m", "setoff.deploy.cli", "operator", name, *options]
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None

    def tend(self) -> None:
        """Start it if it does not run and it is time. Raises StateError if it could not start at all."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            pause = self._backoff.has_ended()
            if code > 0 and not self._backoff.restarts and not self._backoff.was_steady:
                what = f"the {self.name} could not start, see above; nothing runs any more"
                raise ConfigError("bad_config", what) if code == WRONG_USE else StateError("not_ready", what)
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            print(f"setoff: the {self.name} {how}; it is started again in {pause:.1f} s", file=sys.stderr, flush=True)
        if self._backoff.is_due:
            parent = partial(end_with_parent, os.getpid())
            self._process = subprocess.Popen(self._command, env=self._environment, preexec_fn=parent)
            self._backoff.has_started()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> None:
        """Until it has ended."""
        if self._process is not None:
            self._process.wait()


def run_both(arguments: argparse.Namespace, loaded: OperatorSettings) -> int:
    """Run both parts as processes until a signal comes; raises StateError if one of them cannot start."""
    # What either part would complain of is told once, before they start.
    loaded.load_deployment()
    loaded.private_key()
    check_free(*loaded.address)  # before the publisher pays a bond for an operator that cannot serve
    file = settings.get_file(arguments)
    options = [f"--config={file}"] if file else []
    given = settings.get_given(arguments)
    environment = dict(os.environ)
    if "key" in given:  # never where others see it, among the words of a command
        environment[OperatorSettings.get_variable("key")] = given.pop("key")
    options += [f"--set={name}={value}" for name, value in given.items()]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parts = [Part(name, options, environment) for name in ("sequencer", "publisher")]
    try:
        while True:
            for part in parts:
                part.tend()
            if stop.wait(0.2):
                return 0
    finally:
        for part in parts:
            part.ask_to_stop()
        for part in parts:
            part.wait()
