"""`setoff operator`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments import config
from setoff.deploy.cli.arguments.common import add_service


def configure(parser: argparse.ArgumentParser) -> None:
    """The processes, all at once, and their settings."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, purpose in (
        ("run", "all of the following, each started again when it ends, until SIGTERM or SIGINT"),
        ("store", "the Redis-protocol server of `redis_dir` alone, where `redis_url` names no other"),
        ("sequencer", "the API, the order of records, their durable log, and signed receipts for them"),
        ("publisher", "posts batches to L1, claims what they end at, defends its claims; puts up the receipt bond"),
    ):
        part = parts.add_parser(name, help=purpose)
        part.set_defaults(is_service=True)
        add_service(part, "operator")
    config.configure(parts, "operator")
