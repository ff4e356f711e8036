"""The demo's summary as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from setoff.deploy.simulation.demo.summary import Summary


def print_summary(summary: Summary, console: Console, seconds: float) -> None:
    """Facts, disputes, gas, and the checks with what was seen."""
    facts = summary.facts
    table = Table(title="On L1", title_justify="left", show_header=False)
    rows = {
        "batches": f"{facts['batches']} ({facts['messages']} messages, {facts['records']} records)",
        "market": f"{facts['orders']} orders, {facts['fills']} fills, {facts['volume'] / 10**6:,.2f} tUSD",
        "liquidated": f"{facts['liquidated_lots']} lots",
        "accounts, markets": f"{facts['accounts']}, {facts['markets']}",
        "claims": f"{facts['claims']} ({facts['moot_claims']} moot), {facts['confirmed_epochs']} epochs confirmed",
        "last confirmed end": facts["roots"][-1] if facts["roots"] else "none",
        "challenge period": f"{facts['challenge_period_s']} s (needed: {facts['needed_period_s']} s)",
        "burnt, paid out": f"{facts['burnt_wei'] / 10**18:.4f}, {facts['collected_wei'] / 10**18:.4f} ether",
        "vault": f"{facts['vault_balance'] / 10**6:,.6f} tUSD",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
    for dispute in summary.disputes:
        table = Table(title=f"Dispute about epoch {dispute.epoch}", title_justify="left", show_header=False)
        table.add_row("claimed", dispute.claimed_end)
        table.add_row("installed", dispute.installed_end)
        table.add_row("histories, moves", f"{dispute.histories}, {dispute.moves}")
        table.add_row("eliminated by", ", ".join(dispute.eliminated) or "nobody was")
        table.add_row("from the claim to the join", f"{dispute.claim_to_join} s")
        table.add_row("to the elimination", f"{dispute.claim_to_elimination} s")
        table.add_row("to the installation", f"{dispute.claim_to_installation} s")
        console.print(table)
    gas = Table("transaction", "count", "failed", "least", "mean", "most", title="Gas", title_justify="left")
    for column in gas.columns[1:]:
        column.justify = "right"
    for item in summary.gas:
        gas.add_row(item.kind, *(f"{value:,}" for value in (item.count, item.failed, item.least, item.mean, item.most)))
    console.print(gas)
    checks = Table("", "check", "seen", title=f"Verified on chain, after {seconds:.0f} s", title_justify="left")
    for check in summary.checks:
        mark = Text("✔", style="green") if check.passed else Text("✘", style="bold red")
        checks.add_row(mark, check.what, check.seen)
    console.print(checks)
    failed = [check.what for check in summary.checks if not check.passed]
    console.print(
        Text(f"FAILED: {'; '.join(failed)}", style="bold red") if failed else Text("all verified", style="green")
    )
