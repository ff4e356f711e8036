"""`setoff operator`: an exchange as two processes, the sequencer (orders to receipts) and the publisher (to L1)."""

from __future__ import annotations

import argparse

from setoff.deploy.commands import settings
from setoff.shared.adapters.config import OperatorSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """The two processes, and both at once."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, purpose in (
        ("run", "both processes, until SIGTERM or SIGINT"),
        ("sequencer", "the API, the order of records, and their durable log; always honest"),
        ("publisher", "posts batches to L1, claims what they end at, and defends its claims"),
    ):
        part = parts.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        settings.add_arguments(part, OperatorSettings)


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load(arguments, OperatorSettings)
    if arguments.part == "sequencer":
        from setoff.operator.service import run_sequencer

        run_sequencer(loaded)
    elif arguments.part == "publisher":
        from setoff.operator.publisher import run_publisher

        run_publisher(loaded)
    else:
        from setoff.operator.supervisor import run_operator

        run_operator(loaded)
    return 0
