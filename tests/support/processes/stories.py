"""Short plays on a real chain with real processes: a few hundred records, and a clock that jumps."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console as RichConsole

from setoff.deploy.devnet.devnet import Devnet
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.play import Interference, Play, Script
from setoff.deploy.simulation.demo.summary import Summary
from setoff.shared.params import DEMO

PATIENT = replace(DEMO, challenge_period=60, computation=40).check()
"""Clocks for two cores that are busy with other tests, too; where only time is missing, the chain's clock jumps."""

HONEST = Script(
    PATIENT,
    lie="",
    lie_from=2,
    watchers=1,
    traders=6,
    records=300,
    trading_seconds=9.0,
    batch_interval=1.5,
    hurries=True,
)


def play(folder: Path, interfere: Interference | None = None, **changes: Any) -> Summary:
    """Play the honest script with these changes; what happened is printed, for the report of a failure."""
    with Console(RichConsole(force_terminal=False, width=140)) as console:
        return Play(replace(HONEST, **changes), folder, console, interfere).run()


def play_on(devnet: Devnet, folder: Path, **changes: Any) -> Summary:
    """The same on a chain that is there, with the terms of its deployment."""
    script = replace(HONEST, params=devnet.params, **changes)
    with Console(RichConsole(force_terminal=False, width=140)) as console:
        return Play(script, folder, console).run_on(devnet)


def assert_all_verified(summary: Summary) -> None:
    """Every check on chain passed."""
    assert [(check.what, check.seen) for check in summary.checks if not check.passed] == []
