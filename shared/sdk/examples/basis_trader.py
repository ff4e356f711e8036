"""A basis trader: sells the perpetual when it is dear beside its index, buys it back when it no longer is.

    python -m setoff.shared.sdk.examples.basis_trader --market BTC-PERP --size 0.01 --enter-bps 20 --exit-bps 5

The other leg is spot, held elsewhere: it says what to hold there. What the two earn together is the basis at which they
were opened, and the funding that a dear perpetual pays until then. The other way round for one that is cheap.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from decimal import Decimal

from setoff.shared.codec.records import BUY, IOC, REDUCE_ONLY, SELL
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.sdk import KeySigner, LocalBook, Refusal, SetoffClient


async def trade(arguments: argparse.Namespace) -> None:
    """Look at each change of the book, until the time is over."""
    settings = ClientSettings.load()
    end = time.monotonic() + arguments.seconds
    async with (
        SetoffClient(settings.exchange, KeySigner(settings.private_key())) as client,
        client.book(arguments.market) as book,
    ):
        while time.monotonic() < end:
            await look(client, book, arguments)
            await asyncio.sleep(arguments.pause)


async def look(client: SetoffClient, book: LocalBook, arguments: argparse.Namespace) -> None:
    """Open, close, or leave it as it is."""
    if not book.is_live:
        print("the connection is lost: nothing is done by an old book", flush=True)
        return
    market = await client.market(arguments.market)
    index, rate = Decimal(market["decimal"]["index"]), Decimal(market["funding_rate"])
    position = (await client.balance()).find(arguments.market)
    held = position.size if position else Decimal()
    bid, ask = book.best_bid, book.best_ask
    if bid is None or ask is None:
        return
    over, under = (bid.price / index - 1) * 10_000, (ask.price / index - 1) * 10_000
    print(
        f"index {index}, bid {over:+.1f} bps, ask {under:+.1f} bps, funding {rate / 100:+.4f} bps an hour", flush=True
    )
    try:
        if not held and over > arguments.enter_bps:
            result = await client.place(arguments.market, SELL, bid.price, arguments.size, IOC)
        elif not held and under < -arguments.enter_bps:
            result = await client.place(arguments.market, BUY, ask.price, arguments.size, IOC)
        elif held < 0 and under < arguments.exit_bps:
            result = await client.place(arguments.market, BUY, ask.price, -held, IOC | REDUCE_ONLY)
        elif held > 0 and over > -arguments.exit_bps:
            result = await client.place(arguments.market, SELL, bid.price, held, IOC | REDUCE_ONLY)
        else:
            return
    except Refusal as refusal:
        print(f"refused: {refusal}", flush=True)
        return
    for each in result.executions:
        print(f"{each.side} {each.size} at {each.price}", flush=True)
    after = (await client.balance()).find(arguments.market)
    print(f"hold {-(after.size if after else Decimal())} of spot beside it", flush=True)


def main() -> None:
    """From the command line; exchange and key are settings (SETOFF_EXCHANGE, SETOFF_KEY)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--market", default="BTC-PERP", help="its symbol")
    parser.add_argument("--size", type=Decimal, default=Decimal("0.01"), help="to trade at once, in base")
    parser.add_argument("--enter-bps", type=Decimal, default=Decimal(20), help="of the index, from which on to open")
    parser.add_argument("--exit-bps", type=Decimal, default=Decimal(5), help="of the index, up to which to close")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to trade")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two looks")
    asyncio.run(trade(parser.parse_args()))


if __name__ == "__main__":
    main()
