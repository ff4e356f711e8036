"""`setoff force`: any action through the L1 queue, which the operator can neither refuse nor leave out."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from typing import Final

from setoff.deploy.cli.account import describe_exit
from setoff.deploy.cli.agent import DAY, NOBODY, add_scope, parse_address, read_scope
from setoff.deploy.cli.trade import FLAGS
from setoff.deploy.cli.wallet import add_chain, format_amount, parse_amount
from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.settings import read_key
from setoff.shared.errors import ACCEPTED, BUSY, WITHDRAWALS_LIMITED, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.machine.exits import find_exit
from setoff.shared.sdk.bodies import SLIPPAGE
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion, describe, find_withdrawals
from setoff.shared.sdk.replay import InclusionResult
from setoff.shared.sdk.signer import KeySigner

EPILOG: Final = """\
A forced action costs the gas of one L1 transaction. From the force delay on (a day on mainnet, a minute on devnet) no
batch is accepted that leaves it out; if the operator posts none at all, anybody may once it has been silent for too
long (`setoff force post`). What the machine then says of it (accepted, or the reason) is final, and this command shows
it: from L1 alone, by running the posted batches again. No word of the operator's is needed for anything here.

  setoff force withdraw 100 --key FILE              sign, send, wait, and say what became of it
  setoff force withdraw 100 --key FILE --as-sender  no signature: the L1 transaction says who it is from
  setoff force close 1 --key FILE --payer FILE2     signed with the one key, gas paid with the other
  setoff force order sell 1 5 101 --key FILE --print    only print the signed record, for somebody else to send:
  setoff force record 0x01... --payer FILE2
  setoff force pay 3 --key FILE                     have the vault pay withdrawal 3, proven from L1 alone

A record that finds the machine at work (visiting accounts after a change of a price) or its batch full is parked, and
taken before any later record. An operator that lives brings that about with its next batch; where none does,
`setoff force crank 0` lets the machine go on, once or, with many accounts, a few times. This command waits for the end.

While withdrawals are limited (after large draws of the backstop, of insurance, or deleveraging), one of more than may
leave the account is refused, and this command says how much may leave when: all of it fifteen hours after the limit
began. No limit that begins later touches what is in the queue.

