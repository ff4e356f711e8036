"""What a bot is shown of an account, held against the exchange's own view of it, to the unit."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from tests.support.gateways.ccxt_bot import ccxt_bot
from tests.support.gateways.sdk_bot import SdkBot
from tests.support.waiting import until, wait_until


def assert_money_adds_up(bot: SdkBot) -> None:
    """What was paid in, what fills have realised and cost, and funding are the collateral, and what positions cost."""
    fills = bot.fills()
    paid = sum(Decimal(fill["closedPnl"]) - Decimal(fill["fee"]) for fill in fills)
    payments = [each["delta"] for each in bot.info.user_funding_history(bot.user, 0)]
    assert all(Decimal(payment["szi"]) and Decimal(payment["fundingRate"]) for payment in payments)
    funding = sum(Decimal(payment["usdc"]) for payment in payments)
    moved = Decimal(0)
    for update in bot.info.user_non_funding_ledger_updates(bot.user, 0):
        amount = Decimal(update["delta"]["usdc"])
        moved += -amount if update["delta"]["type"] == "withdraw" else amount
    native = bot.native()
    spent = sum(Decimal(position["decimal"]["cost"]) for position in native["positions"])
    assert moved + paid + funding == Decimal(native["decimal"]["collateral"]) + spent


def assert_equal_views(bot: SdkBot) -> None:
    """Money, positions and open orders are the same; both are read until nothing has happened in between."""

    def read() -> tuple[Any, Any, Any] | None:
        before = bot.native()
        state, orders = bot.info.user_state(bot.user), bot.info.frontend_open_orders(bot.user)
        return (before, state, orders) if before == bot.native() else None

    native, state, orders = wait_until(read)
    decimal = native["decimal"]
    assert Decimal(state["marginSummary"]["accountValue"]) == Decimal(decimal["equity"])
    assert Decimal(state["marginSummary"]["totalMarginUsed"]) == Decimal(decimal["requirement"])
    assert Decimal(state["crossMaintenanceMarginUsed"]) == Decimal(decimal["maintenance"])
    assert Decimal(state["withdrawable"]) == Decimal(native["exit"]["decimal"]["now"])
    values = [Decimal(position["decimal"]["value"]) for position in native["positions"]]
    assert Decimal(state["marginSummary"]["totalRawUsd"]) == Decimal(decimal["equity"]) - sum(values)
    assert [
        (Decimal(p["szi"]), Decimal(p["positionValue"]), Decimal(p["unrealizedPnl"]), p["entryPx"], p["liquidationPx"])
        for p in (each["position"] for each in state["assetPositions"])
    ] == [
        (
            Decimal(p["decimal"]["size"]),
            abs(Decimal(p["decimal"]["value"])),
            Decimal(p["decimal"]["profit"]),
            p["entry_price"],
            p["decimal"]["liquidation_price"],
        )
        for p in native["positions"]
        if int(p["size"])
    ]
    assert sorted((o["side"], o["sz"], o["oid"]) for o in orders) == sorted(
        ("B" if o["side"] == "buy" else "A", o["decimal"]["size"], int(o["client"])) for o in native["orders"]
    )


def assert_ccxt_agrees(bot: SdkBot) -> None:
    """ccxt tells the account's money and positions as the exchange has them; its numbers are floats of decimals."""
    asyncio.run(_assert_ccxt_agrees(bot))


async def _assert_ccxt_agrees(bot: SdkBot) -> None:
    async with ccxt_bot(bot.town, "async", is_alone=False) as ccxt:

        async def read() -> tuple[Any, Any, Any] | None:
            before = await asyncio.to_thread(bot.native)
            balance = await ccxt("fetchBalance", {"user": bot.user})
            positions = await ccxt("fetchPositions", None, {"user": bot.user})
            return (before, balance, positions) if before == await asyncio.to_thread(bot.native) else None

        native, balance, positions = await until(read)
    decimal = native["decimal"]
    equity, requirement = Decimal(decimal["equity"]), Decimal(decimal["requirement"])
    told = {name: balance["USDC"][name] for name in ("total", "used", "free")}
    assert told == {"total": float(equity), "used": float(requirement), "free": float(equity - requirement)}
    assert [
        (p["side"], p["contracts"], p["entryPrice"], p["notional"], p["unrealizedPnl"], p["liquidationPrice"])
        for p in positions
    ] == [
        (
            "long" if int(p["size"]) > 0 else "short",
            abs(float(p["decimal"]["size"])),
            float(p["entry_price"]),
            abs(float(p["decimal"]["value"])),
            float(p["decimal"]["profit"]),
            None if p["liquidation_price"] is None else float(p["decimal"]["liquidation_price"]),
        )
        for p in native["positions"]
        if int(p["size"])
    ]
