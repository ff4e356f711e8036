"""`setoff deposit`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_chain


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, from whom."""
    parser.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    add_chain(parser, "key")
