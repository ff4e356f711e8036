"""`setoff transfer`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_exchange


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, to whom."""
    parser.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    parser.add_argument("to", help="account number; .2 stands for the own sub-account 2, .0 for the master itself")
    add_exchange(parser)
    parser.epilog = "A sub-account pays with --sub; its positions share no margin with the master's."
