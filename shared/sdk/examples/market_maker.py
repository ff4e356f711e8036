"""A market maker: two quotes a side around the index, replaced under one signature, and a dead-man's switch.

    python -m setoff.shared.sdk.examples.market_maker --market BTC-PERP --size 0.01 --spread-bps 10

If this program or its connection dies, the exchange itself takes the orders back after SWITCH seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from decimal import Decimal
from typing import Final

from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.sdk import KeySigner, Quoter, SetoffClient

SWITCH: Final = 30
PAUSE: Final = 2.0
LEVELS: Final = 2


async def quote(arguments: argparse.Namespace) -> None:
    """Quote until the time is over, then take everything back."""
    settings = ClientSettings.load()
    signer = KeySigner(settings.private_key())
    end = time.monotonic() + arguments.seconds
    async with SetoffClient(settings.exchange, signer) as client:
        tick = (await client.scales())[arguments.market].tick
        quoter = Quoter(client, arguments.market)
        try:
            while time.monotonic() < end:
                await client.schedule_cancel(await client.now() + SWITCH)
                index = Decimal((await client.market(arguments.market))["decimal"]["index"])
                position = (await client.balance()).find(arguments.market)
                held = position.size if position else Decimal()
                # Whoever holds a lot quotes a little lower, to get rid of it.
                middle = index - index * arguments.spread_bps / 20_000 * max(-4, min(4, held / arguments.size))
                bids, asks = [], []
                for level in range(1, LEVELS + 1):
                    distance = index * arguments.spread_bps / 10_000 * level
                    bids.append((round_to(middle - distance, tick.mantissa, tick.places), arguments.size))
                    asks.append((round_to(middle + distance, tick.mantissa, tick.places), arguments.size))
                result = await quoter.replace(bids, asks)
                resting = sum(1 for lots in result.legs if lots)
                print(
                    f"index {index}: {resting} quotes from {bids[-1][0]} to {asks[-1][0]}, position {held}", flush=True
                )
                await asyncio.sleep(PAUSE)
        finally:
            await quoter.pull()
            await client.schedule_cancel(0)
            print("all quotes are taken back", flush=True)


def round_to(price: Decimal, mantissa: int, places: int) -> Decimal:
    """The nearest price that is a whole number of ticks."""
    tick = Decimal(mantissa).scaleb(-places)
    return round(price / tick) * tick


def main() -> None:
    """From the command line; exchange and key are settings (SETOFF_EXCHANGE, SETOFF_KEY)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--market", default="BTC-PERP", help="its symbol")
    parser.add_argument("--size", type=Decimal, default=Decimal("0.01"), help="of each quote, in base")
    parser.add_argument("--spread-bps", type=Decimal, default=Decimal(10), help="from the middle, for each level")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to quote")
    asyncio.run(quote(parser.parse_args()))


if __name__ == "__main__":
    main()
