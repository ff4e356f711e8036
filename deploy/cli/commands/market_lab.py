"""`setoff lab market`: attacks on the rules of the market, and a search for others."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from setoff.deploy.cli.arguments.market_lab import SECONDS
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.simulation.market_lab.report import run_scenarios
from setoff.deploy.simulation.market_lab.scenarios import SCENARIOS
from setoff.deploy.simulation.market_lab.search.attempt import Trial, prepare
from setoff.deploy.simulation.market_lab.search.breeding import Found, search
from setoff.deploy.simulation.market_lab.search.replay import describe, replay, write
from setoff.deploy.simulation.market_lab.terms import DUST, format_usd


def run(arguments: argparse.Namespace) -> int:
    """Play, and print what came of it."""
    console = Console()
    if arguments.list:
        facts = {name: scenario.purpose for name, scenario in SCENARIOS.items()}
        show(arguments, facts, *(f"{name}  {purpose}" for name, purpose in facts.items()))
        return 0

    if arguments.replay:
        return run_replay(arguments, console)
    if arguments.search:
        return run_search(console, arguments)
    report = run_scenarios(arguments.only, arguments.seed, tell_progress)
    tell_progress("")
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=2) + "\n")
    if arguments.json:
        show(arguments, report)
    else:
        print_scenarios(console, report)
        for violation in report["violations"]:
            console.print(f"[red]violated[/] {violation}", highlight=False)
    return 1 if report["violations"] else 0


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
        tell=lambda count, best: tell_progress(f"{count} tries, {format_usd(best.profit)} dollars"),
    )
    tell_progress("")
    if arguments.save:
        write(arguments.save, arena, found.best)
    if arguments.json:
        facts = {"tries": found.tries, "seconds": found.seconds, "kinds": found.kinds, "best": to_facts(found.best)}
        show(arguments, {**facts, "breaches": [*found.breaches]})
    else:
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


def run_replay(arguments: argparse.Namespace, console: Console) -> int:
    """Play it again."""
    trial, told = replay(arguments.replay)
    if arguments.json:
        show(arguments, {**to_facts(trial), "told": told})
    else:
        print_trial(console, trial)
    if trial.profit != told and not arguments.json:
        console.print(f"The file tells of {format_usd(told)}: the rules have changed since.", highlight=False)
    return 1 if trial.profit > DUST or trial.breaches else 0


def to_facts(trial: Trial) -> dict[str, Any]:
    """A sequence and what it came to, as JSON has it."""
    facts = {name: getattr(trial, name) for name in ("profit", "victim", "harm", "shrunk")}
    return {**facts, "breaches": [*trial.breaches], "steps": [*describe(trial)]}


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
