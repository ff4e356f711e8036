"""`setoff operator rebuild`, `backup` and `restore`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_service
from setoff.deploy.cli.arguments.words import parse_path


def configure(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The three, among the operator's others."""
    rebuild = parts.add_parser(
        "rebuild",
        help="make a store that is lost or old again from L1, and name what was promised and is lost",
        description="Runs again what L1 holds, into an empty store or an old one; the operator must not run meanwhile. "
        "Says which records were acknowledged and are nowhere, and what is at stake for them. Broken off, it goes on "
        "where it was.",
    )
    rebuild.add_argument("--dry-run", action="store_true", help="find out, and change nothing")
    backup = parts.add_parser(
        "backup",
        help="copy the log into a file, while the operator runs",
        description="A copy is as old as its last commit: what was acknowledged later is not in it. With --follow it "
        "is kept up with the log until stopped.",
    )
    backup.add_argument("file", type=parse_path, metavar="FILE", help="where to; what is there is replaced at the end")
    backup.add_argument("--follow", action="store_true", help="go on with every commit as it comes, until stopped")
    restore = parts.add_parser(
        "restore",
        help="put a copy of the log into an empty store, and bring it to where L1 is, as `rebuild` does",
    )
    restore.add_argument("file", type=parse_path, metavar="FILE", help="the copy")
    for part in (rebuild, restore):
        part.add_argument(
            "--given",
            type=parse_path,
            nargs="+",
            default=[],
            metavar="FILE",
            help="receipts that traders have kept (FOLDER/….jsonl of `setoff receipts`): the lost records in them are "
            "posted under their numbers",
        )
        part.add_argument(
            "--from-history",
            action="store_true",
            help="post what the operator's own history (history_dir, history_url) knows beyond L1, under its numbers: "
            "all but perhaps the last instant",
        )
    for part in (rebuild, backup, restore):
        part.set_defaults(module="operator_store")
        add_service(part, "operator")
