"""`setoff verify`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_count, parse_place


def configure(parser: argparse.ArgumentParser) -> None:
    """Which epoch, on which chain, and from where."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "epoch",
        type=parse_count,
        nargs="?",
        help="its number; by default the last one posted (with --from, of those whose start L1 knows the last whose "
        "machine is there)",
    )
    which.add_argument("--batch", type=parse_count, metavar="N", help="the epoch that batch N is of")
    group = parser.add_argument_group(
        "from where", "Without these everything from the first batch on is executed, and nobody is asked but L1."
    )
    group.add_argument(
        "--from",
        type=parse_place,
        metavar="URL|FILE",
        dest="source",
        help="execute this epoch alone: the machine before it comes from a watcher or operator (URL), or from a file "
        "of what one serves at /v1/snapshots/0x…; it is used if its hash is the start that L1 has confirmed, or, and "
        "that is said, that is only claimed there; blobs that nodes have let go of are asked for there, too",
    )
    group.add_argument(
        "--spot",
        type=parse_count,
        metavar="N",
        help="run N batches of the epoch alone, drawn at random after the watcher at --from URL has said the machine "
        "hashes between all of them, which have to begin and end as L1 says: finds a false end with a probability of N "
        "of the epoch's batches at least; takes no machine, but a bundle of each batch that is drawn",
    )
    group.add_argument(
        "--most",
        type=parse_count,
        metavar="MB",
        default=256,
        help="megabytes, unpacked, of the largest machine or bundle that is taken (%(default)s); in memory ten times "
        "that",
    )
    add_chain(parser, "beacon_url", "peers")
