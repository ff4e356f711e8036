"""`setoff trade`: orders from the command line."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from setoff.deploy.cli.connections import ask_exchange, ask_money, to_facts
from setoff.deploy.cli.flags import FLAGS, SELF_TRADE
from setoff.deploy.cli.market_words import describe_market, show_time
from setoff.deploy.cli.output import show
from setoff.shared.codec import records
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.wire.scales import MarketScale


def run(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    if arguments.action == "report":
        ask_exchange(arguments, lambda client: report(client, arguments))
    elif arguments.action == "book":
        book = ask_exchange(arguments, lambda client: client.book(arguments.market, 10))
        show(arguments, book, *describe_book(book))
    elif arguments.action == "market":
        market, lines = ask_exchange(arguments, lambda client: look_at_market(client, arguments.market))
        show(arguments, market, *lines)
    else:
        results, lines = ask_exchange(arguments, lambda client: act_and_describe(client, arguments))
        facts = [to_facts(result) for result in results]
        show(arguments, facts if len(facts) > 1 else facts[0], *lines)
    return 0


async def act_and_describe(
    client: SetoffClient, arguments: argparse.Namespace
) -> tuple[Sequence[SubmitResult], list[str]]:
    """Do it; and what came of it in words, of orders with what to do next."""
    if arguments.action == "cancel":
        return await cancel_and_describe(client, arguments)
    results = await act(client, arguments)
    if arguments.action == "crank":
        return results, [f"{describe_result(result)}: time has passed on the market" for result in results]
    if arguments.action == "dead-man":
        return results, [f"{describe_result(results[0])}: {describe_switch(arguments.seconds, await client.now())}"]
    market = arguments.market or await find_market(client, arguments.order_slot)
    scale = None
    with contextlib.suppress(SetoffError):  # it is done: what is only shown may not fail any more
        scale = (await client.scales())[market]
    lines = [describe_order(result, scale) for result in results]
    resting = [str(result.order_slot) for result in results if result.resting]
    if resting:
        lines.append(f"next: `setoff account` shows it, `setoff trade cancel {resting[0]}` takes it back")
    elif any(result.fills for result in results):
        lines.append("next: `setoff account` shows the position, `setoff trade close MARKET` closes it")
    return results, lines


async def find_market(client: SetoffClient, order_slot: int) -> int:
    """The market of an open order, 0 if there is none."""
    return next((int(each["market"]) for each in await client.orders() if each["order_slot"] == order_slot), 0)


def read_number(market: int | str, text: str | int) -> int | str:
    """What was typed of a market: a decimal where that is named by its symbol, else a whole number of ticks or lots.

    Raises InputError.
    """
    if isinstance(text, int) or isinstance(market, str):
        return text
    if "." in text:
        what = f"{text}: market {market} is a number, so lots and ticks are meant; name it by its symbol for decimals"
        raise InputError("bad_parameters", what)
    return int(text)


async def act(client: SetoffClient, arguments: argparse.Namespace) -> Sequence[SubmitResult]:
    """One action of an account, which a pair of armed orders is two records of. Raises Refusal with its reason."""
    if arguments.action == "crank":
        market = arguments.market
        return [await client.crank(market if isinstance(market, int) else (await client.scales()).find(market))]
    if arguments.action == "dead-man":
        return [await client.schedule_cancel(await client.now() + arguments.seconds if arguments.seconds else 0)]
    if arguments.action == "close":
        return [await client.close_position(arguments.market, slippage=arguments.slippage)]
    if arguments.action == "amend":
        return [await amend(client, arguments)]
    if arguments.above is not None and arguments.below is not None:
        return await place_pair(client, arguments)
    return [await place(client, arguments)]


async def amend(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """Another price and size for an order: in ticks and lots, or as decimals of the market that is named."""
    market = arguments.market
    price, size = read_number(market, arguments.price), read_number(market, arguments.size)
    if isinstance(market, str):
        scales = await client.scales()
        price, size = scales.read_price(market, price), scales.read_size(market, size)
    return await client.amend(arguments.order_slot, int(price), int(size))


async def place(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """An order: market, limit or armed."""
    side: int = records.BUY if arguments.action == "buy" else records.SELL
    flags = FLAGS[arguments.flags] | SELF_TRADE[arguments.self_trade]
    if arguments.reduce_only:
        flags |= records.REDUCE_ONLY
    market, own = arguments.market, arguments.client
    size, trigger = read_number(market, arguments.size), read_number(market, 0)
    if arguments.above is not None:
        flags, trigger = flags | records.ABOVE, read_number(market, arguments.above)
    elif arguments.below is not None:
        flags, trigger = flags | records.BELOW, read_number(market, arguments.below)
    expiry = await client.now() + arguments.expires if arguments.expires else 0
    if arguments.price is None and trigger:
        return await client.place_stop(market, side, size, flags, trigger, expiry=expiry, client=own)
    if arguments.price is None:
        flags &= ~records.TIME_IN_FORCE
        return await client.place_market(market, side, size, flags=flags, slippage=arguments.slippage, client=own)
    price = read_number(market, arguments.price)
    return await client.place(market, side, price, size, flags, expiry=expiry, trigger=trigger, client=own)


async def place_pair(client: SetoffClient, arguments: argparse.Namespace) -> tuple[SubmitResult, SubmitResult]:
    """Two armed orders, one above the mark and one below. Raises InputError for what they cannot be."""
    if arguments.price is not None or arguments.client:
        raise InputError(
            "bad_parameters", "two orders at once, --above and --below, have no price and no id of their own"
        )
    side: int = records.BUY if arguments.action == "buy" else records.SELL
    flags = SELF_TRADE[arguments.self_trade] | (records.REDUCE_ONLY if arguments.reduce_only else 0)
    expiry = await client.now() + arguments.expires if arguments.expires else 0
    market = arguments.market
    size, above, below = (read_number(market, text) for text in (arguments.size, arguments.above, arguments.below))
    return await client.place_pair(market, side, size, above, below, flags=flags, expiry=expiry)


async def report(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """The price as of L1's time, once or until the process is stopped: then an exchange that is away for a while, or a
    price that another process reported first, ends nothing."""
    market, price = arguments.market, read_number(arguments.market, arguments.price)
    if isinstance(market, str):
        scales = await client.scales()
        price, market = scales.read_price(market, price), scales.find(market)
    while True:
        try:
            now = await client.now()
            for signer in arguments.signer:
                result = await client.report(signer, now, market, int(price))
                show(arguments, to_facts(result), describe_result(result))
        except (Refusal, Unavailable) as error:
            if not arguments.every or error.reason not in ("not_ready", "pending", "stale_report"):
                raise
            print(f"not reported, tried again in {arguments.every:g} s: {error}", file=sys.stderr, flush=True)
        if not arguments.every:
            return
        await asyncio.sleep(arguments.every)


async def look_at_market(client: SetoffClient, market: int | str) -> tuple[dict[str, Any], list[str]]:
    """A market, and what of it a trader asks for."""
    shown = await client.market(market)
    return shown, describe_market(shown, await client.now(), await ask_money(client))


async def cancel_and_describe(
    client: SetoffClient, arguments: argparse.Namespace
) -> tuple[Sequence[SubmitResult], list[str]]:
    """Take back orders; which they were, and how many are left."""
    before = await client.orders()
    result = await cancel(client, arguments)
    lines = [describe_result(result)]
    with contextlib.suppress(SetoffError):  # it is done, as above
        left = await client.orders()
        slots = {int(order["order_slot"]) for order in left}
        gone = [order for order in before if int(order["order_slot"]) not in slots]
        lines += [f"  taken back: {describe_open(order)}" for order in gone]
        lines.append(f"  {len(left)} open {'order is' if len(left) == 1 else 'orders are'} left")
    return [result], lines


def describe_open(order: Mapping[str, Any]) -> str:
    """An order that could still trade."""
    decimal = order["decimal"]
    return (
        f"{order['side']} {decimal['size']} {order['symbol']} at {decimal['price']}, order slot {order['order_slot']}"
    )


def describe_switch(seconds: int, now: int) -> str:
    """What a dead-man's switch will do."""
    if not seconds:
        return "the switch is off: orders stay as long as they say themselves"
    return f"every open order dies at {show_time(now + seconds)}, unless this is called again before"


