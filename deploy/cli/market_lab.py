"""`setoff lab market`: attacks on the rules of the market."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from setoff.deploy.simulation.market_lab.report import run_scenarios
from setoff.deploy.simulation.market_lab.scenarios import SCENARIOS
from setoff.deploy.simulation.market_lab.terms import format_usd


def configure(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, with which seed."""
    parser.description = "Attacks on the rules of the market, played on the real machine among honest agents."
    parser.add_argument("--list", action="store_true", help="the scenarios, and what each of them tries")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these scenarios")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what agents leave to chance")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON there")
    parser.epilog = "Exit code 1 if any attacker ends with more than dust, or than what the protocol says of it."


def run(arguments: argparse.Namespace) -> int:
    """Play, and print what came of it."""
    console = Console()
    if arguments.list:
        for name, scenario in SCENARIOS.items():
            console.print(f"[bold]{name}[/]  {scenario.purpose}", highlight=False)
        return 0

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    report = run_scenarios(arguments.only, arguments.seed, tell)
    tell("")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    print_scenarios(console, report)
    for violation in report["violations"]:
        console.print(f"[red]violated[/] {violation}", highlight=False)
    return 1 if report["violations"] else 0


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
