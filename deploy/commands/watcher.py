"""`setoff watcher`: re-executes what was posted, and disputes what is claimed falsely."""

from __future__ import annotations

import argparse

from setoff.deploy.commands import settings
from setoff.watcher.settings import WatcherSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """The whole watcher, more workers on other machines, and a look at how it is."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, purpose in (
        ("run", "follower, workers and challenger, until SIGTERM or SIGINT; without a key it only watches"),
        ("worker", "one more process that executes epochs, on any machine that reaches the watcher's Redis"),
        ("status", "how the processes of a watcher are"),
    ):
        part = parts.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        settings.add_arguments(part, WatcherSettings)


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load(arguments, WatcherSettings)
    if arguments.part == "run":
        from setoff.watcher.service import run_watcher

        run_watcher(loaded)
    elif arguments.part == "worker":
        from setoff.watcher.worker import run_worker

        run_worker(loaded)
    else:
        from setoff.watcher.parts import open_store
        from setoff.watcher.status import describe_status, read_status

        print(describe_status(read_status(open_store(loaded, loaded.load_deployment()))))
    return 0
