"""`setoff bench`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.words import parse_path


def configure(parser: argparse.ArgumentParser) -> None:
    """Which benchmarks, and where the figures go."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (see --list); all of them by default")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--hold", action="store_true", help="exit with 1 if a ratio is worse than is stated of it")
    parser.add_argument("--report", type=parse_path, metavar="FILE", help="write the figures there, too, as JSON")
