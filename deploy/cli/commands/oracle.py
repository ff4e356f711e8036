"""`setoff oracle`: the feeder of an oracle signer, a look at its sources, and at how it is."""

from __future__ import annotations

import argparse
import asyncio

import requests

from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load, load_service
from setoff.shared.errors import ConfigError, StateError
from setoff.shared.oracle.settings import OracleSettings

TIMEOUT = 5.0
"""Seconds for a feeder to say how it is."""


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "run":
        from setoff.shared.oracle.service import run_feeder

        run_feeder(load_service(arguments, OracleSettings))
        return 0
    settings = load(arguments, OracleSettings)
    return check(arguments, settings) if arguments.part == "check" else show_status(arguments, settings)


def check(arguments: argparse.Namespace, settings: OracleSettings) -> int:
    """One round, without sending anything."""
    from setoff.shared.oracle.service import check_sources

    if not settings.feeds:
        raise ConfigError("bad_config", "feeds: is not set: it says where the prices of which market come from")
    found = asyncio.run(check_sources(settings))
    lines = []
    for market, facts in found.items():
        ticks = f", {facts['ticks']} ticks" if facts["ticks"] else ""
        lines.append(f"{market}: {facts['price'] or 'no price'}{ticks}, of {facts['used']} sources")
        lines += [f"  {source}: {said}" for source, said in facts["sources"].items()]
        lines += [f"  PROBLEM: {facts['problem']}"] if facts["problem"] else []
    show(arguments, found, *lines)
    return 0 if all(facts["price"] for facts in found.values()) else 1


def show_status(arguments: argparse.Namespace, settings: OracleSettings) -> int:
    """What the feeder at `listen` says of itself."""
    from setoff.shared.oracle.status import describe

    host, port = settings.address
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        answer = requests.get(f"{url}/status", timeout=TIMEOUT)
        answer.raise_for_status()
        status = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise StateError("not_ready", f"no feeder answers at {url}: {type(error).__name__}") from None
    show(arguments, status, *describe(status))
    return 1 if status["problems"] else 0
