"""`setoff completion`: what makes a shell complete the commands."""

from __future__ import annotations

import argparse
from typing import Final

import shtab

from setoff.deploy.cli.arguments.parser import list_leaves
from setoff.deploy.cli.arguments.words import parse_path
from setoff.deploy.cli.main import make_parser

FILES: Final = ("FILE", "KEY", "FOLDER", "DIR")
"""What stands for the name of a file or folder in help; a key is mostly in a file."""


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    parser = make_parser(None, is_whole=True)
    for leaf in list_leaves(parser):
        for action in leaf._actions:
            if action.type is parse_path or action.metavar in FILES:
                is_folder = action.metavar in ("FOLDER", "DIR")
                action.complete = shtab.DIRECTORY if is_folder else shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=arguments.shell))
    return 0
