"""`setoff operator`: an exchange as two processes, the sequencer (orders to receipts) and the publisher (to L1)."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from functools import partial

from setoff.deploy.cli import settings
from setoff.deploy.devnet.process import end_with_parent
from setoff.operator.settings import OperatorSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """The two processes, and both at once."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, purpose in (
        ("run", "both processes, until SIGTERM or SIGINT"),
        ("sequencer", "the API, the order of records, their durable log, and signed receipts for them"),
        ("publisher", "posts batches to L1, claims what they end at, defends its claims; puts up the receipt bond"),
    ):
        part = parts.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        settings.add_arguments(part, OperatorSettings)


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load(arguments, OperatorSettings)
    if arguments.part == "sequencer":
        from setoff.operator.api.service import run_sequencer

        run_sequencer(loaded)
    elif arguments.part == "publisher":
        from setoff.operator.publisher.publisher import run_publisher

        run_publisher(loaded)
    else:
        return run_both(arguments, loaded)
    return 0


def run_both(arguments: argparse.Namespace, loaded: OperatorSettings) -> int:
    """Run both parts as processes until a signal comes, or one of them ends: then the other is ended, too.

    Both end with this process, even if it is killed.
    """
    # What either part would complain of is told once, before they start.
    loaded.load_deployment()
    loaded.private_key()
    options = [f"--config={arguments.config}"] if arguments.config else []
    options += [f"--set={override}" for override in arguments.overrides]
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", "setoff.deploy.cli", "operator", part, *options],
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
        for part in ("sequencer", "publisher")
    ]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.2) and all(part.poll() is None for part in parts):
        pass
    ended = [part for part in parts if part.poll() is not None]
    for part in parts:
        if part.poll() is None:
            part.terminate()
    for part in parts:
        part.wait()
    return 1 if ended and not stop.is_set() else 0
