"""`setoff proof`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_path

EPILOG = """\
L1 confirms the state after each epoch, as one hash. A proof is the account's leaf and the hashes that lead from it to
that one: whoever has it checks it with one look at L1, without a batch, an operator or a watcher.

  setoff proof 7 --out account-7.json     account 7 as L1 has confirmed it
  setoff proof --check account-7.json     is it so? exit code 1 if not"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Whose, or which file."""
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("account", nargs="?", help="its number, or its owner's address")
    what.add_argument("--check", type=parse_path, metavar="FILE", help="hold the proof in this file against L1")
    parser.add_argument("--out", type=parse_path, metavar="FILE", help="write the proof there, as JSON")
    add_chain(parser, "beacon_url", "peers")
