"""`setoff withdraw`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_exchange
from setoff.deploy.cli.arguments.words import parse_count


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, or which earlier one."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("amount", nargs="?", type=parse_amount, help="tokens, as 100 or 12.5")
    what.add_argument("--index", type=parse_count, help="have the vault pay this withdrawal, asked for earlier")
    parser.add_argument("--no-wait", action="store_true", help="only ask; have it paid later with --index")
    add_exchange(parser)
