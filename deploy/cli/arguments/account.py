"""`setoff account`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_exchange


def configure(parser: argparse.ArgumentParser) -> None:
    """Whose account."""
    parser.add_argument("account", nargs="?", help="its number or its owner's address; by default the key's own")
    add_exchange(parser)