async def cancel(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """One order by its order slot or its own id, or all of them."""
    if arguments.all:
        return await client.cancel_all()
    if arguments.client is not None:
        return await client.cancel_client(arguments.client)
    return await client.cancel(arguments.order_slot)


def describe_book(book: Mapping[str, Any]) -> list[str]:
    """The levels, highest price first."""
    lines = []
    for side in ("asks", "bids"):
        levels = book[side][::-1] if side == "asks" else book[side]
        for level in levels:
            price, size = level["decimal"]["price"], level["decimal"]["size"]
            counted = f"{level['price']:>10} {level['size']:>12} in {level['orders']}"
            lines.append(f"{side[:3]} {price:>12} {size:>12} {counted}")
    head = f"{book['symbol']:<4}{'price':>12} {'size':>12} {'ticks':>10} {'lots':>12} in orders"
    return [head, *lines] if lines else ["no orders rest"]


def describe_result(result: SubmitResult) -> str:
    """For people."""
    return f"{result.outcome} as record {result.sequence}, batch {result.batch}"


def describe_order(result: SubmitResult, scale: MarketScale | None = None) -> str:
    """For people: an order; with its market's `scale` in decimals, too."""
    so_far = " so far; the exchange goes on with it" if result.is_paused else ""
    filled, resting, order_slot = result.filled, result.resting, result.order_slot
    said = f"{describe_result(result)}: {filled} lots filled, {resting} rest in order slot {order_slot}{so_far}"
    if not filled and not resting and not result.is_paused:
        said += "\nnothing was traded: nobody was on the other side within the limit; an order with a price may rest"
    if scale is None:
        return said
    fills = [(int(fill["size"]), int(fill["price"])) for fill in result.fills]
    parts = [f"{scale.lot.show(size)} {scale.base} at {scale.tick.show(price)} {scale.quote}" for size, price in fills]
    lines = [f"  {scale.symbol}: filled {part}" for part in parts]
    if resting:
        lines.append(f"  {scale.symbol}: {scale.lot.show(resting)} {scale.base} rests")
    return "\n".join([said, *lines])
