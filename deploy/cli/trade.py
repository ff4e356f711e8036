"""`setoff trade`: orders from the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any, Final

from setoff.deploy.cli.wallet import add_exchange, ask_exchange
from setoff.shared.codec import records
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bodies import SLIPPAGE
from setoff.shared.sdk.client import SetoffClient, SubmitResult

FLAGS: Final[dict[str, int]] = {
    "gtc": records.GTC,
    "ioc": records.IOC,
    "post-only": records.POST_ONLY,
    "fok": records.FOK,
}
SELF_TRADE: Final[dict[str, int]] = {
    "cancel-maker": records.CANCEL_MAKER,
    "cancel-taker": records.CANCEL_TAKER,
    "cancel-both": records.CANCEL_BOTH,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Buy, sell, change, cancel, report a price, look at the book."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for side in ("buy", "sell"):
        add_order(actions.add_parser(side, help=f"an order to {side}"))
    close = actions.add_parser("close", help="close the position in a market at once")
    close.add_argument("market", type=int)
    add_slippage(close)
    amend = actions.add_parser("amend", help="give an order another price and size; only less of it keeps its turn")
    amend.add_argument("order_slot", type=int, help="the order slot that the exchange named")
    amend.add_argument("size", type=int, help="lots")
    amend.add_argument("price", type=int, help="ticks")
    cancel = actions.add_parser("cancel", help="take an order back")
    cancel.add_argument("order_slot", type=int, nargs="?", help="the order slot that the exchange named")
    cancel.add_argument("--client", type=int, metavar="ID", help="the order with this id of your own instead")
    cancel.add_argument("--all", action="store_true", help="every order of the account, at once")
    switch = actions.add_parser("dead-man", help="let every order die after a while, unless this is called again")
    switch.add_argument("seconds", type=int, help="from now on; 0 switches it off")
    report = actions.add_parser("report", help="report a price, with the key of an oracle signer")
    report.add_argument("market", type=int)
    report.add_argument("price", type=int, help="ticks")
    report.add_argument("--signer", type=int, action="append", required=True,
                        help="the signer's number; repeatable where signers share the key")  # fmt: skip
    report.add_argument("--every", type=float, metavar="SECONDS", help="again and again: a price is fresh for a minute")
    crank = actions.add_parser(
        "crank", help="let time pass on a market: funding, settlement; anybody may, once a minute"
    )
    crank.add_argument("market", type=int)
    book = actions.add_parser("book", help="the best levels of a market")
    book.add_argument("market", type=int)
    market = actions.add_parser("market", help="prices, funding, margins and limits of a market")
    market.add_argument("market", type=int)
    for action in actions.choices.values():
        add_exchange(action)


def add_order(order: argparse.ArgumentParser) -> None:
    """The arguments of an order."""
    order.add_argument("market", type=int)
    order.add_argument("size", type=int, help="lots")
    order.add_argument("price", type=int, nargs="?",
                       help="ticks; without it a market order, bounded by --slippage and the price band; one that "
                            "waits is bounded by the band alone")  # fmt: skip
    order.add_argument("--flags", choices=list(FLAGS), default="gtc", help="what becomes of the rest; now %(default)s")
    order.add_argument("--reduce-only", action="store_true", help="only close what is open")
    order.add_argument("--expires", type=int, metavar="SECONDS", default=0, help="dies after so many seconds from now")
    order.add_argument("--above", type=int, metavar="TICKS", help="waits until the mark has risen to this price")
    order.add_argument("--below", type=int, metavar="TICKS",
                       help="waits until the mark has fallen to this price; with --above two market orders wait, of "
                            "which one trades and takes the other out")  # fmt: skip
    order.add_argument("--self-trade", choices=list(SELF_TRADE), default="cancel-maker",
                       help="what happens where it meets an order of your own; now %(default)s")  # fmt: skip
    order.add_argument("--client", type=int, metavar="ID", default=0, help="an id of your own, to cancel it by")
    add_slippage(order)


def add_slippage(parser: argparse.ArgumentParser) -> None:
    """`--slippage`."""
    parser.add_argument("--slippage", type=int, metavar="PPM", default=SLIPPAGE,
                        help="how far from the mark a market order may trade; now %(default)s")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    ask_exchange(arguments, lambda client: act(client, arguments))
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """One action at the exchange. Raises Refusal with its reason."""
    if arguments.action == "book":
        print_book(await client.book(arguments.market, 10))
    elif arguments.action == "market":
        print_market(await client.market(arguments.market))
    elif arguments.action == "report":
        await report(client, arguments)
    elif arguments.action == "crank":
        print(_describe(await client.crank(arguments.market)))
    elif arguments.action == "dead-man":
        deadline = await client.now() + arguments.seconds if arguments.seconds else 0
        print(_describe(await client.schedule_cancel(deadline)))
    elif arguments.action == "cancel":
        print(_describe(await cancel(client, arguments)))
    elif arguments.action == "close":
        print(_describe_order(await client.close_position(arguments.market, slippage=arguments.slippage)))
    elif arguments.action == "amend":
        print(_describe_order(await client.amend(arguments.order_slot, arguments.price, arguments.size)))
    elif arguments.above is not None and arguments.below is not None:
        for result in await place_pair(client, arguments):
            print(_describe_order(result))
    else:
        print(_describe_order(await place(client, arguments)))


async def place(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """An order: market, limit or armed."""
    side: int = records.BUY if arguments.action == "buy" else records.SELL
    flags = FLAGS[arguments.flags] | SELF_TRADE[arguments.self_trade]
    if arguments.reduce_only:
        flags |= records.REDUCE_ONLY
    market, size, own = arguments.market, arguments.size, arguments.client
    trigger = 0
    if arguments.above is not None:
        flags, trigger = flags | records.ABOVE, arguments.above
    elif arguments.below is not None:
        flags, trigger = flags | records.BELOW, arguments.below
    expiry = await client.now() + arguments.expires if arguments.expires else 0
    if arguments.price is None and trigger:
        return await client.place_stop(market, side, size, flags, trigger, expiry=expiry, client=own)
    if arguments.price is None:
        flags &= ~records.TIME_IN_FORCE
        return await client.place_market(market, side, size, flags=flags, slippage=arguments.slippage, client=own)
    return await client.place(market, side, arguments.price, size, flags, expiry=expiry, trigger=trigger, client=own)


async def place_pair(client: SetoffClient, arguments: argparse.Namespace) -> tuple[SubmitResult, SubmitResult]:
    """Two armed orders, one above the mark and one below. Raises SystemExit for what they cannot be."""
    if arguments.price is not None or arguments.client:
        raise SystemExit("setoff trade: two orders at once, --above and --below, have no price and no id of their own")
    side: int = records.BUY if arguments.action == "buy" else records.SELL
    flags = SELF_TRADE[arguments.self_trade] | (records.REDUCE_ONLY if arguments.reduce_only else 0)
    expiry = await client.now() + arguments.expires if arguments.expires else 0
    return await client.place_pair(
        arguments.market, side, arguments.size, arguments.above, arguments.below, flags=flags, expiry=expiry
    )


async def report(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """The price as of L1's time, once or until the process is stopped: then an exchange that is away for a while, or a
    price that another process reported first, ends nothing."""
    while True:
        try:
            now = await client.now()
            for signer in arguments.signer:
                print(_describe(await client.report(signer, now, arguments.market, arguments.price)), flush=True)
        except (Refusal, Unavailable) as error:
            if not arguments.every or error.reason not in ("not_ready", "stale_report"):
                raise
            print(f"not reported, tried again in {arguments.every:g} s: {error}", file=sys.stderr, flush=True)
        if not arguments.every:
            return
        await asyncio.sleep(arguments.every)


async def cancel(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """One order by its order slot or its own id, or all of them. Raises SystemExit, as argparse does, if none is."""
    if arguments.all:
        return await client.cancel_all()
    if arguments.client is not None:
        return await client.cancel_client(arguments.client)
    if arguments.order_slot is None:
        raise SystemExit("setoff trade cancel: name an order slot, --client ID or --all")
    return await client.cancel(arguments.order_slot)


def print_book(book: dict[str, Any]) -> None:
    """The levels, highest price first."""
    if not book["asks"] and not book["bids"]:
        print("no orders rest")
    for side in ("asks", "bids"):
        levels = book[side][::-1] if side == "asks" else book[side]
        for level in levels:
            print(f"{side[:3]} {level['price']:>10} {level['size']:>12} in {level['orders']}")


def print_market(market: dict[str, Any]) -> None:
    """One line a figure."""
    for name, value in market.items():
        if name == "tiers":
            for tier in value:
                margins = f"{tier['initial_margin']} / {tier['maintenance_margin']}"
                print(f"{'margin ppm from ' + tier['size'] + ' lots':<28} {margins}")
        else:
            print(f"{name.replace('_', ' '):<28} {value}")


def _describe(result: SubmitResult) -> str:
    return f"{result.outcome} as record {result.sequence}, batch {result.batch}"


def _describe_order(result: SubmitResult) -> str:
    so_far = " so far; the exchange goes on with it" if result.is_paused else ""
    filled, resting, order_slot = result.filled, result.resting, result.order_slot
    return f"{_describe(result)}: {filled} lots filled, {resting} rest in order slot {order_slot}{so_far}"
