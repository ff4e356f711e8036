"""`setoff backstop`: the vault that takes over what the book does not, and that anybody may have a share of."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.commands.account import describe_request
from setoff.deploy.cli.connections import ask_exchange, ask_money, to_facts
from setoff.deploy.cli.output import show
from setoff.shared.sdk.client import SetoffClient, SubmitResult


def run(arguments: argparse.Namespace) -> int:
    """Do it, and show what is there then."""

    async def ask(client: SetoffClient) -> tuple[SubmitResult | None, dict[str, Any] | None, dict[str, Any], Money]:
        money = await ask_money(client)
        result: SubmitResult | None = None
        if arguments.action == "deposit":
            result = await client.backstop_deposit(money.read(arguments.amount))
        elif arguments.action == "withdraw":
            shares = arguments.shares
            result = await client.backstop_withdraw(
                int((await client.account())["shares"]) if shares is None else shares
            )
        request = (await client.account())["request"] if result else None
        return result, {**request} if request else None, {**await client.backstop()}, money

    result, request, shown, money = ask_exchange(arguments, ask)
    lines = []
    if result:
        lines += [
            f"accepted as record {result.sequence}, batch {result.batch}",
            describe_request(request, money) or "settled: `setoff account` shows what it came to",
        ]
    facts = {"result": to_facts(result), "request": request} if result else {}
    show(arguments, {**facts, "backstop": shown}, *lines, *describe_backstop(shown, money))
    return 0


def describe_backstop(shown: dict[str, Any], money: Money) -> list[str]:
    """For people."""
    lines = [
        f"equity {money.show(int(shown['equity']))}, free {money.show(int(shown['free']))}",
        f"shares {shown['shares']}",
        f"who asks for shares, or for the money of shares, gets the first price from "
        f"{timedelta(seconds=shown['delay'])} h later on",
    ]
    lines += [
        f"market {position['market']}: {position['size']} lots at a mark of {position['mark']}"
        for position in shown["positions"]
    ] or ["no positions"]
    if shown["withdrawals_limited_until"]:
        until = datetime.fromtimestamp(shown["withdrawals_limited_until"], UTC)
        lines.append(
            f"withdrawals are limited until {until:%Y-%m-%d %H:%M} UTC: `setoff account` shows what may leave when"
        )
    return lines
