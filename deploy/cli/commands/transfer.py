"""`setoff transfer`: collateral to another account, or between an account and its sub-accounts."""

from __future__ import annotations

import argparse
import contextlib
from typing import Final

from setoff.deploy.cli.connections import ask_exchange, ask_money, to_facts
from setoff.deploy.cli.output import show
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.state import keys

MOST_DIGITS: Final = 20
"""Of an account number."""


def run(arguments: argparse.Namespace) -> int:
    """Move it, and say so."""

    async def ask(client: SetoffClient) -> tuple[SubmitResult, str]:
        money = await ask_money(client)
        peer, amount = get_peer(arguments.to, await client.load()), money.read(arguments.amount)
        result = await client.transfer(peer, amount)
        moved = f"{money.show(amount)} moved to account {peer}: record {result.sequence}, batch {result.batch}"
        with contextlib.suppress(SetoffError):  # it is done: what is only shown may not fail any more
            moved += f"; {money.show(int((await client.account())['free']))} free are left here"
        return result, moved

    result, moved = ask_exchange(arguments, ask)
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
