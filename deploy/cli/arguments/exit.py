"""`setoff exit`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_options
from setoff.deploy.cli.arguments.words import parse_count

EPILOG = """\
Takes money out by whatever way is open, and says which, when, and why not sooner: through the operator while it answers
and takes records, else forced through L1, posted in the operator's place where it is silent. What is in positions
leaves when they are closed; --end ends an exchange whose operator is gone for good, which closes them all.

  setoff exit --key FILE          all that may leave now
  setoff exit 100 --key FILE      so much of it
  setoff exit --look --key FILE   only say which ways are open, and what would happen
  setoff exit --end --key FILE    end the exchange first, where that is open"""


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, and how far."""
    parser.epilog = EPILOG
    parser.add_argument(
        "amount", nargs="?", type=parse_amount, help="tokens, as 100 or 12.5; default: all that may leave"
    )
    parser.add_argument("--look", action="store_true", help="do nothing, only say what would happen")
    parser.add_argument("--end", action="store_true", help="end the exchange and settle its markets first")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait for L1 to confirm: `setoff force pay` later"
    )
    parser.add_argument("--sub", type=parse_count, metavar="N", default=0, help="from the sub-account N, 1 to 15")
    add_options(parser, "exchange", "key", "beacon_url", "peers", "rpc_url", "deployment")