The end of an exchange: when its operator has been silent for the time to the wind-down, anybody may `wind-down` it.
Then a `crank` on each market, twice, a minute of batch time apart, settles it; `withdraw`, and `pay` once the epoch is
confirmed. A market whose oracle has been dead for a week is settled by cranks in the same way.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The actions; those of an account first."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    withdraw = actions.add_parser("withdraw", help="take collateral out")
    withdraw.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    transfer = actions.add_parser("transfer", help="move collateral to another account or sub-account")
    transfer.add_argument("peer", type=int, help="account number")
    transfer.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    order = actions.add_parser("order", help="place an order")
    order.add_argument("side", choices=("buy", "sell"))
    order.add_argument("market", type=int)
    order.add_argument("size", type=int, help="lots")
    order.add_argument("price", type=int, help="ticks")
    order.add_argument("--flags", choices=list(FLAGS), default="gtc", help="what becomes of the rest; now %(default)s")
    order.add_argument("--reduce-only", action="store_true", help="only close what is open")
    order.add_argument("--order-slot", type=int, help="order slot; by default a free one")
    close = actions.add_parser("close", help="close a position: reduce-only, at once, at a bound or better")
    close.add_argument("market", type=int)
    close.add_argument("--bound", type=int, metavar="TICKS", help="the worst price; else from the mark and --slippage")
    close.add_argument("--slippage", type=int, metavar="PPM", default=SLIPPAGE,
                       help="how far from the mark on L1; now %(default)s")  # fmt: skip
    cancel = actions.add_parser("cancel", help="take an order back, or all of them")
    cancel.add_argument("order_slot", type=int, nargs="?", help="its order slot")
    cancel.add_argument("--all", action="store_true", help="every order of the account")
    amend = actions.add_parser("amend", help="give an order another price and size")
    for name, text in (("order_slot", "its order slot"), ("size", "lots"), ("price", "ticks")):
        amend.add_argument(name, type=int, help=text)
    agent = actions.add_parser("agent", help="let a key trade for the account, or take its right away")
    agent.add_argument("number", type=int, help="of the agent, 1 to 8")
    agent.add_argument("address", type=parse_address, nargs="?", help="of its key; none takes the right away")
    agent.add_argument("--days", type=float, default=30, help="how long it may; now %(default)s")
    add_scope(agent)
    backstop_deposit = actions.add_parser("backstop-deposit", help="ask for shares of the backstop, for collateral")
    backstop_deposit.add_argument("amount", type=parse_amount)
    backstop_withdraw = actions.add_parser(
        "backstop-withdraw", help="ask to have shares of the backstop turned into collateral"
    )
    backstop_withdraw.add_argument("shares", type=int, nargs="?", help="how many; all by default")
    for action in (withdraw, transfer, order, close, cancel, amend, agent, backstop_deposit, backstop_withdraw):
        action.add_argument("--as-sender", action="store_true",
                            help="no signature: the transaction's sender stands for it")  # fmt: skip
        action.add_argument("--print", action="store_true", help="print the signed record and send nothing")
        action.add_argument("--sub", type=int, metavar="N", default=0, help="act on sub-account N, 1 to 15")
        action.add_argument("--account", dest="principal", metavar="ACCOUNT", type=int, default=0,
                            help="the account that the key trades for, as its --agent")  # fmt: skip
        action.add_argument("--agent", dest="agent", metavar="N", type=int, default=0,
                            help="the number of the key among its agents")  # fmt: skip
    crank = actions.add_parser("crank", help="let time pass on a market: funding, settlement; anybody may")
    crank.add_argument(
        "market",
        type=int,
        help="its number; 0 only lets the machine go on with its own work, and settle requests of the backstop",
    )
    record = actions.add_parser("record", help="send a record that somebody else signed")
    record.add_argument("record", type=parse_record, help="124 bytes in hex, as --print shows them")
    actions.add_parser("wind-down", help="end the exchange, once its operator is gone; anybody may, for good")
    pay = actions.add_parser("pay", help="have the vault pay a withdrawal, proven from L1 alone")
    pay.add_argument("index", type=int, help="its number")
    post = actions.add_parser("post", help="post the waiting messages in the silent operator's place; anybody may")
    for action in actions.choices.values():
        action.add_argument("--key", metavar="KEY", default="", help="private key in hex, or the file that holds it")
        action.add_argument("--payer", metavar="KEY", default="", help="the key that pays the gas, if it is another")
        add_chain(action)
        if action not in (pay, post):
            action.add_argument("--no-wait", action="store_true", help="only queue it")
            action.add_argument("--timeout", type=float, metavar="SECONDS", help="wait no longer; by default for ever")


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what came of it; exit code 1 if the machine refused it."""
    deployment = Deployment.load(arguments.deployment)
    signer = KeySigner(read_key(arguments.key or arguments.payer, "--key"))
    payer = L1(arguments.rpc, read_key(arguments.payer or arguments.key, "--key"), chain_id=deployment.chain_id)
    if arguments.action == "post":
        receipt = post_waiting(payer, deployment)
        print(f"posted in block {receipt.block_number}")
        return 0
    inclusion = ForcedInclusion(
        payer,
        deployment,
        signer,
        as_sender=getattr(arguments, "as_sender", False),
        principal=getattr(arguments, "principal", 0) or None,
        agent=getattr(arguments, "agent", 0),
        sub=getattr(arguments, "sub", 0),
        report=show_batch,
    )
    if arguments.action == "pay":
        receipt = inclusion.pay(arguments.index)
        print(f"the vault paid withdrawal {arguments.index} in block {receipt.block_number}")
        return 0
    if arguments.action == "wind-down":
        return finish(inclusion, arguments, inclusion.wind_down())
    if arguments.action == "crank":
        data = records.encode_crank(arguments.market)
    elif arguments.action == "record":
        data = arguments.record
    else:
        data = make_body(inclusion, arguments)
        if arguments.print:
            print("0x" + inclusion.sign(data).hex())
            return 0
    return finish(inclusion, arguments, send(inclusion, data))


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
        if arguments.all == (arguments.order_slot is not None):
            raise SystemExit("setoff force cancel: name an order slot, or --all")
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


def finish(inclusion: ForcedInclusion, arguments: argparse.Namespace, forced: Forced) -> int:
    """Wait for the outcome."""
    due = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(forced.due))
    print(f"message {forced.index} is queued; from {due} on no batch may leave it out", flush=True)
    if arguments.no_wait:
        return 0
    result = inclusion.wait(forced, arguments.timeout)
    print(describe(result))
    return report(inclusion, arguments, result)


def report(inclusion: ForcedInclusion, arguments: argparse.Namespace, result: InclusionResult) -> int:
    """What else is to be said; returns the exit code."""
    if result.outcome == BUSY and arguments.action == "crank":
        return 0 if arguments.market == 0 else 1
    if result.outcome == WITHDRAWALS_LIMITED:
        print(describe_exit(asdict(find_exit(inclusion.replay.machine, inclusion.account(), int(time.time())))))
    if result.outcome != ACCEPTED:
        return 1
    if arguments.action == "withdraw":
        index = find_withdrawals(inclusion.replay, inclusion.account())[-1]
        print(f"withdrawal {index} of {format_amount(arguments.amount)}: once its epoch is confirmed,")
        print(f"  setoff force pay {index}")
    return 0


def parse_record(text: str) -> bytes:
    """124 bytes in hex. Raises ValueError, which argparse explains."""
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != records.RECORD_BYTES:
        raise ValueError("a record has 124 bytes")
    return data


def show_batch(batch: int) -> None:
    """On a terminal, which batch is run."""
    if sys.stderr.isatty():
        print(f"\rbatch {batch} ", end="", file=sys.stderr, flush=True)
