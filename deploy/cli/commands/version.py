"""`setoff version`, and `setoff --version`."""

from __future__ import annotations

import argparse
from importlib.metadata import version

from setoff.deploy.cli.output import show
from setoff.shared import BUILD


def run(arguments: argparse.Namespace) -> int:
    """Print the version of the package, and which build of the rules runs."""
    facts = {"version": version("setoff"), "rules": BUILD.name, "why": BUILD.reason}
    show(arguments, facts, version("setoff"), f"rules: {BUILD}")
    return 0
