"""`setoff scenario`: games by script, and lying parties one by one."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console as RichConsole
from rich.table import Table

from setoff.deploy.cli import settings
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.settings import Settings
from setoff.shared.errors import SetoffError
from setoff.watcher.settings import WatcherSettings

KEYS: Final = (
    'Where an operator dies: [[actor]] name = "operator" with dies = "posted 4" (a cue at which its processes are '
    "killed) and perhaps returns = 7200 (seconds of the chain's time later; without it what it stored is lost), a "
    "watcher with liveness_keeper = true, and [expect] wind_down = true (every market settled, everybody paid "
    "everything) or false. What every other key means is said in deploy/simulation/scenario/script.py."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Run one, or see which there are."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    part = parts.add_parser("run", help="play a scenario and check its verdict on chain",
                            description="Exit code 0 only if everything is as the scenario expects.")  # fmt: skip
    part.epilog = KEYS
    part.add_argument("file", metavar="FILE", help="a TOML file, or the name of a scenario that comes with the source")
    part.add_argument("--rpc", metavar="URL", help="play on this L1 node, not on an anvil of one's own")
    part.add_argument("--keys", metavar="FILE", help="with --rpc: private keys of funded accounts, a line each: "
                      "deployer, operator, then the actors in order")  # fmt: skip
    part.add_argument("--json", type=Path, metavar="FILE", help="write the report there, too")
    part.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and state there")
    _configure_liars(parts)
    part = parts.add_parser("list", help="the scenarios in a folder")
    part.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="by default those that come with the source")


def _configure_liars(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from setoff.deploy.simulation.faults import CLAIM_LIES, FAULTS, RECEIPT_LIES

    part = parts.add_parser("liar", help="one lying party, for trials of your own; never on mainnet")
    part.description = "An ordinary party but for one lie, with the settings of `setoff operator` or `setoff watcher`."
    parties = part.add_subparsers(dest="party", metavar="PARTY", required=True)
    kinds: list[tuple[str, str, Mapping[str, str], type[Settings]]] = [
        ("publisher", "an operator that claims a false end", CLAIM_LIES, OperatorSettings),
        ("sequencer", "an operator that breaks its receipts", RECEIPT_LIES, OperatorSettings),
        ("watcher", "a watcher that disputes what is true, or claims what is false",
         {name: fault.text for name, fault in FAULTS.items()}, WatcherSettings),
    ]  # fmt: skip
    for name, purpose, lies, kind in kinds:
        party = parties.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".",
                                   formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        settings.add_arguments(party, kind)
        told = "\n".join(f"  {lie:<19} {text}" for lie, text in lies.items())
        party.epilog = f"Lies:\n{told}\n\n{party.epilog}"
        party.add_argument("--lie", choices=list(lies), required=True, metavar="NAME", help="which; see below")
        if name == "watcher":
            party.add_argument(
                "--epoch", type=int, default=-1, metavar="N", help="about this one; by default about all"
            )
        else:
            party.add_argument("--from-batch", type=int, default=0, metavar="N", help="not before; now %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "liar":
        return _lie(arguments)
    return _list(arguments) if arguments.part == "list" else _run(arguments)


def _lie(arguments: argparse.Namespace) -> int:
    if arguments.party == "watcher":
        from setoff.deploy.simulation.lying_watcher import WatcherLie, run_lying_watcher

        run_lying_watcher(settings.load(arguments, WatcherSettings), WatcherLie(arguments.lie, arguments.epoch))
        return 0
    loaded = settings.load(arguments, OperatorSettings)
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
    for path in find_scenarios(arguments.folder or SHIPPED):
        script = Script.load(path)
        expect = script.expect
        out = ", ".join(f"{name} out by {cause}" for name, cause in expect.eliminated.items()) or "nobody out"
        ending = {None: "", True: "; wound down, everybody paid", False: "; goes on"}[expect.wind_down]
        table.add_row(script.name, script.kind, script.text, f"end {expect.end}; {out}{ending}")
    RichConsole().print(table)
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
        with Console() as console:
            report = play_scenario(script, console, folder)
    except SetoffError as error:
        print(f"setoff: the scenario could not be played: {error}\nlogs and state: {folder}", file=sys.stderr)
        return 1
    print_report(report, console.rich)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    print(f"report: {folder / 'report.json'}")
    return 0 if report.passed else 1
