"""`setoff inspect`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_count, parse_hash


def configure(parser: argparse.ArgumentParser) -> None:
    """What is to be explained."""
    parser.epilog = """\
All of it comes from L1 alone: batches are run again from the first one on, whatever operator or watchers say. A long
history takes its time.

  setoff inspect message 41          what became of it, and what to do
  setoff inspect batch 261 --inputs  what it holds, what became of each input
  setoff inspect epoch 87            what it ends at, and who has claimed what
  setoff inspect record 5201         one record, by its number among all
  setoff inspect step 261 3          each step of an input, and what it changes
  setoff inspect leaf account 3      a leaf of the state after the last batch
  setoff inspect root 0x82564b…      whatever has this hash
  setoff inspect game                the disputes, and who is right

Exit code 1 if what is shown was refused, is false, or waits longer than it should."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    message = kinds.add_parser("message", help="a message of the L1 queue: what became of it, and what to do")
    message.add_argument("number", type=parse_count, help="its number, as `setoff force` and `deposit` name it")
    batch = kinds.add_parser("batch", help="a batch: what it holds, what became of that, and what is claimed of it")
    batch.add_argument("number", type=parse_count, help="its number")
    batch.add_argument("--inputs", action="store_true", help="each of its inputs, too")
    epoch = kinds.add_parser("epoch", help="an epoch: what it ends at, who has claimed what of it, what is confirmed")
    epoch.add_argument("number", type=parse_count, help="its number")
    record = kinds.add_parser("record", help="a record that was posted: what it asks for, and what became of it")
    record.add_argument("number", type=parse_count, help="its number among all records, as the exchange names it")
    step = kinds.add_parser("step", help="the steps of an input, what leaves each uses, and what it changes in them")
    step.add_argument("batch", type=parse_count, help="its number")
    step.add_argument("input", type=parse_count, help="the input of it, from 0")
    step.add_argument("step", type=parse_count, nargs="?", help="only this step of that, from 0")
    leaf = kinds.add_parser("leaf", help="a leaf of the state")
    leaf.add_argument("name", nargs="+", help="account N, order ACCOUNT SLOT, market N, …; or its key, 0x…")
    leaf.add_argument("--batch", type=parse_count, metavar="N", help="as that batch left it; by default the last one")
    root = kinds.add_parser("root", help="what has this hash: batch, machine, state, epoch, queue, claim, history")
    root.add_argument("hash", type=parse_hash, help="0x and 64 digits")
    game = kinds.add_parser("game", help="the claims and disputes at the court, and who is right")
    game.add_argument("epoch", type=parse_count, nargs="?", help="of this one; by default of all that are open")
    for kind in kinds.choices.values():
        add_chain(kind, "beacon_url", "peers")
