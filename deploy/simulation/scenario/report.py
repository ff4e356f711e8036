"""What came of a scenario: checks, figures, and who did what; for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from setoff.deploy.simulation.demo.summary import Check


@dataclass(slots=True)
class Report:
    """Of one scenario."""

    scenario: str
    text: str
    checks: list[Check] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)
    """One a disputed claim: its histories, moves, eliminations; times in seconds after the claim."""
    actors: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether everything is as it was expected."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def check(self, what: str, passed: bool, seen: str) -> None:
        """Add a check."""
        self.checks.append(Check(what, passed, seen))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"passed": self.passed, **asdict(self)}


def print_report(report: Report, console: Console) -> None:
    """The disputes, the actors, the checks."""
    for dispute in report.disputes:
        eliminated = ", ".join(f"{loser['who']} by {loser['cause']} at {loser['at']} s" for loser in dispute["out"])
        console.print(
            f"epoch {dispute['epoch']}: {dispute['histories']} histories, {dispute['moves']} moves; "
            f"{eliminated or 'nobody out'}; installed after {dispute['installed_at']} s"
        )
    if report.actors:
        table = Table("actor", "histories", "bonds", "gained", title_justify="left")
        for name, facts in report.actors.items():
            table.add_row(
                name, str(facts["histories"]), str(facts["bonds"]), f"{facts['gained_wei'] / 10**18:+.4f} ETH"
            )
        console.print(table)
    for check in report.checks:
        mark = Text("✔" if check.passed else "✘", style="green" if check.passed else "bold red")
        console.print(mark, Text(f"{check.what}: {check.seen}"))
    verdict = Text("as expected", style="bold green") if report.passed else Text("NOT AS EXPECTED", style="bold red")
    console.print(Text(f"{report.scenario}: ").append(verdict))
