"""`setoff lab`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.simulation.lab.report import run_report
from setoff.shared.errors import ConfigError
from setoff.shared.params import ETHER, GWEI


def run(arguments: argparse.Namespace) -> int:
    """Play, and print what came of it."""
    if arguments.liars < 1 or arguments.games < 0:
        raise ConfigError("bad_config", "there is at least one liar, and no less than no game")
    console = Console()
    report = run_report(arguments.preset, arguments.liars, arguments.games, arguments.seed, tell_progress)
    tell_progress("")
    violations = report["violations"]
    if arguments.json:
        show(arguments, report)
    else:
        print_games(console, report)
        if report["sieges"]:
            print_sieges(console, report)
        for violation in violations:
            console.print(f"[red]violated[/] {violation}", highlight=False)
    return 1 if violations else 0


def print_games(console: Console, report: Mapping[str, Any]) -> None:
    """The known attacks and the random games, side by side."""
    known, drawn = report["known"], report["random"]
    table = Table(title="Games", title_justify="left")
    table.add_column("")
    table.add_column("known attacks", justify="right")
    table.add_column(f"random, seed {report['seed']}", justify="right")
    for name in ("games", "calls", "refused_calls", "histories", "eliminated"):
        table.add_row(name.replace("_", " "), f"{known[name]:,}", f"{drawn[name]:,}")
    for verdict in sorted({*known["verdicts"], *drawn["verdicts"]}):
        table.add_row(verdict, *(f"{tally['verdicts'].get(verdict, 0):,}" for tally in (known, drawn)))
    table.add_row(
        "worst delay, of the bound", *(f"{tally['worst_delay_ppm'] / 10**4:.1f} %" for tally in (known, drawn))
    )
    table.add_row("violations", *(str(len(tally["violations"])) for tally in (known, drawn)))
    console.print(table)


def print_sieges(console: Console, report: Mapping[str, Any]) -> None:
    """What a dispute costs by the number of liars."""
    table = Table(title=f"One honest party against N liars, preset {report['preset']}", title_justify="left")
    for column in ("liars", "reply", "delay", "gas", "paid", "gain", "lock", "they lock", "they lose", "burnt"):
        table.add_column(column, justify="left" if column == "reply" else "right")
    for siege in report["sieges"]:
        table.add_row(
            str(siege["liars"]),
            "slow" if "last" in siege["reply"] else "quick",
            str(siege["delay"]),
            f"{siege['honest_gas'] / 10**6:.1f}",
            f"{siege['refunded_ppm'] / 10**4:.0f} %",
            *(
                f"{siege[name] / ETHER:.3g}"
                for name in ("honest_gain", "honest_locked", "liars_locked", "liars_lost", "burnt")
            ),
        )
    console.print(table)
    first = report["sieges"][0]
    price = first["gas_price"] / GWEI
    console.print(
        f"Delay in seconds from claim to installation, at most {first['delay_bound']}. Gas of the honest party in "
        f"millions, each call at the most that the court credits (measured: `setoff bench liars`), at {price:g} gwei; "
        "the share that credits paid; its gain, after all gas, and what it locked. Then "
        "what the liars locked and lost, and what was burnt. Money in ETH.",
        highlight=False,
    )
