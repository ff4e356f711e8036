"""What the commands of services share: the settings file, single settings on the command line, the log level."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
from pathlib import Path
from typing import TypeVar

from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError

S = TypeVar("S", bound=Settings)


def add_arguments(parser: argparse.ArgumentParser, kind: type[Settings]) -> None:
    """`--config` and `--set`, and an epilog that lists the settings of this kind."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings, a TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides", help="one setting; repeatable"
    )
    names = ", ".join(item.name for item in dataclasses.fields(kind))
    parser.epilog = (
        f"Settings: {names}.\nA setting NAME may be in the file, in the variable SETOFF_NAME (of a section: "
        "SETOFF_OPERATOR_NAME, SETOFF_WATCHER_NAME), or here with --set."
    )


def load(arguments: argparse.Namespace, kind: type[S]) -> S:
    """The settings that the arguments ask for; sets up the log. Raises ConfigError."""
    shared = {item.name for item in dataclasses.fields(Settings)}
    known = {item.name for item in dataclasses.fields(kind)}
    environment = dict(os.environ)
    for override in arguments.overrides:
        name, equals, value = override.partition("=")
        if name not in known or not equals:
            raise ConfigError(
                "bad_config", f"--set {override}: it is NAME=VALUE, NAME one of {', '.join(sorted(known))}"
            )
        variable = f"SETOFF_{name}" if name in shared else f"SETOFF_{kind.section}_{name}"
        environment[variable.upper()] = value
    settings = kind.load(arguments.config, environment)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    return settings
