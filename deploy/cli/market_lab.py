"""`setoff lab market`: attacks on the rules of the market, and a search for others."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from setoff.deploy.simulation.market_lab.report import run_scenarios
from setoff.deploy.simulation.market_lab.scenarios import SCENARIOS
from setoff.deploy.simulation.market_lab.search.arena import WEATHERS
from setoff.deploy.simulation.market_lab.search.attempt import Trial, prepare
from setoff.deploy.simulation.market_lab.search.breeding import Found, search
from setoff.deploy.simulation.market_lab.search.replay import describe, replay, write
from setoff.deploy.simulation.market_lab.terms import DUST, format_usd

SECONDS: Final = 60.0
"""Of a search, unless tries or seconds are given."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, with which seed; or a search, or the replay of what one found."""
    parser.description = "Attacks on the rules of the market, played on the real machine among honest agents."
    parser.add_argument("--list", action="store_true", help="the scenarios, and what each of them tries")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these scenarios")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what agents leave to chance")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON there")
    parser.add_argument(
        "--search",
        choices=WEATHERS,
        metavar="WEATHER",
        help=f"look for attacks while the price is {', '.join(WEATHERS)}",
    )
    parser.add_argument("--seconds", type=float, metavar="N", help=f"of the search (default {SECONDS:g})")
    parser.add_argument("--tries", type=int, metavar="N", help="of the search: the same seed then finds the same")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the best sequence found there")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play a sequence again that was saved")
    parser.epilog = (
        "Exit code 1 if any attacker ends with more than dust, or than what the protocol says of it, or if "
        "anything was broken that must hold."
    )


def run(arguments: argparse.Namespace) -> int:
    """Play, and print what came of it."""
    console = Console()
    if arguments.list:
        for name, scenario in SCENARIOS.items():
            console.print(f"[bold]{name}[/]  {scenario.purpose}", highlight=False)
        return 0

    if arguments.replay:
        return run_replay(console, arguments.replay)
    if arguments.search:
        return run_search(console, arguments)
    report = run_scenarios(arguments.only, arguments.seed, tell)
    tell("")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    print_scenarios(console, report)
    for violation in report["violations"]:
        console.print(f"[red]violated[/] {violation}", highlight=False)
    return 1 if report["violations"] else 0


def tell(text: str) -> None:
    """One line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def run_search(console: Console, arguments: argparse.Namespace) -> int:
    """Look for an attack that pays, and print the best in words."""
    seconds = arguments.seconds
    if seconds is None and arguments.tries is None:
        seconds = SECONDS
    arena = prepare(arguments.search)
    found = search(
        arena,
        arguments.seed,
        seconds=seconds,
        tries=arguments.tries,
        tell=lambda count, best: tell(f"{count} tries, {format_usd(best.profit)} dollars"),
    )
    tell("")
    if arguments.save:
        write(arguments.save, arena, found.best)
    print_found(console, found)
    return 1 if found.best.profit > DUST or found.breaches else 0


def print_found(console: Console, found: Found) -> None:
    """What came of a search."""
    console.print(
        f"{found.tries:,} tries, {found.tries / max(found.seconds, 1e-9):.0f} a second, "
        f"{found.kinds} kinds of happenings\n"
        f"worst passive account: {found.worst.victim}, {format_usd(found.worst.harm)} dollars less; "
        f"insurance and backstop were down {format_usd(found.drain.shrunk)} at most",
        highlight=False,
    )
    print_trial(console, found.best)
    for breach, trial in found.breaches.items():
        console.print(f"[red]broken[/] {breach}", highlight=False)
        print_trial(console, trial)


def run_replay(console: Console, path: Path) -> int:
    """Play it again."""
    trial, told = replay(path)
    print_trial(console, trial)
    if trial.profit != told:
        console.print(f"The file tells of {format_usd(told)}: the rules have changed since.", highlight=False)
    return 1 if trial.profit > DUST or trial.breaches else 0


def print_trial(console: Console, trial: Trial) -> None:
    """A sequence in words, with what it came to."""
    console.print(
        f"profit {format_usd(trial.profit)} dollars; {trial.victim} has {format_usd(trial.harm)} less; insurance and "
        f"backstop down {format_usd(trial.shrunk)} at most",
        highlight=False,
    )
    for number, line in enumerate(describe(trial), 1):
        console.print(f"{number:4} {line}", highlight=False, markup=False)
    for breach in trial.breaches:
        console.print(f"[red]broken[/] {breach}", highlight=False)


def print_scenarios(console: Console, report: Mapping[str, Any]) -> None:
    """A row a scenario: what the attackers gained, and who lost it."""
    table = Table(title=f"Attacks, seed {report['seed']}; dollars", title_justify="left")
    for column in ("attack", "profit", "at most", "gas", "taken from"):
        table.add_column(column, justify="right" if column in ("profit", "at most", "gas") else "left")
    notes: list[str] = []
    for row in report["scenarios"]:
        taken = sorted((change, role) for role, change in row["takings"].items() if change <= -10_000)
        mark = ""
        if row["stated"]:
            notes.append(row["stated"])
            mark = f" [{len(notes)}]"
        table.add_row(
            row["name"],
            format_usd(row["profit"]),
            format_usd(row["limit"]) + mark,
            format_usd(row["gas"]),
            ", ".join(f"{role} {format_usd(-change)}" for change, role in taken),
            style=None if row["is_held"] else "red",
        )
    console.print(table)
    console.print(
        f"Profit: after fees, funding and gas, at the true price, against the same play without the attack. Dust is "
        f"{format_usd(report['dust'])} dollars; where more is allowed the protocol says so:",
        highlight=False,
    )
    for number, note in enumerate(notes, 1):
        console.print(f"[{number}] {note}", highlight=False, markup=False)
