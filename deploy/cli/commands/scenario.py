"""`setoff scenario`: games by script, and lying parties one by one."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console as RichConsole
from rich.table import Table

from setoff.deploy.cli import settings
from setoff.deploy.cli.output import show, tell
from setoff.operator.settings import OperatorSettings
from setoff.shared.errors import SetoffError
from setoff.watcher.settings import WatcherSettings


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "liar":
        return _lie(arguments)
    if arguments.part == "chaos":
        return _chaos(arguments)
    return _list(arguments) if arguments.part == "list" else _run(arguments)


def _lie(arguments: argparse.Namespace) -> int:
    if arguments.party == "watcher":
        from setoff.deploy.simulation.lying_watcher import WatcherLie, run_lying_watcher

        run_lying_watcher(settings.load_service(arguments, WatcherSettings), WatcherLie(arguments.lie, arguments.epoch))
        return 0
    loaded = settings.load_service(arguments, OperatorSettings)
    if arguments.party == "publisher":
        from setoff.deploy.simulation.lying_publisher import run_lying_publisher

        run_lying_publisher(loaded, arguments.lie, arguments.from_batch)
    else:
        from setoff.deploy.simulation.lying_sequencer import run_lying_sequencer

        run_lying_sequencer(loaded, arguments.lie, arguments.from_batch)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from setoff.deploy.simulation.scenario.run import SHIPPED, find_scenarios
    from setoff.deploy.simulation.scenario.script import Script

    table = Table("scenario", "kind", "what it shows", "expected")
    facts = []
    for path in find_scenarios(arguments.folder or SHIPPED):
        script = Script.load(path)
        expect = script.expect
        out = ", ".join(f"{name} out by {cause}" for name, cause in expect.eliminated.items()) or "nobody out"
        ending = {None: "", True: "; wound down, everybody paid", False: "; goes on"}[expect.wind_down]
        row = (script.name, script.kind, script.text, f"end {expect.end}; {out}{ending}")
        facts.append(dict(zip(("scenario", "kind", "text", "expected"), row, strict=True)))
        table.add_row(*row)
    if arguments.json:
        show(arguments, facts)
    elif facts:
        RichConsole().print(table)
    else:
        print(f"there is no scenario in {arguments.folder}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from setoff.deploy.simulation.demo.console import Console
    from setoff.deploy.simulation.scenario.report import print_report
    from setoff.deploy.simulation.scenario.run import find_scenario, play_scenario
    from setoff.deploy.simulation.scenario.script import Script

    script = Script.load(find_scenario(arguments.file))
    if arguments.rpc:
        network = dataclasses.replace(script.network, rpc=arguments.rpc, keys=arguments.keys or script.network.keys)
        script = dataclasses.replace(script, network=network)
        script.check()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="setoff-scenario-"))
    try:
        with Console(RichConsole(stderr=True, highlight=False) if arguments.json else None) as console:
            report = play_scenario(script, console, folder)
    except SetoffError as error:
        print(f"setoff: the scenario could not be played: {error}\nlogs and state: {folder}", file=sys.stderr)
        return 1
    if arguments.report:
        arguments.report.write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    if arguments.json:
        show(arguments, report.to_dict())
    else:
        print_report(report, console.rich)
        print(f"report: {folder / 'report.json'}")
    return 0 if report.passed else 1


def _chaos(arguments: argparse.Namespace) -> int:
    from setoff.deploy.simulation.chaos.play import play

    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="setoff-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = play(folder, arguments.faults, arguments.seed, partial(tell, arguments), arguments.only)
    except SetoffError as error:
        print(f"setoff: chaos could not be played: {error}\nlogs and state: {folder}", file=sys.stderr)
        return 1
    if arguments.report:
        arguments.report.write_text(json.dumps(outcome.to_json(), indent=2) + "\n")
    if arguments.json:
        show(arguments, outcome.to_json())
        return 0 if outcome.passed else 1
    table = Table("fault", "at", "times", "needed help", "recovered in (median)", "worst")
    for kind, target, *numbers in outcome.table():
        table.add_row(kind, target, *map(str, numbers))
    console = RichConsole()
    console.print(table)
    for check in outcome.checks:
        console.print(f"{'yes' if check.passed else 'NO '}  {check.what}: {check.seen}", markup=False, highlight=False)
    print(f"logs and state: {folder}")
    return 0 if outcome.passed else 1
