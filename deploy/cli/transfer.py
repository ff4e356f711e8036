"""`setoff transfer`: collateral to another account, or between an account and its sub-accounts."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.wallet import add_exchange, ask_exchange, format_amount, parse_amount
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.state import keys


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, to whom."""
    parser.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    parser.add_argument("to", help="account number; .2 stands for the own sub-account 2, .0 for the master itself")
    add_exchange(parser)
    parser.epilog = "A sub-account pays with --sub; its positions share no margin with the master's."


def run(arguments: argparse.Namespace) -> int:
    """Move it, and say so."""

    async def ask(client: SetoffClient) -> SubmitResult:
        return await client.transfer(get_peer(arguments.to, await client.load()), arguments.amount)

    result = ask_exchange(arguments, ask)
    print(f"{format_amount(arguments.amount)} moved: record {result.sequence}, batch {result.batch}")
    return 0


def get_peer(text: str, own: int) -> int:
    """The account number that `text` names for account `own`."""
    if text.startswith("."):
        return keys.sub_account(keys.get_master(own), int(text[1:]))
    return int(text)
