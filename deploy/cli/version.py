"""`setoff version`, and `setoff --version`."""

from __future__ import annotations

import argparse
from importlib.metadata import version

from setoff.shared import BUILD


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print the version of the package, and which build of the rules runs."""
    print(version("setoff"))
    print(f"rules: {BUILD}")
    return 0
