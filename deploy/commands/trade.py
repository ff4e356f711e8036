"""`setoff trade`: orders from the command line."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.commands.wallet import add_exchange, ask_exchange
from setoff.shared.client.client import Receipt, SetoffClient
from setoff.shared.codec import records

FLAGS: Final[dict[str, int]] = {"gtc": records.GTC, "ioc": records.IOC, "post-only": records.POST_ONLY}


def configure(parser: argparse.ArgumentParser) -> None:
    """Buy, sell, cancel, report a price, look at the book."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for side in ("buy", "sell"):
        order = actions.add_parser(side, help=f"a limit order to {side}")
        order.add_argument("market", type=int)
        order.add_argument("size", type=int, help="lots")
        order.add_argument("price", type=int, help="ticks")
        order.add_argument(
            "--flags", choices=list(FLAGS), default="gtc", help="what becomes of the rest; now %(default)s"
        )
        add_exchange(order)
    cancel = actions.add_parser("cancel", help="take an order back")
    cancel.add_argument("slot", type=int, help="the order slot that the receipt named")
    add_exchange(cancel)
    report = actions.add_parser("report", help="report a price, with the key of an oracle signer")
    report.add_argument("market", type=int)
    report.add_argument("price", type=int, help="ticks")
    report.add_argument("--signer", type=int, required=True, help="the signer's number")
    add_exchange(report)
    book = actions.add_parser("book", help="the best levels of a market")
    book.add_argument("market", type=int)
    add_exchange(book)


def run(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    ask_exchange(arguments, lambda client: act(client, arguments))
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """One action at the exchange. Raises Refusal with its reason."""
    if arguments.action == "book":
        book = await client.book(arguments.market, 10)
        for side in ("asks", "bids"):
            levels = book[side][::-1] if side == "asks" else book[side]
            for level in levels:
                print(f"{side[:3]} {level['price']:>10} {level['size']:>12} in {level['orders']}")
    elif arguments.action == "report":
        now = (await client.status())["l1_time"]
        print(_describe(await client.report(arguments.signer, now, arguments.market, arguments.price)))
    elif arguments.action == "cancel":
        print(_describe(await client.cancel(arguments.slot)))
    else:
        taken: int = records.BUY if arguments.action == "buy" else records.SELL
        flags = FLAGS[arguments.flags]
        receipt = await client.place(arguments.market, taken, arguments.price, arguments.size, flags)
        print(f"{_describe(receipt)}: {receipt.filled} lots filled, {receipt.resting} rest in slot {receipt.place}")


def _describe(receipt: Receipt) -> str:
    return f"accepted as record {receipt.sequence}, batch {receipt.batch}"
