"""`setoff version`."""

from __future__ import annotations

import argparse
from importlib.metadata import version


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print the version of the package."""
    print(version("setoff"))
    return 0
