"""hyperliquid-python-sdk, unmodified, sees what the exchange does by itself: funding is paid, an account is liquidated
by the book, a dead-man's switch fires; each is told over the WebSocket, too, and equals the native view to the unit.
ccxt pro is told of the liquidation, too."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.gateways.ccxt_bot import SYMBOL, watching
from tests.support.gateways.equality import assert_equal_views, assert_money_adds_up
from tests.support.gateways.gateway_town import MAKER, PRICE, GatewayTown
from tests.support.gateways.sdk_bot import GTC, SdkBot
from tests.support.gateways.sub_bot import quote, sub_bot
from tests.support.waiting import wait_until

from setoff.shared.codec.records import BUY, SELL

MONEY = 1_000_000_000
"""Token units of the sub-account that is put at risk."""


@pytest.fixture
def risky(town: GatewayTown) -> Iterator[SdkBot]:
    """A bot of a sub-account with a thousand dollars."""
    with sub_bot(town, MONEY) as bot:
        yield bot


@pytest.mark.long
@pytest.mark.timeout(600)
def test_funding_liquidation_and_the_switch_reach_a_bot(town: GatewayTown, risky: SdkBot) -> None:
    told: dict[str, list[Any]] = {"userFundings": [], "userFills": [], "orderUpdates": []}
    for kind, heard in told.items():
        subscription: Any = {"type": kind, "user": risky.user}
        risky.info.subscribe(subscription, lambda message, heard=heard: heard.append(message["data"]))
    fire_the_switch(risky, told["orderUpdates"])
    pay_funding(town, risky, told["userFundings"])
    with (
        watching(town, "watch_my_liquidations", SYMBOL, user=risky.user) as one,
        watching(town, "watch_my_liquidations_for_symbols", [SYMBOL], user=risky.user) as several,
    ):
        liquidate(town, risky, told["userFills"])
        for liquidations in (one, several):
            wait_until(lambda liquidations=liquidations: find_lots(liquidations) == find_sold(risky), 60)


def find_sold(bot: SdkBot) -> Decimal:
    """What liquidations have sold of the account's position."""
    return sum((Decimal(fill["sz"]) for fill in bot.info.user_fills(bot.user) if "liquidation" in fill), Decimal(0))


def find_lots(liquidations: list[Any]) -> Decimal:
    """The same, as ccxt was told of it, each fill once."""
    fills = {each["info"]["tid"]: each["info"] for each in liquidations}
    return sum((Decimal(fill["sz"]) for fill in fills.values()), Decimal(0))


def fire_the_switch(bot: SdkBot, told: list[Any]) -> None:
    """An order dies by itself; only the exchange's clock, L1's, has to get there."""
    oid = bot.place("BTC", True, 0.001, PRICE - 1000, GTC)["resting"]["oid"]
    assert bot.exchange.schedule_cancel(time.time_ns() // 1_000_000 + 8_000)["status"] == "ok"
    assert [order["oid"] for order in bot.info.open_orders(bot.user)] == [oid]
    wait_until(lambda: not bot.info.open_orders(bot.user), 120)
    wait_until(lambda: bot.info.query_order_by_oid(bot.user, oid)["order"]["status"] == "scheduledCancel", 120)
    wait_until(
        lambda: any(u["order"]["oid"] == oid and u["status"] == "scheduledCancel" for each in told for u in each), 60
    )
    assert_equal_views(bot)
    assert bot.exchange.schedule_cancel(None)["status"] == "ok"


def pay_funding(town: GatewayTown, bot: SdkBot, told: list[Any]) -> None:
    """The book stands above the index, so longs pay."""
    quote(town, SELL, PRICE + 200, 4000)
    quote(town, BUY, PRICE + 190, 4000)
    assert "filled" in bot.place("BTC", True, 0.2, PRICE + 300, GTC)
    payments = wait_until(lambda: bot.info.user_funding_history(bot.user, 0), 300)
    delta = payments[-1]["delta"]
    assert delta["type"] == "funding" and Decimal(delta["usdc"]) < 0 < Decimal(delta["fundingRate"])
    assert (delta["coin"], delta["szi"]) == ("BTC", "0.2")
    wait_until(lambda: any(payment["usdc"] == delta["usdc"] for message in told for payment in message["fundings"]), 60)
    assert_equal_views(bot)
    bot.wait_for_fills()
    assert_money_adds_up(bot)


def liquidate(town: GatewayTown, bot: SdkBot, told: list[Any]) -> None:
    """The price falls by more than the position's margin; the book takes as much as makes the account well again."""
    town.run(MAKER, lambda client: client.cancel_all())
    quote(town, BUY, PRICE - 3600, 4000)
    town.price[1] = PRICE - 3500
    try:
        fills = wait_until(lambda: [f for f in bot.info.user_fills(bot.user) if "liquidation" in f], 120)
        assert all(fill["liquidation"]["liquidatedUser"] == bot.user and fill["side"] == "A" for fill in fills)
        wait_until(lambda: any("liquidation" in fill for message in told for fill in message["fills"]), 60)
        bot.wait_for_fills()
        (left,) = (each["position"]["szi"] for each in bot.info.user_state(bot.user)["assetPositions"])
        assert 0 < Decimal(left) == Decimal("0.2") - find_sold(bot)
        assert_equal_views(bot)
        assert_money_adds_up(bot)
    finally:
        town.run(MAKER, lambda client: client.cancel_all())
        town.set_price(1, PRICE)
