"""`setoff scenario`: what may be typed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from setoff.deploy.cli.arguments.common import add_service
from setoff.deploy.cli.arguments.words import parse_count, parse_path, parse_whole
from setoff.deploy.simulation.lies import CLAIM_LIES, RECEIPT_LIES, STEP_LIES, list_lies

KEYS: Final = (
    'Where an operator dies: [[actor]] name = "operator" with dies = "posted 4" (a cue at which its processes are '
    "killed) and perhaps returns = 7200 (seconds of the chain's time later; without it what it stored is lost), a "
    "watcher with liveness_keeper = true, and [expect] wind_down = true (every market settled, everybody paid "
    "everything) or false. What every other key means is said in deploy/simulation/scenario/script.py."
)
PARTIES: Final[tuple[tuple[str, str, Mapping[str, str], str], ...]] = (
    ("publisher", "an operator that claims a false end", CLAIM_LIES, "operator"),
    ("sequencer", "an operator that breaks its receipts", RECEIPT_LIES, "operator"),
    ("watcher", "a watcher that disputes what is true, or claims what is false", STEP_LIES, "watcher"),
)
"""Liars: name, what for, their lies, whose settings they have."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Run one, or see which there are."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    part = parts.add_parser("run", help="play a scenario and check its verdict on chain",
                            description="Exit code 0 only if everything is as the scenario expects.")  # fmt: skip
    part.epilog = KEYS
    part.add_argument("file", metavar="FILE", help="a TOML file, or the name of a scenario that comes with the source")
    part.add_argument("--rpc", metavar="URL", help="play on this L1 node, not on an anvil of one's own")
    part.add_argument("--keys", metavar="FILE", help="with --rpc: private keys of funded accounts, a line each: "
                      "deployer, operator, then the actors in order")  # fmt: skip
    part.add_argument("--report", type=parse_path, metavar="FILE", help="write the report there, too, as JSON")
    part.add_argument("--keep", type=parse_path, metavar="DIR", help="keep logs and state there")
    _configure_chaos(parts)
    _configure_liars(parts)
    part = parts.add_parser("list", help="the scenarios in a folder")
    part.add_argument(
        "folder", type=parse_path, nargs="?", metavar="DIR", help="by default those that come with the source"
    )


def _configure_chaos(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    part = parts.add_parser("chaos", help="an exchange under load in which one thing after the other goes wrong")
    part.description = (
        "An operator, a watcher with two workers, a feeder and traders who never stop, each a process of its own; by a "
        "seed every kind of fault, at every part, one after the other: kill -9, SIGSTOP, full disks, clocks that jump, "
        "stores that are wiped, nodes that go away; and watchers that lie meanwhile. Then all is held against L1: exit "
        "code 0 only if nothing acknowledged is lost or doubled, books and money agree to the unit, every lie is "
        "caught, and all recovered without help. Some ten seconds a fault. Linux only; full disks need root."
    )
    part.add_argument("--faults", type=parse_count, default=110, metavar="N", help="how many; now %(default)s")
    part.add_argument("--seed", type=parse_count, default=1, metavar="N", help="which, and in which order")
    part.add_argument("--only", default="", metavar="WORDS", help="of this kind, or at this part")
    part.add_argument("--report", type=parse_path, metavar="FILE", help="write everything there, as JSON")
    part.add_argument("--keep", type=parse_path, metavar="DIR", help="keep logs and state there")


def _configure_liars(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    part = parts.add_parser("liar", help="one lying party, for trials of your own; never on mainnet")
    part.description = "An ordinary party but for one lie, with the settings of `setoff operator` or `setoff watcher`."
    parties = part.add_subparsers(dest="party", metavar="PARTY", required=True)
    for name, purpose, lies, section in PARTIES:
        party = parties.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        party.set_defaults(is_service=True)
        add_service(party, section)
        party.epilog = f"Lies:\n{list_lies(lies)}"
        party.add_argument("--lie", choices=list(lies), required=True, metavar="NAME", help="which; see below")
        if name == "watcher":
            party.add_argument(
                "--epoch", type=parse_whole, default=-1, metavar="N", help="about this one; by default about all"
            )
        else:
            party.add_argument(
                "--from-batch", type=parse_count, default=0, metavar="N", help="not before; now %(default)s"
            )
