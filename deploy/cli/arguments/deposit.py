"""`setoff deposit`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_exchange
from setoff.deploy.cli.arguments.words import parse_time


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, from whom, and whether to wait."""
    parser.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the exchange has it")
    parser.add_argument("--patience", type=parse_time, metavar="SECONDS", default=600.0,
                        help="how long to wait at most; now %(default)g")  # fmt: skip
    add_exchange(parser)
