"""`setoff trade`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments.common import add_exchange
from setoff.deploy.cli.arguments.words import parse_market, parse_number, parse_time, parse_whole
from setoff.deploy.cli.flags import FLAGS, SELF_TRADE
from setoff.shared.wire.slippage import SLIPPAGE

UNITS: Final = """\
A market is named by its symbol, and then sizes and prices are decimals; or by its number, and then they are
lots and ticks. The same order:
  setoff trade buy BTC-PERP 0.001 77990
  setoff trade buy 1 10 77990"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Buy, sell, change, cancel, report a price, look at the book."""
    parser.epilog = UNITS
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for side in ("buy", "sell"):
        add_order(actions.add_parser(side, help=f"an order to {side}"))
    close = actions.add_parser("close", help="close the position in a market at once")
    add_market(close)
    add_slippage(close)
    amend = actions.add_parser("amend", help="give an order another price and size; only less of it keeps its turn")
    amend.add_argument("order_slot", type=parse_whole, help="the order slot that the exchange named")
    amend.add_argument("size", type=parse_number, help="lots, or with --market a decimal")
    amend.add_argument("price", type=parse_number, help="ticks, or with --market a decimal")
    amend.add_argument("--market", type=parse_market, metavar="SYMBOL", default=0, help="of the order: for decimals")
    cancel = actions.add_parser("cancel", help="take an order back")
    which = cancel.add_mutually_exclusive_group(required=True)
    which.add_argument("order_slot", type=parse_whole, nargs="?", help="the order slot that the exchange named")
    which.add_argument("--client", type=parse_whole, metavar="ID", help="the order with this id of your own instead")
    which.add_argument("--all", action="store_true", help="every order of the account, at once")
    switch = actions.add_parser("dead-man", help="let every order die after a while, unless this is called again")
    switch.add_argument("seconds", type=parse_whole, help="from now on; 0 switches it off")
    report = actions.add_parser("report", help="report a price, with the key of an oracle signer")
    add_market(report)
    report.add_argument("price", type=parse_number, help="ticks, or a decimal where the market is a symbol")
    report.add_argument("--signer", type=parse_whole, action="append", required=True,
                        help="the signer's number; repeatable where signers share the key")  # fmt: skip
    report.add_argument(
        "--every", type=parse_time, metavar="SECONDS", help="again and again: a price is fresh for a minute"
    )
    crank = actions.add_parser(
        "crank", help="let time pass on a market: funding, settlement; anybody may, once a minute"
    )
    book = actions.add_parser("book", help="the best levels of a market")
    market = actions.add_parser("market", help="prices, funding, margins and limits of a market")
    for action in (crank, book, market):
        add_market(action)
    for action in actions.choices.values():
        add_exchange(action)


def add_market(parser: argparse.ArgumentParser) -> None:
    """Which market."""
    parser.add_argument("market", type=parse_market, help="its symbol, as BTC-PERP, or its number")


def add_order(order: argparse.ArgumentParser) -> None:
    """The arguments of an order."""
    add_market(order)
    order.add_argument("size", type=parse_number, help="how much: a decimal, or lots where the market is a number")
    order.add_argument("price", type=parse_number, nargs="?",
                       help="a decimal, or ticks where the market is a number; without it a market order, bounded by "
                            "--slippage and the price band; one that waits is bounded by the band alone")  # fmt: skip
    order.add_argument("--flags", choices=list(FLAGS), default="gtc", help="what becomes of the rest; now %(default)s")
    order.add_argument("--reduce-only", action="store_true", help="only close what is open")
    order.add_argument(
        "--expires", type=parse_whole, metavar="SECONDS", default=0, help="dies after so many seconds from now"
    )
    order.add_argument(
        "--above", type=parse_number, metavar="PRICE", help="waits until the mark has risen to this price"
    )
    order.add_argument("--below", type=parse_number, metavar="PRICE",
                       help="waits until the mark has fallen to this price; with --above two market orders wait, of "
                            "which one trades and takes the other out")  # fmt: skip
    order.add_argument("--self-trade", choices=list(SELF_TRADE), default="cancel-maker",
                       help="what happens where it meets an order of your own; now %(default)s")  # fmt: skip
    order.add_argument("--client", type=parse_whole, metavar="ID", default=0, help="an id of your own, to cancel it by")
    add_slippage(order)


def add_slippage(parser: argparse.ArgumentParser) -> None:
    """`--slippage`."""
    parser.add_argument("--slippage", type=parse_whole, metavar="PPM", default=SLIPPAGE,
                        help="how far from the mark a market order may trade; now %(default)s")  # fmt: skip
