"""hyperliquid-python-sdk, unmodified, sees what the exchange does by itself: funding is paid, an account is liquidated
by the book, a dead-man's switch fires; each is told over the WebSocket, too, and equals the native view to the unit."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.gateways.equality import assert_equal_views, assert_money_adds_up
from tests.support.gateways.gateway_town import MAKER, OWNER, PRICE, GatewayTown
from tests.support.gateways.sdk_bot import GTC, SdkBot, sdk_bot
from tests.support.waiting import wait_until

from setoff.shared.codec.records import BUY, SELL
from setoff.shared.state import keys

SUB = 1
MONEY = 1_000_000_000
"""Token units of the sub-account that is put at risk."""


class SubBot(SdkBot):
    """A bot of the owner's sub-account."""

    def native(self) -> Any:
        """See `SdkBot`: the exchange names a sub-account by its owner."""
        return self.town.run_for(f"{self.town.owner}.{SUB}", lambda client, name: client.account(name))


@pytest.fixture
def risky(town: GatewayTown) -> Iterator[SdkBot]:
    """A bot of a sub-account with a thousand dollars; what it leaves goes back to the owner."""

    async def set_money(client: Any, wanted: int) -> None:
        account = int((await client.account())["account"])
        sub = client.at(SUB)
        held = int((await sub.account())["free"])
        if held < wanted:
            await client.transfer(keys.sub_account(account, SUB), wanted - held)
        elif held > wanted:
            await sub.transfer(account, held - wanted)

    async def close(client: Any) -> None:
        sub = client.at(SUB)
        await sub.cancel_all()
        for position in (await sub.account())["positions"]:
            if int(position["size"]):
                await sub.close_position(position["market"])

    town.run(OWNER, lambda client: set_money(client, MONEY))
    with sdk_bot(town) as bot:
        address = next(sub["subAccountUser"] for sub in bot.info.query_sub_accounts(bot.user) if sub["name"] == "1")
    with sdk_bot(town, vault=address) as bot:
        yield SubBot(bot.info, bot.exchange, bot.user, town)
    quote(town, BUY, PRICE - 300, 3000)
    town.run(OWNER, close)
    town.run(MAKER, lambda client: client.cancel_all())
    town.run(OWNER, lambda client: set_money(client, 0))


def quote(town: GatewayTown, side: int, price: int, lots: int) -> None:
    """A resting order of the other trader."""
    town.run(MAKER, lambda client: client.place(1, side, price, lots))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_funding_liquidation_and_the_switch_reach_a_bot(town: GatewayTown, risky: SdkBot) -> None:
    told: dict[str, list[Any]] = {"userFundings": [], "userFills": [], "orderUpdates": []}
    for kind, heard in told.items():
        subscription: Any = {"type": kind, "user": risky.user}
        risky.info.subscribe(subscription, lambda message, heard=heard: heard.append(message["data"]))
    fire_the_switch(risky, told["orderUpdates"])
    pay_funding(town, risky, told["userFundings"])
    liquidate(town, risky, told["userFills"])


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
        sold = sum(Decimal(fill["sz"]) for fill in bot.info.user_fills(bot.user) if "liquidation" in fill)
        assert 0 < Decimal(left) == Decimal("0.2") - sold
        assert_equal_views(bot)
        assert_money_adds_up(bot)
    finally:
        town.run(MAKER, lambda client: client.cancel_all())
        town.set_price(1, PRICE)
