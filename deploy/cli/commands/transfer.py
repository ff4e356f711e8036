"""`setoff transfer`: collateral to another account, or between an account and its sub-accounts."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.amounts import format_amount
from setoff.deploy.cli.connections import ask_exchange, to_facts
from setoff.deploy.cli.output import show
from setoff.shared.errors import InputError
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.state import keys

MOST_DIGITS: Final = 20
"""Of an account number."""


def run(arguments: argparse.Namespace) -> int:
    """Move it, and say so."""

    async def ask(client: SetoffClient) -> SubmitResult:
        return await client.transfer(get_peer(arguments.to, await client.load()), arguments.amount)

    result = ask_exchange(arguments, ask)
    moved = f"{format_amount(arguments.amount)} moved: record {result.sequence}, batch {result.batch}"
    show(arguments, to_facts(result), moved)
    return 0


def get_peer(text: str, own: int) -> int:
    """The account number that `text` names for account `own`. Raises InputError."""
    digits = text.removeprefix(".")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < MOST_DIGITS):
        raise InputError("unknown_account", f"'{text}' is neither the number of an account nor .N of a sub-account")
    if text.startswith("."):
        if int(digits) > keys.MAX_SUB:
            raise InputError("unknown_account", f"sub-accounts are .0 to .{keys.MAX_SUB}")
        return keys.sub_account(keys.get_master(own), int(digits))
    return int(digits)
