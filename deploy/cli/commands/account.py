"""`setoff account`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.connections import ask_exchange, ask_money
from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_client
from setoff.shared.errors import ConfigError
from setoff.shared.sdk.client import SetoffClient

PLAIN_WIDTH: Final = 160
"""Columns of tables that go to a file or another program: these have no width of their own."""

MONEY: Final = {
    "collateral": "collateral",
    "funding": "funding due",
    "equity": "equity",
    "requirement": "initial margin",
    "maintenance": "maintenance margin",
    "free": "free",
}
POSITION: Final = ("market", "size", "cost", "mark", "profit", "liquidation_price", "bids", "asks", "orders")
ORDER: Final = ("order_slot", "market", "side", "flags", "price", "size", "trigger", "client")


def run(arguments: argparse.Namespace) -> int:
    """Print money, positions and open orders."""
    if not arguments.account and not load_client(arguments).key:
        raise ConfigError("bad_config", "key: is not set, and no account is named")

    async def ask(client: SetoffClient) -> tuple[dict[str, Any], Money]:
        return {**await client.account(arguments.account)}, await ask_money(client)

    shown, money = ask_exchange(arguments, ask)
    if arguments.json:
        show(arguments, shown)
    else:
        print_account(shown, money)
    return 0


def print_account(shown: dict[str, Any], money: Money) -> None:
    """For people."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(f"account {shown['account']} of {shown['owner']}")
    table = Table(show_header=False)
    for name, label in MONEY.items():
        table.add_row(label, money.show(int(shown[name])))
        if name == "requirement":
            for label, amount in list_margins(shown):
                table.add_row(f"  {label}", money.show(amount))
    table.add_row("shares of the backstop", shown["shares"])
    table.add_row("activity, in fees", money.show(int(shown["activity"])))
    for role in ("taker", "maker"):
        table.add_row(f"saved as a {role}", f"{shown[f'{role}_saving'] / 10_000:g} % of the taker's fee")
    console.print(table)
    if request := describe_request(shown["request"], money):
        console.print(request)
    if limit := describe_exit(shown["exit"], money):
        console.print(limit)
    for title, rows, columns in (
        ("positions", shown["positions"], POSITION),
        ("orders", [order | {"flags": describe_flags(order)} for order in shown["orders"]], ORDER),
    ):
        if rows:
            table = Table(*(column.replace("_", " ") for column in columns), title=title, title_justify="left")
            for row in rows:
                table.add_row(*(format_cell(show_both(row, column)) for column in columns))
            console.print(table)
            console.print("in brackets: ticks, lots, token units")
        else:
            console.print(f"no {title}")
    if shown["deadline"]:
        console.print(f"every order dies at {shown['deadline']} unless `setoff trade dead-man` is called again")
    if not shown["positions"] and not shown["orders"]:
        free = int(shown["free"])
        what = "trade buy SYMBOL SIZE PRICE` places an order" if free > 0 else "deposit AMOUNT` brings money here"
        console.print(f"next: `setoff {what}")


def list_margins(shown: dict[str, Any]) -> list[tuple[str, int]]:
    """What the initial margin is the sum of, in token units."""
    found = []
    for position in shown["positions"]:
        has_orders = int(position["bids"]) or int(position["asks"])
        found.append((f"{position['symbol']}{', if its orders fill' if has_orders else ''}", int(position["initial"])))
        found.append((f"{position['symbol']}, for keeping it and its orders", int(position["kept"])))
    return [(label, amount) for label, amount in found if amount]


def describe_request(request: dict[str, Any] | None, money: Money) -> str:
    """What an account has asked of the backstop, and when that is settled; nothing if it waits for nothing."""
    if request is None:
        return ""
    due = datetime.fromtimestamp(request["due"], UTC)
    if request["kind"] == "deposit":
        asked = f"puts {money.show(int(request['amount']))} into the backstop, at no risk until then"
    else:
        asked = f"takes {request['shares']} shares out of the backstop, at risk until then"
    return f"{asked}: with the first price from {due:%Y-%m-%d %H:%M:%S} UTC on"


def describe_exit(room: dict[str, Any], money: Money) -> str:
    """What an account may take out, and when; nothing if all that is free may leave now."""
    if room["all_at"] == 0:
        return ""
    more, everything = (datetime.fromtimestamp(room[name], UTC) for name in ("more_at", "all_at"))
    later = f"all of it at {everything:%Y-%m-%d %H:%M} UTC"
    if more < everything:
        later = f"more at {more:%H:%M}, {later}"
    return f"withdrawals are limited: {money.show(int(room['now']))} can leave now, {later}"


def describe_flags(order: dict[str, Any]) -> str:
    """Time in force, and what else limits an order; behind an "or" its partner's order slot: one of both fires."""
    words = [
        order["flags"],
        "reduce_only" if order["reduce_only"] else "",
        f"until {order['expiry']}" if order["expiry"] else "",
        "" if order["partner"] is None else f"or {order['partner']}",
    ]
    return ", ".join(word for word in words if word)


def show_both(row: dict[str, Any], column: str) -> Any:
    """What a row has there; behind a decimal what that is in ticks, lots or token units, which is what is signed."""
    value, decimal = row[column], row.get("decimal", {}).get(column)
    if column == "market":
        return f"{row['symbol']} ({value})"
    return value if decimal is None or str(decimal) == str(value) else f"{decimal} ({value})"


def format_cell(value: Any) -> str:
    """A value for people."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return ("yes" if value else "") if isinstance(value, bool) else str(value)
