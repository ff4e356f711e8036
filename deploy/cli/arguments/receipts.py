"""`setoff receipts`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments.common import add_chain

EPILOG: Final = """\
For every record that it takes the operator signs a receipt: the record's number among all records, its hash, the
running hash of all records up to it, and a deadline for the posting. The commands of a trader keep them
(--receipts FOLDER) and check them when they come.

  setoff receipts list             what is kept
  setoff receipts check            were they kept? Exit code 1 if one was broken
  setoff receipts hand-over URL    give them to a watcher, which prosecutes by itself
  setoff receipts prosecute        show L1 what is broken: the operator's bond goes,
                                   half of it to the account of --key
  setoff receipts bond             what stands behind them, and for how long

Provable on L1: another record in the promised place, a deadline passed without the record, two receipts that
contradict each other. Not provable there, but told by `check`: a running hash that does not fit what was posted. A
record that was left out can be forced on L1: its 124 bytes are in the file as "body".
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The parts."""
    parser.epilog = EPILOG
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    kept = parts.add_parser("list", help="the receipts that are kept")
    check = parts.add_parser("check", help="hold them against the posted batches; exit code 1 if one was broken")
    check.add_argument("--recent", action="store_true", help="believe the first receipt's running hash, instead of "
                       "reading every batch there ever was")  # fmt: skip
    hand_over = parts.add_parser("hand-over", help="give them to a watcher")
    hand_over.add_argument("url", help="the watcher's address")
    charge = parts.add_parser("prosecute", help="take the operator's bond for one that was broken")
    charge.add_argument("--dry-run", action="store_true", help="only ask whether L1 would take it")
    bond = parts.add_parser("bond", help="the bond; with the operator's key: put it up, take it back")
    bond.add_argument(
        "action", nargs="?", choices=("put-up", "announce-exit", "take-back"), help="by default only show it"
    )
    for part in (kept, check, hand_over):
        add_chain(part, "receipts")
    add_chain(charge, "key", "receipts")
    add_chain(bond, "key", "receipts")
