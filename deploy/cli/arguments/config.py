"""`setoff operator config`, and those of `watcher`, `oracle` and `gateway`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_service
from setoff.deploy.cli.arguments.words import parse_path


def configure(parts: argparse._SubParsersAction[argparse.ArgumentParser], section: str) -> None:
    """The settings as they are, a sample file, or the check of one."""
    part = parts.add_parser("config", help="every setting: its value and where that comes from, a sample, a check")
    what = part.add_mutually_exclusive_group()
    what.add_argument("--sample", action="store_true", help="print a settings file with every default, explained")
    what.add_argument("--check", type=parse_path, metavar="FILE", help="list all that is wrong with a settings file")
    part.set_defaults(module="config", part="config", section=section)
    add_service(part, section)
    part.epilog = (
        f"  setoff {section} config --sample > {section}.toml\n"
        f"  setoff {section} config --check {section}.toml\n"
        f"  setoff {section} run --config {section}.toml"
    )
