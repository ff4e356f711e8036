"""`setoff force`: any action through the L1 queue, which the operator can neither refuse nor leave out."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, replace
from typing import Any

from setoff.deploy.cli.advice import OUTCOMES as ADVICE
from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.commands.account import describe_exit
from setoff.deploy.cli.commands.agent import DAY, NOBODY, read_scope
from setoff.deploy.cli.connections import connect, get_money, open_signer
from setoff.deploy.cli.flags import FLAGS
from setoff.deploy.cli.output import show, tell, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.codec import records
from setoff.shared.errors import ACCEPTED, BUSY, OUTCOMES, WITHDRAWALS_LIMITED, InputError
from setoff.shared.l1.account import open_account
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.machine.exits import find_exit
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion, describe, find_withdrawals
from setoff.shared.sdk.ways_out import WaysOut


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what came of it; exit code 1 if the machine refused it."""
    settings = load_client(arguments)
    deployment = settings.load_deployment()
    money = get_money(deployment)
    if "amount" in arguments:
        arguments.amount = money.read(arguments.amount)
    paying = replace(settings, key=arguments.payer, key_password="", key_account="") if arguments.payer else settings
    signer = open_signer(settings if settings.key else paying)
    payer = connect(settings, deployment, open_account(paying))
    if arguments.action == "post":
        receipt = post_waiting(payer, deployment)
        show(arguments, {"block": receipt.block_number}, f"posted in block {receipt.block_number}")
        return 0
    places = DataPlaces(settings.beacon_url, settings.peer_urls)
    if arguments.action == "ways":
        ways = WaysOut(payer, deployment, signer, settings.exchange, sub=arguments.sub, places=places).look()
        show(arguments, {"ways": [way._asdict() for way in ways]}, *(way.text for way in ways))
        return 0
    inclusion = ForcedInclusion(
        payer,
        deployment,
        signer,
        as_sender=getattr(arguments, "as_sender", False),
        principal=getattr(arguments, "principal", 0) or None,
        agent=getattr(arguments, "agent", 0),
        sub=getattr(arguments, "sub", 0),
        places=places,
        report=lambda batch: tell_progress(f"batch {batch}"),
    )
    if arguments.action == "pay":
        receipt = inclusion.pay(arguments.index)
        paid = f"the vault paid withdrawal {arguments.index} in block {receipt.block_number}"
        show(arguments, {"withdrawal": arguments.index, "paid": True, "block": receipt.block_number}, paid)
        return 0
    if arguments.action == "wind-down":
        return finish(inclusion, arguments, inclusion.wind_down(), money)
    if arguments.action == "crank":
        data = records.encode_crank(arguments.market)
    elif arguments.action == "record":
        data = arguments.record
    else:
        data = make_body(inclusion, arguments)
        if arguments.print:
            record = "0x" + inclusion.sign(data).hex()
            show(arguments, {"record": record}, record)
            return 0
    return finish(inclusion, arguments, send(inclusion, data), money)


def make_body(inclusion: ForcedInclusion, arguments: argparse.Namespace) -> bytes:
    """The body of an account's action. Raises InputError with the reason for which it makes no sense."""
    if arguments.agent and arguments.action in (
        "withdraw",
        "transfer",
        "backstop-deposit",
        "backstop-withdraw",
        "agent",
    ):
        raise InputError("bad_signature", "an agent trades; money and keys are the owner's")
    if arguments.action == "withdraw":
        return inclusion.withdraw(arguments.amount)
    if arguments.action == "transfer":
        return inclusion.transfer(arguments.peer, arguments.amount)
    if arguments.action == "order":
        side = records.BUY if arguments.side == "buy" else records.SELL
        flags = FLAGS[arguments.flags] | (records.REDUCE_ONLY if arguments.reduce_only else 0)
        return inclusion.order(
            arguments.market, side, arguments.price, arguments.size, flags, order_slot=arguments.order_slot
        )
    if arguments.action == "close":
        return inclusion.close(arguments.market, arguments.bound, arguments.slippage)
    if arguments.action == "cancel":
        return inclusion.cancel_all() if arguments.all else inclusion.cancel(arguments.order_slot)
    if arguments.action == "amend":
        return inclusion.amend(arguments.order_slot, arguments.price, arguments.size)
    if arguments.action == "agent":
        expiry = int(time.time() + arguments.days * DAY) if arguments.address else 0
        return inclusion.set_agent(arguments.number, arguments.address or NOBODY, expiry, read_scope(arguments))
    if arguments.action == "backstop-deposit":
        return inclusion.backstop_deposit(arguments.amount)
    return inclusion.backstop_withdraw(arguments.shares)


def send(inclusion: ForcedInclusion, data: bytes) -> Forced:
    """Queue a body in the account's name, or a whole record."""
    return inclusion.send(data) if len(data) == records.BODY_BYTES else inclusion.send_record(data)


def finish(inclusion: ForcedInclusion, arguments: argparse.Namespace, forced: Forced, money: Money) -> int:
    """Wait for the outcome, and say it; exit code 1 if it was refused."""
    due = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(forced.due))
    queued = f"message {forced.index} is queued; from {due} on no batch may leave it out"
    facts: dict[str, Any] = {"message": forced.index, "due": forced.due}
    if arguments.no_wait:
        show(arguments, facts, queued, f"what becomes of it: `setoff inspect message {forced.index}`")
        return 0
    tell(arguments, queued)
    result = inclusion.wait(forced, arguments.timeout, tell=tell_progress)
    tell_progress("")
    facts |= result._asdict() | {"outcome": OUTCOMES[result.outcome]}
    lines = [describe(result)]
    if result.outcome == WITHDRAWALS_LIMITED:
        room = asdict(find_exit(inclusion.replay.machine, inclusion.account(), int(time.time())))
        facts["exit"] = room
        lines.append(describe_exit(room, money))
    elif result.outcome not in (ACCEPTED, BUSY):
        lines.append(f"next: {ADVICE[OUTCOMES[result.outcome]]}")
    elif arguments.action == "withdraw" and result.outcome == ACCEPTED:
        index = find_withdrawals(inclusion.replay, inclusion.account())[-1]
        facts["withdrawal"] = index
        lines += [
            f"withdrawal {index} of {money.show(arguments.amount)}: once its epoch is confirmed,",
            f"  setoff force pay {index}",
        ]
    show(arguments, facts, *lines)
    is_pushed = result.outcome == BUSY and arguments.action == "crank" and arguments.market == 0
    return 0 if result.outcome == ACCEPTED or is_pushed else 1
