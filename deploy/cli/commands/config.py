"""`setoff operator config`, and those of other services: each setting as it is, a sample file, a check."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import get_file, get_given
from setoff.shared.config.key_settings import KeySettings
from setoff.shared.config.sample import format_sample
from setoff.shared.config.setting import list_settings
from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for; exit code 2 if a setting is wrong."""
    kind = find_kind(arguments.section)
    if arguments.sample:
        sample = format_sample(kind)
        show(arguments, {"sample": sample}, sample.rstrip())
        return 0
    if arguments.check:
        return check(arguments, kind)
    reading = kind.read(get_file(arguments), os.environ, get_given(arguments))
    problems = [*reading.problems, *reading.conflicts]
    facts: dict[str, Any] = {}
    lines = []
    for name, item in list_settings(kind).items():
        value = reading.values.get(name, item.default)
        shown = item.show(value)
        origin = reading.origins.get(name, "default")
        facts[name] = {"value": shown, "origin": origin}
        lines.append(f"{name:<26} {shown!s:<24} {origin}".rstrip())
    lines += [f"PROBLEM: {problem}" for problem in problems]
    show(arguments, {"settings": facts, "problems": problems}, *lines)
    return 2 if problems else 0


def check(arguments: argparse.Namespace, kind: type[Settings]) -> int:
    """List everything that is wrong with a file; what the environment adds to it counts where settings meet."""
    file: Path = arguments.check
    problems = kind.read(file, {}).problems
    reading = kind.read(file, os.environ, get_given(arguments))
    problems += [each for each in (*reading.problems, *reading.conflicts) if each not in problems]
    if not problems:
        settings = kind(**reading.values)
        if kind.needs_deployment:
            problems += [*_try(settings.load_deployment)]
        if isinstance(settings, KeySettings) and settings.key:
            problems += [*_try(settings.check_key)]
    count = (
        f"{file}: {len(problems)} problem{'' if len(problems) == 1 else 's'}" if problems else f"{file}: all is well"
    )
    show(arguments, {"file": file, "problems": problems}, *problems, count)
    return 2 if problems else 0


def find_kind(section: str) -> type[Settings]:
    """The settings of a service."""
    if section == "operator":
        from setoff.operator.settings import OperatorSettings

        return OperatorSettings
    if section == "oracle":
        from setoff.shared.oracle.settings import OracleSettings

        return OracleSettings
    if section == "gateway":
        from setoff.shared.gateway.settings import GatewaySettings

        return GatewaySettings
    from setoff.watcher.settings import WatcherSettings

    return WatcherSettings


def _try(load: Any) -> list[str]:
    try:
        load()
    except ConfigError as error:
        return [error.detail]
    return []
