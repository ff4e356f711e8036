"""`setoff withdraw`: ask the exchange for money, then have the vault pay it once its epoch is confirmed."""

from __future__ import annotations

import argparse
import time

from setoff.deploy.cli.account import describe_exit
from setoff.deploy.cli.wallet import add_chain, add_exchange, ask_exchange, format_amount, open_vault, parse_amount
from setoff.shared.errors import OUTCOMES, WITHDRAWALS_LIMITED, StateError
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.sdk.answers import Refusal
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.wire.withdrawals import WithdrawalProof

POLL_SECONDS = 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, or which earlier one."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("amount", nargs="?", type=parse_amount, help="tokens, as 100 or 12.5")
    what.add_argument("--index", type=int, help="have the vault pay this withdrawal, asked for earlier")
    parser.add_argument("--no-wait", action="store_true", help="only ask; have it paid later with --index")
    add_exchange(parser)
    add_chain(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask, wait for the confirmation on L1 (the challenge period at least), and have it paid."""
    index = arguments.index
    if index is None:
        index = ask_exchange(arguments, lambda client: request(client, arguments.amount))
        print(f"withdrawal {index} is granted; L1 pays once its epoch is confirmed", flush=True)
        if arguments.no_wait:
            print(f"have it paid then: setoff withdraw --index {index}")
            return 0
        print(f"waiting; if this is stopped: setoff withdraw --index {index}", flush=True)
    elif not 0 <= index < (granted := int(ask_exchange(arguments, SetoffClient.status)["withdrawals"])):
        raise StateError("not_found", f"there is no withdrawal {index}: {granted} were granted, from 0")
    vault = open_vault(arguments)
    while True:
        try:
            proof = ask_exchange(arguments, lambda client: client.withdrawal(index))
            vault.withdraw(proof)
        except Refusal as refusal:
            if refusal.reason != "not_found":
                raise
        except Reverted as refusal:
            if refusal.reason != "not_confirmed":
                raise
        else:
            return _report(proof)
        time.sleep(POLL_SECONDS)


async def request(client: SetoffClient, amount: int) -> int:
    """Ask the exchange; returns the withdrawal's index, found by its account: others may withdraw at the same time.

    Raises Refusal; where withdrawals are limited it says what may leave when.
    """
    before = int((await client.status())["withdrawals"])
    try:
        await client.withdraw(amount)
    except Refusal as refusal:
        limit = describe_exit((await client.account())["exit"])
        if refusal.reason != OUTCOMES[WITHDRAWALS_LIMITED] or not limit:
            raise
        raise Refusal(refusal.reason, limit) from refusal
    account = await client.load()
    while True:
        after = int((await client.status())["withdrawals"])
        for index in range(before, after):
            try:
                if (await client.withdrawal(index)).account == account:
                    return index
            except Refusal:
                break  # its epoch is not complete yet
        time.sleep(POLL_SECONDS / 4)


def _report(proof: WithdrawalProof) -> int:
    print(f"the vault paid {format_amount(proof.amount)} to 0x{proof.owner.hex()}")
    return 0
