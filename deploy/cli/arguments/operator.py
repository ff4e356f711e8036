"""`setoff operator`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments import config, operator_store
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
    status = parts.add_parser("status", help="how its processes are; exit code 1 if somebody has to look at something")
    status.add_argument("--prometheus", action="store_true", help="as metrics")
    status.add_argument(
        "--listen", metavar="HOST:PORT", help="serve /metrics, /status, /ready and / there until stopped"
    )
    status.set_defaults(module="operator_status")
    add_service(status, "operator")
    operator_store.configure(parts)
    config.configure(parts, "operator")
