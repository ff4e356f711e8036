"""`setoff deploy`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_options
from setoff.deploy.cli.arguments.words import parse_address, parse_count, parse_path
from setoff.shared.params import ETHER, PRESETS


def configure(parser: argparse.ArgumentParser) -> None:
    """Onto which chain, with which parameters, for whom."""
    parser.add_argument(
        "--preset", choices=list(PRESETS), default="testnet", help="periods and amounts; now %(default)s"
    )
    parser.add_argument(
        "--operator", metavar="ADDRESS", type=parse_address, help="who posts batches; needed but with --verify"
    )
    parser.add_argument(
        "--lister",
        metavar="ADDRESS",
        type=parse_address,
        help="who lists markets and names oracle signers; by default who pays, the account of --key",
    )
    parser.add_argument(
        "--token",
        metavar="ADDRESS",
        type=parse_address,
        help="the collateral, an ERC-20; by default a worthless one of its own",
    )
    parser.add_argument(
        "--least-deposit",
        metavar="UNITS",
        type=parse_count,
        help="what a deposit brings at least, in the token's smallest units; by default ten whole tokens",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=parse_path, help="where to write the addresses; by default where --deployment is"
    )
    parser.add_argument("--chain", metavar="ID", type=parse_count, help="do nothing on a chain with another id")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="every transaction with its gas, the cost, all that is wrong; send nothing",
    )
    parser.add_argument(
        "--verify", metavar="FILE", type=parse_path,
        help="hold the contracts of a deployment file against what is compiled here; takes no key",
    )  # fmt: skip
    add_options(parser, "key", "rpc_url", "deployment")
    presets = (
        f"  {name:<8} T = {terms.challenge_period} s, bond {terms.bond / ETHER:g}, stake {terms.stake / ETHER:g} ETH"
        for name, terms in PRESETS.items()
    )
    parser.epilog = "\n".join([
        "What is broken off (by a kill, a node that is gone, money that runs out) goes on",
        "with the same command, and pays for nothing twice: FILE.journal beside --out",
        "knows what was begun. Nothing is sent where something cannot work.",
        "",
        "Presets:",
        *presets,
    ])  # fmt: skip
