"""`setoff account`."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from setoff.deploy.commands.wallet import add_exchange, ask_exchange, format_amount
from setoff.shared.client.client import SetoffClient
from setoff.shared.errors import ConfigError


def configure(parser: argparse.ArgumentParser) -> None:
    """Whose account."""
    parser.add_argument("account", nargs="?", help="its number or its owner's address; by default the key's own")
    add_exchange(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print money, positions and open orders."""
    if not arguments.account and not arguments.key:
        raise ConfigError("bad_config", "name an account, or give a key")

    async def ask(client: SetoffClient) -> dict[str, Any]:
        return await client.account(arguments.account)

    shown = ask_exchange(arguments, ask)
    console = Console()
    console.print(f"account {shown['account']} of {shown['owner']}")
    money = Table(show_header=False)
    for name in ("collateral", "equity", "requirement", "free"):
        money.add_row(name, format_amount(int(shown[name])))
    console.print(money)
    for title, rows, columns in (
        ("positions", shown["positions"], ("market", "size", "cost", "bids", "asks")),
        ("orders", shown["orders"], ("slot", "market", "side", "flags", "price", "size")),
    ):
        if rows:
            table = Table(*columns, title=title, title_justify="left")
            for row in rows:
                table.add_row(*(str(row[column]) for column in columns))
            console.print(table)
    return 0
