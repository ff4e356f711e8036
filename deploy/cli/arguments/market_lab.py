"""`setoff lab market`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments.words import parse_count, parse_path, parse_time

SECONDS: Final = 60.0
"""Of a search, unless tries or seconds are given."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, with which seed; or a search, or the replay of what one found."""
    parser.description = "Attacks on the rules of the market, played on the real machine among honest agents."
    parser.add_argument("--list", action="store_true", help="the scenarios, and what each of them tries")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these scenarios")
    parser.add_argument("--seed", type=parse_count, default=0, metavar="S", help="of what agents leave to chance")
    parser.add_argument("--report", type=parse_path, metavar="FILE", help="write everything there, too, as JSON")
    parser.add_argument(
        "--search", metavar="WEATHER", help="look for attacks while the price is flat, jump, gap, empty or wide"
    )
    parser.add_argument("--seconds", type=parse_time, metavar="N", help=f"of the search; {SECONDS:g} if it is not said")
    parser.add_argument(
        "--tries", type=parse_count, metavar="N", help="of the search: the same seed then finds the same"
    )
    parser.add_argument("--save", type=parse_path, metavar="FILE", help="write the best sequence found there")
    parser.add_argument("--replay", type=parse_path, metavar="FILE", help="play a sequence again that was saved")
    parser.epilog = (
        "Exit code 1 if any attacker ends with more than dust, or than what the protocol says of it, or if "
        "anything was broken that must hold."
    )
