"""A risk monitor: follows an account, says how far it is from liquidation, and makes it smaller before the rules do.

    python -m setoff.shared.sdk.examples.risk_monitor --least-buffer 0.25

The buffer is what is left of the equity beyond the maintenance margin, as a part of it. Below the least one all orders
are taken back and half of the largest position is closed, as often as it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from decimal import Decimal

from setoff.shared.codec.records import BUY, REDUCE_ONLY, SELL
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.sdk import Balance, KeySigner, Refusal, SetoffClient


async def watch(arguments: argparse.Namespace) -> None:
    """Look at each change of the account, which is told at most twice a second."""
    settings = ClientSettings.load()
    end = time.monotonic() + arguments.seconds
    async with SetoffClient(settings.exchange, KeySigner(settings.private_key())) as client:
        stream = client.subscribe("account")
        while (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(anext(stream), None if left == float("inf") else left)
            except TimeoutError:
                return
            balance = Balance.read(message["data"])
            buffer = balance.buffer / balance.equity if balance.equity > 0 else Decimal(-1)
            print(describe(balance, buffer), flush=True)
            if balance.positions and buffer < arguments.least_buffer:
                await reduce(client, balance)


def describe(balance: Balance, buffer: Decimal) -> str:
    """One line."""
    exposure = sum((abs(each.value) for each in balance.positions), Decimal())
    leverage = exposure / balance.equity if balance.equity > 0 else Decimal("Infinity")
    prices = [f"{each.symbol} at {each.liquidation_price}" for each in balance.positions if each.liquidation_price]
    where = f"liquidated with {', '.join(prices)}" if prices else "no price liquidates it"
    return f"equity {balance.equity:.2f}, leverage {leverage:.2f}, buffer {buffer:.1%}, {where}"


async def reduce(client: SetoffClient, balance: Balance) -> None:
    """Take all orders back, and close half of the largest position."""
    if balance.orders:
        await client.cancel_all()
    largest = max(balance.positions, key=lambda each: abs(each.value))
    lot = (await client.scales())[largest.market].lot
    lots = lot.read(abs(largest.size), "the size", "size_out_of_range")
    side = SELL if largest.size > 0 else BUY
    try:
        result = await client.place_market(largest.market, side, max(1, lots // 2), flags=REDUCE_ONLY)
    except Refusal as refusal:
        print(f"{largest.symbol} cannot be made smaller now: {refusal}", flush=True)
        return
    print(f"the buffer is too small: closed {lot.show(result.filled)} of {largest.symbol}", flush=True)


def main() -> None:
    """From the command line; exchange and key are settings (SETOFF_EXCHANGE, SETOFF_KEY)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--least-buffer", type=Decimal, default=Decimal("0.25"), help="part of the equity")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to watch")
    asyncio.run(watch(parser.parse_args()))


if __name__ == "__main__":
    main()
