"""`setoff backstop`: the vault that takes over what the book does not, and that anybody may have a share of."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

from setoff.deploy.cli.account import describe_request
from setoff.deploy.cli.wallet import add_exchange, ask_exchange, format_amount, parse_amount
from setoff.shared.sdk.client import SetoffClient, SubmitResult


def configure(parser: argparse.ArgumentParser) -> None:
    """Look at it, ask to put money in, or to take money out."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="its equity, shares and positions")
    deposit = actions.add_parser("deposit", help="ask for shares of it, for collateral of the account")
    deposit.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    withdraw = actions.add_parser("withdraw", help="ask to have shares turned back into collateral of the account")
    withdraw.add_argument("shares", type=int, nargs="?", help="how many; all of the account's by default")
    for action in (show, deposit, withdraw):
        add_exchange(action)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and show what is there then."""

    async def ask(client: SetoffClient) -> dict[str, Any]:
        result: SubmitResult | None = None
        if arguments.action == "deposit":
            result = await client.backstop_deposit(arguments.amount)
        elif arguments.action == "withdraw":
            shares = arguments.shares
            result = await client.backstop_withdraw(
                int((await client.account())["shares"]) if shares is None else shares
            )
        if result:
            print(f"accepted as record {result.sequence}, batch {result.batch}")
            print(
                describe_request((await client.account())["request"])
                or "settled: `setoff account` shows what it came to"
            )
        return await client.backstop()

    shown = ask_exchange(arguments, ask)
    print(f"equity {format_amount(int(shown['equity']))}, free {format_amount(int(shown['free']))}")
    print(f"shares {shown['shares']}")
    delay = timedelta(seconds=shown["delay"])
    print(f"who asks for shares, or for the money of shares, gets the first price from {delay} h later on")
    for position in shown["positions"]:
        print(f"market {position['market']}: {position['size']} lots at a mark of {position['mark']}")
    if shown["withdrawals_limited_until"]:
        until = datetime.fromtimestamp(shown["withdrawals_limited_until"], UTC)
        print(f"withdrawals are limited until {until:%Y-%m-%d %H:%M} UTC: `setoff account` shows what may leave when")
    return 0
