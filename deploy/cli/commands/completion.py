"""`setoff completion`: what makes a shell complete the commands."""

from __future__ import annotations

import argparse

import shtab

from setoff.deploy.cli.main import make_parser


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    print(shtab.complete(make_parser(None, is_whole=True), shell=arguments.shell))
    return 0
