"""`setoff lab`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments import market_lab
from setoff.deploy.cli.arguments.words import parse_count
from setoff.shared.params import PRESETS


def configure(parser: argparse.ArgumentParser) -> None:
    """How many games, how many liars, and by which preset."""
    parser.add_argument(
        "--liars", type=parse_count, default=100, metavar="N", help="liars at once, at most; now %(default)s"
    )
    parser.add_argument("--games", type=parse_count, default=300, metavar="N", help="random games; now %(default)s")
    parser.add_argument(
        "--seed", type=parse_count, default=0, metavar="S", help="of the first random game; now %(default)s"
    )
    parser.add_argument("--preset", choices=PRESETS, default="devnet", help="terms of the sieges; now %(default)s")
    parser.epilog = (
        "Plays the known attacks, random games, and sieges by 1, 10, 100 … liars, on the model of the court with the "
        "strategy of the real player. Exit code 1 if anything that must hold did not. `setoff lab market` is the "
        "laboratory of the market's rules."
    )
    market = parser.add_subparsers(dest="laboratory", metavar="[market]").add_parser(
        "market", help="attacks on the rules of the market, and a search for others"
    )
    market.set_defaults(module="market_lab")
    market_lab.configure(market)
