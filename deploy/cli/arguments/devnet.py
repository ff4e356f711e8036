"""`setoff devnet`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.words import parse_path, parse_port
from setoff.shared.params import PRESETS


def configure(parser: argparse.ArgumentParser) -> None:
    """Where its state goes, with which parameters, on which port."""
    parser.set_defaults(is_service=True)
    parser.add_argument(
        "--dir", type=parse_path, metavar="DIR", help="where logs and state go; by default a temporary folder"
    )
    parser.add_argument(
        "--exchange", action="store_true", help="run an operator and a feeder of prices on it, too, until it ends"
    )
    parser.add_argument(
        "--preset", choices=list(PRESETS), default="devnet", help="periods and amounts; now %(default)s"
    )
    parser.add_argument(
        "--port", type=parse_port, default=8545, help="of the chain; now %(default)s, 0 takes a free one"
    )
