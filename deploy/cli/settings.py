"""Settings as a command was given them: its options, `--set`, the environment, the file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TypeVar

from setoff.deploy.cli.arguments.common import GIVEN
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.logs import set_up
from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError

S = TypeVar("S", bound=Settings)


def get_given(arguments: argparse.Namespace) -> dict[str, str]:
    """Settings that options and `--set` give, by name. Raises ConfigError for one that is no NAME=VALUE."""
    given = {}
    for override in arguments.overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise ConfigError("bad_config", f"--set {override}: it is NAME=VALUE")
        given[name] = value
    for name, value in vars(arguments).items():
        if name.startswith(GIVEN) and value is not None:
            given[name.removeprefix(GIVEN)] = value
    return given


def get_file(arguments: argparse.Namespace) -> Path | None:
    """The file of settings, if one is named."""
    named = arguments.config or os.environ.get("SETOFF_CONFIG")
    return Path(named) if named else None


def load(arguments: argparse.Namespace, kind: type[S]) -> S:
    """The settings that the arguments ask for. Raises ConfigError."""
    return kind.load(get_file(arguments), os.environ, get_given(arguments))


def load_client(arguments: argparse.Namespace) -> ClientSettings:
    """Those of who runs no service. Raises ConfigError."""
    return load(arguments, ClientSettings)


def load_service(arguments: argparse.Namespace, kind: type[S]) -> S:
    """Those of a service; sets up its log. Raises ConfigError."""
    settings = load(arguments, kind)
    part = getattr(arguments, "part", None)
    set_up(settings, part if part not in (None, "run") else "")
    return settings
