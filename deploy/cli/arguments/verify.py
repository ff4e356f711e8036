"""`setoff verify`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_count


def configure(parser: argparse.ArgumentParser) -> None:
    """Which epoch, on which chain."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("epoch", type=parse_count, nargs="?", help="its number; by default the last one posted")
    which.add_argument("--batch", type=parse_count, metavar="N", help="the epoch that batch N is of")
    add_chain(parser, "beacon_url", "peers")
