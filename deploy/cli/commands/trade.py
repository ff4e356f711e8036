"""`setoff trade`: orders from the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from setoff.deploy.cli.connections import ask_exchange, to_facts
from setoff.deploy.cli.flags import FLAGS, SELF_TRADE
from setoff.deploy.cli.output import show
from setoff.shared.codec import records
from setoff.shared.errors import InputError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient, SubmitResult


def run(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    if arguments.action == "report":
        ask_exchange(arguments, lambda client: report(client, arguments))
    elif arguments.action == "book":
        book = ask_exchange(arguments, lambda client: client.book(arguments.market, 10))
        show(arguments, book, *describe_book(book))
    elif arguments.action == "market":
        market = ask_exchange(arguments, lambda client: client.market(arguments.market))
        show(arguments, market, *describe_market(market))
    else:
        results = ask_exchange(arguments, lambda client: act(client, arguments))
        describe = describe_result if arguments.action in ("crank", "dead-man", "cancel") else describe_order
        facts = [to_facts(result) for result in results]
        show(arguments, facts if len(facts) > 1 else facts[0], *map(describe, results))
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> Sequence[SubmitResult]:
    """One action of an account, which a pair of armed orders is two records of. Raises Refusal with its reason."""
    if arguments.action == "crank":
        return [await client.crank(arguments.market)]
    if arguments.action == "dead-man":
        return [await client.schedule_cancel(await client.now() + arguments.seconds if arguments.seconds else 0)]
    if arguments.action == "cancel":
        return [await cancel(client, arguments)]
    if arguments.action == "close":
        return [await client.close_position(arguments.market, slippage=arguments.slippage)]
    if arguments.action == "amend":
        return [await client.amend(arguments.order_slot, arguments.price, arguments.size)]
    if arguments.above is not None and arguments.below is not None:
        return await place_pair(client, arguments)
    return [await place(client, arguments)]


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
    """Two armed orders, one above the mark and one below. Raises InputError for what they cannot be."""
    if arguments.price is not None or arguments.client:
        raise InputError(
            "bad_parameters", "two orders at once, --above and --below, have no price and no id of their own"
        )
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
                result = await client.report(signer, now, arguments.market, arguments.price)
                show(arguments, to_facts(result), describe_result(result))
        except (Refusal, Unavailable) as error:
            if not arguments.every or error.reason not in ("not_ready", "stale_report"):
                raise
            print(f"not reported, tried again in {arguments.every:g} s: {error}", file=sys.stderr, flush=True)
        if not arguments.every:
            return
        await asyncio.sleep(arguments.every)


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
        lines += [f"{side[:3]} {level['price']:>10} {level['size']:>12} in {level['orders']}" for level in levels]
    return lines or ["no orders rest"]


def describe_market(market: Mapping[str, Any]) -> list[str]:
    """One line a figure."""
    lines = []
    for name, value in market.items():
        if name == "tiers":
            for tier in value:
                margins = f"{tier['initial_margin']} / {tier['maintenance_margin']}"
                lines.append(f"{'margin ppm from ' + tier['size'] + ' lots':<28} {margins}")
        else:
            lines.append(f"{name.replace('_', ' '):<28} {value}")
    return lines


def describe_result(result: SubmitResult) -> str:
    """For people."""
    return f"{result.outcome} as record {result.sequence}, batch {result.batch}"


def describe_order(result: SubmitResult) -> str:
    """For people: an order."""
    so_far = " so far; the exchange goes on with it" if result.is_paused else ""
    filled, resting, order_slot = result.filled, result.resting, result.order_slot
    return f"{describe_result(result)}: {filled} lots filled, {resting} rest in order slot {order_slot}{so_far}"
