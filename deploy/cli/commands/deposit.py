"""`setoff deposit`: lock collateral on L1, and wait until the exchange has it."""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from typing import Any, Final

from setoff.deploy.cli.connections import ask_exchange, connect, get_money
from setoff.deploy.cli.output import show, tell, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.errors import SetoffError, StateError
from setoff.shared.l1.account import open_account
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.vault import Vault

POLL_SECONDS: Final = 1.0


def run(arguments: argparse.Namespace) -> int:
    """Allow the vault the tokens, lock them, and say what the account then has. Raises StateError if the exchange does
    not credit them in time; they are locked for the account all the same."""
    settings = load_client(arguments)
    deployment = settings.load_deployment()
    money = get_money(deployment)
    amount = money.read(arguments.amount)
    l1 = connect(settings, deployment, open_account(settings))
    vault = Vault(l1, deployment)
    tell(arguments, f"the wallet has {money.show(vault.balance())}; the vault is to take {money.show(amount)} of it")
    sent = vault.send_deposit(amount)
    tell(arguments, f"transaction 0x{sent.hex()} is on its way")
    account, message = vault.follow_deposit(sent)
    locked = f"{money.show(amount)} locked for account {account}"
    facts: dict[str, Any] = {"account": account, "amount": str(amount), "credited": False}
    if arguments.no_wait:
        show(arguments, facts, f"{locked}; a next batch credits it: `setoff account {account}` shows when")
        return 0
    tell(arguments, locked)
    shown = wait_for_credit(arguments, account, message + 1)
    held, free = money.show(int(shown["collateral"])), money.show(int(shown["free"]))
    show(
        arguments,
        facts | {"credited": True, "collateral": shown["collateral"], "free": shown["free"]},
        f"the exchange has it: account {account} has {held}, {free} of it free",
        "next: setoff trade market SYMBOL shows a market, setoff trade buy SYMBOL SIZE PRICE places an order",
    )
    return 0


def wait_for_credit(arguments: argparse.Namespace, account: int, messages: int) -> dict[str, Any]:
    """The account as soon as the exchange has taken the first `messages` messages of L1's queue."""
    begun, problem = time.monotonic(), ""

    async def ask(client: SetoffClient) -> dict[str, Any]:
        is_there = int((await client.status())["messages"]) >= messages
        return {**await client.account(account)} if is_there else {}

    while True:
        try:
            shown, problem = ask_exchange(arguments, ask), ""
        except SetoffError as error:  # whatever it is, the tokens are locked: nobody may take it for a failure
            shown, problem = {}, f"; {error}"
        if shown:
            tell_progress("")
            return shown
        passed = time.monotonic() - begun
        if passed > arguments.patience:
            raise StateError(
                "pending",
                f"the deposit is locked for account {account}, but not credited after {passed:.0f} s{problem}",
            )
        tell_progress(f"waiting until the exchange has it, for {timedelta(seconds=int(passed))} so far{problem}")
        time.sleep(POLL_SECONDS)
