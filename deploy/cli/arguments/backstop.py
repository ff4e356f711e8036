"""`setoff backstop`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_exchange
from setoff.deploy.cli.arguments.words import parse_count


def configure(parser: argparse.ArgumentParser) -> None:
    """Look at it, ask to put money in, or to take money out."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="its equity, shares and positions")
    deposit = actions.add_parser("deposit", help="ask for shares of it, for collateral of the account")
    deposit.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    withdraw = actions.add_parser("withdraw", help="ask to have shares turned back into collateral of the account")
    withdraw.add_argument("shares", type=parse_count, nargs="?", help="how many; all of the account's by default")
    for action in (show, deposit, withdraw):
        add_exchange(action)
