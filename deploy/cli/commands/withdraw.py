"""`setoff withdraw`: ask the exchange for money, then have the vault pay it once its epoch is confirmed."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta

from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.commands.account import describe_exit
from setoff.deploy.cli.connections import ask_exchange, ask_money, get_money, open_vault
from setoff.deploy.cli.output import show, tell, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.errors import OUTCOMES, WITHDRAWALS_LIMITED, StateError
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient

POLL_SECONDS = 2.0


def run(arguments: argparse.Namespace) -> int:
    """Ask, wait for the confirmation on L1 (the challenge period at least), and have it paid."""
    index = arguments.index
    if index is None:

        async def ask(client: SetoffClient) -> tuple[int, str]:
            money = await ask_money(client)
            amount = money.read(arguments.amount)
            return await request(client, amount, money), money.show(amount)

        index, amount = ask_exchange(arguments, ask)
        granted = f"withdrawal {index} of {amount} is granted; L1 pays once its epoch is confirmed"
        if arguments.no_wait:
            later = f"have it paid then: setoff withdraw --index {index}"
            show(arguments, {"withdrawal": index, "paid": False}, granted, later)
            return 0
        tell(arguments, granted)
        tell(arguments, f"waiting; if this is stopped: setoff withdraw --index {index}")
    elif not 0 <= index < (count := int(ask_exchange(arguments, SetoffClient.status)["withdrawals"])):
        raise StateError("not_found", f"there is no withdrawal {index}: {count} were granted, from 0")
    vault = open_vault(load_client(arguments))
    begun, problem = time.monotonic(), ""
    while True:
        try:
            proof = ask_exchange(arguments, lambda client: client.withdrawal(index))
            problem = ""
            vault.withdraw(proof)
        except Refusal as refusal:
            if refusal.reason != "not_found":
                raise
            problem = ""
        except Unavailable as error:  # it is granted: an exchange that is away for a while only delays it
            if not problem:
                print(f"withdrawal {index} is granted, and waited for: {error}", file=sys.stderr, flush=True)
            problem = f"; {error}"
        except Reverted as refusal:
            if refusal.reason != "not_confirmed":
                raise
        else:
            tell_progress("")
            money = get_money(load_client(arguments).load_deployment())
            paid = f"the vault paid {money.show(proof.amount)} to 0x{proof.owner.hex()}"
            show(
                arguments, {"withdrawal": index, "paid": True, "amount": str(proof.amount), "owner": proof.owner}, paid
            )
            return 0
        passed = timedelta(seconds=int(time.monotonic() - begun))
        tell_progress(f"waiting for L1 to confirm the epoch of withdrawal {index}, for {passed} so far{problem}")
        time.sleep(POLL_SECONDS)


async def request(client: SetoffClient, amount: int, money: Money) -> int:
    """Ask the exchange; returns the withdrawal's index. Raises Refusal; where withdrawals are limited it says what may
    leave when."""
    try:
        return await client.request_withdrawal(amount)
    except Refusal as refusal:
        limit = describe_exit({**(await client.account())["exit"]}, money)
        if refusal.reason != OUTCOMES[WITHDRAWALS_LIMITED] or not limit:
            raise
        raise Refusal(refusal.reason, limit) from refusal
