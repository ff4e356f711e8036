"""`setoff force`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.agent import add_scope
from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_address, parse_record, parse_time, parse_whole
from setoff.deploy.cli.flags import FLAGS
from setoff.shared.wire.slippage import SLIPPAGE

EPILOG: Final = """\
A forced action costs the gas of one L1 transaction. From the force delay on (a day on mainnet, a minute on devnet) no
batch is accepted that leaves it out; if the operator posts none at all, anybody may once it has been silent for too
long (`setoff force post`). What the machine then says of it (accepted, or the reason) is final, and this command shows
it: from L1 alone, by running the posted batches again. No word of the operator's is needed for anything here. Later
`setoff inspect message NUMBER` says the same.

Sign, send, wait, and say what became of it:
  setoff force withdraw 100 --key FILE
No signature, the L1 transaction says who it is from:
  setoff force withdraw 100 --key FILE --as-sender
Signed with the one key, gas paid with the other:
  setoff force close 1 --key FILE --payer FILE2
Only print the signed record, for somebody else to send:
  setoff force order sell 1 5 101 --key FILE --print
  setoff force record 0x01... --payer FILE2
Which ways out are open, for how much, and when:
  setoff force ways --key FILE
Have the vault pay withdrawal 3, proven from L1 alone:
  setoff force pay 3 --key FILE

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
    transfer.add_argument("peer", type=parse_whole, help="account number")
    transfer.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    order = actions.add_parser("order", help="place an order")
    order.add_argument("side", choices=("buy", "sell"), help="which")
    order.add_argument("market", type=parse_whole, help="its number")
    order.add_argument("size", type=parse_whole, help="lots")
    order.add_argument("price", type=parse_whole, help="ticks")
    order.add_argument("--flags", choices=list(FLAGS), default="gtc", help="what becomes of the rest; now %(default)s")
    order.add_argument("--reduce-only", action="store_true", help="only close what is open")
    order.add_argument("--order-slot", type=parse_whole, help="order slot; by default a free one")
    close = actions.add_parser("close", help="close a position: reduce-only, at once, at a bound or better")
    close.add_argument("market", type=parse_whole, help="its number")
    close.add_argument(
        "--bound", type=parse_whole, metavar="TICKS", help="the worst price; else from the mark and --slippage"
    )
    close.add_argument("--slippage", type=parse_whole, metavar="PPM", default=SLIPPAGE,
                       help="how far from the mark on L1; now %(default)s")  # fmt: skip
    cancel = actions.add_parser("cancel", help="take an order back, or all of them")
    which = cancel.add_mutually_exclusive_group(required=True)
    which.add_argument("order_slot", type=parse_whole, nargs="?", help="its order slot")
    which.add_argument("--all", action="store_true", help="every order of the account")
    amend = actions.add_parser("amend", help="give an order another price and size")
    for name, text in (("order_slot", "its order slot"), ("size", "lots"), ("price", "ticks")):
        amend.add_argument(name, type=parse_whole, help=text)
    agent = actions.add_parser("agent", help="let a key trade for the account, or take its right away")
    agent.add_argument("number", type=parse_whole, help="of the agent, 1 to 8")
    agent.add_argument("address", type=parse_address, nargs="?", help="of its key; none takes the right away")
    agent.add_argument("--days", type=parse_time, default=30.0, help="how long it may; now %(default)g")
    add_scope(agent)
    backstop_deposit = actions.add_parser("backstop-deposit", help="ask for shares of the backstop, for collateral")
    backstop_deposit.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    backstop_withdraw = actions.add_parser(
        "backstop-withdraw", help="ask to have shares of the backstop turned into collateral"
    )
    backstop_withdraw.add_argument("shares", type=parse_whole, nargs="?", help="how many; all by default")
    for action in (withdraw, transfer, order, close, cancel, amend, agent, backstop_deposit, backstop_withdraw):
        action.add_argument("--as-sender", action="store_true",
                            help="no signature: the transaction's sender stands for it")  # fmt: skip
        action.add_argument("--print", action="store_true", help="print the signed record and send nothing")
        action.add_argument("--sub", type=parse_whole, metavar="N", default=0, help="act on sub-account N, 1 to 15")
        action.add_argument("--account", dest="principal", metavar="ACCOUNT", type=parse_whole, default=0,
                            help="the account that the key trades for, as its --agent")  # fmt: skip
        action.add_argument("--agent", dest="agent", metavar="N", type=parse_whole, default=0,
                            help="the number of the key among its agents")  # fmt: skip
    crank = actions.add_parser("crank", help="let time pass on a market: funding, settlement; anybody may")
    crank.add_argument(
        "market",
        type=parse_whole,
        help="its number; 0 only lets the machine go on with its own work, and settle requests of the backstop",
    )
    record = actions.add_parser("record", help="send a record that somebody else signed")
    record.add_argument("record", type=parse_record, help="124 bytes in hex, as --print shows them")
    actions.add_parser("wind-down", help="end the exchange, once its operator is gone; anybody may, for good")
    pay = actions.add_parser("pay", help="have the vault pay a withdrawal, proven from L1 alone")
    pay.add_argument("index", type=parse_whole, help="its number")
    post = actions.add_parser("post", help="post the waiting messages in the silent operator's place; anybody may")
    ways = actions.add_parser("ways", help="which ways out are open, for how much, and from when on; sends nothing")
    ways.add_argument("--sub", type=parse_whole, metavar="N", default=0, help="of sub-account N, 1 to 15")
    for action in actions.choices.values():
        action.add_argument("--payer", metavar="KEY", default="", help="the key that pays the gas, if it is another")
        if action not in (pay, post, ways):
            action.add_argument("--no-wait", action="store_true", help="only queue it")
            action.add_argument(
                "--timeout", type=parse_time, metavar="SECONDS", help="wait no longer; by default for ever"
            )
        add_chain(action, "key", "beacon_url", "peers", *(["exchange"] if action is ways else []))
