"""hyperliquid-python-sdk, unmodified: trades, and that everything adds up to the native view, to the unit."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.gateways.equality import assert_equal_views, assert_money_adds_up
from tests.support.gateways.gateway_town import MAKER, PRICE, GatewayTown
from tests.support.gateways.sdk_bot import GTC, SdkBot
from tests.support.waiting import wait_until

from setoff.shared.codec.records import BUY, SELL


def quote(town: GatewayTown, side: int, price: int, lots: int) -> None:
    """A resting order of the other trader."""
    town.run(MAKER, lambda client: client.place(1, side, price, lots))


def fills_of(bot: SdkBot, count: int) -> list[dict[str, Any]]:
    """The latest ones, newest first, once there are as many more."""
    found: list[dict[str, Any]] = wait_until(lambda: (f := bot.info.user_fills(bot.user)) and len(f) >= count and f)
    return found


def test_a_market_order_opens_and_closes_a_position(bot: SdkBot) -> None:
    before = len(bot.info.user_fills(bot.user))
    quote(bot.town, SELL, PRICE + 10, 60)
    quote(bot.town, SELL, PRICE + 20, 60)
    filled = bot.exchange.market_open("BTC", True, 0.01)["response"]["data"]["statuses"][0]["filled"]
    assert (filled["totalSz"], filled["avgPx"]) == ("0.01", str(PRICE + 14))
    assert_equal_views(bot)
    position = bot.info.user_state(bot.user)["assetPositions"][0]["position"]
    assert (position["coin"], position["szi"], position["entryPx"]) == ("BTC", "0.01", str(PRICE + 14))
    last, first = fills_of(bot, before + 2)[:2]
    assert [(fill["sz"], fill["px"], fill["side"], fill["oid"]) for fill in (first, last)] == [
        ("0.006", str(PRICE + 10), "B", filled["oid"]),
        ("0.004", str(PRICE + 20), "B", filled["oid"]),
    ]
    assert (last["startPosition"], last["dir"], last["crossed"]) == ("0.006", "Open Long", True)
    quote(bot.town, BUY, PRICE - 10, 100)
    closed = bot.exchange.market_close("BTC")["response"]["data"]["statuses"][0]["filled"]
    assert (closed["totalSz"], closed["avgPx"]) == ("0.01", str(PRICE - 10))
    assert not bot.info.user_state(bot.user)["assetPositions"]
    last = fills_of(bot, before + 3)[0]
    assert (last["dir"], last["startPosition"], last["closedPnl"]) == ("Close Long", "0.01", "-0.24")
    assert_equal_views(bot)
    bot.town.run(MAKER, lambda client: client.cancel_all())


def test_what_rests_trades_as_a_maker_and_counts_as_filled(bot: SdkBot) -> None:
    before = len(bot.info.user_fills(bot.user))
    oid = bot.place("BTC", False, 0.01, PRICE + 5, GTC)["resting"]["oid"]
    quote(bot.town, BUY, PRICE + 5, 40)
    (shown,) = wait_until(lambda: [o for o in bot.info.open_orders(bot.user) if o["sz"] == "0.006"])
    assert shown["origSz"] == "0.01"
    quote(bot.town, BUY, PRICE + 5, 60)
    wait_until(lambda: bot.info.query_order_by_oid(bot.user, oid)["order"]["status"] == "filled")
    fills = fills_of(bot, before + 2)[:2]
    assert all(not fill["crossed"] and fill["oid"] == oid and Decimal(fill["fee"]) < 0 for fill in fills)
    assert_equal_views(bot)


def test_money_is_what_was_paid_in_and_what_fills_fees_and_funding_say(bot: SdkBot) -> None:
    quote(bot.town, SELL, PRICE + 10, 60)
    bot.exchange.market_open("BTC", True, 0.006)
    bot.wait_for_fills()
    assert_money_adds_up(bot)


@pytest.mark.parametrize(("kind", "to"), [("sl", PRICE - 700), ("tp", PRICE + 700)])
def test_of_a_pair_that_closes_one_fires_and_takes_the_other_out(bot: SdkBot, kind: str, to: int) -> None:
    quote(bot.town, SELL, PRICE + 10, 100)

    def closing(kind: str, price: int) -> dict[str, Any]:
        trigger = {"triggerPx": price, "isMarket": True, "tpsl": kind}
        return {"coin": "BTC", "is_buy": False, "sz": 0.01, "limit_px": price, "order_type": {"trigger": trigger},
                "reduce_only": True}  # fmt: skip

    parent = {"coin": "BTC", "is_buy": True, "sz": 0.01, "limit_px": PRICE + 50, "order_type": GTC,
              "reduce_only": False}  # fmt: skip
    orders = [parent, closing("tp", PRICE + 500), closing("sl", PRICE - 500)]
    filled, take, stop = bot.exchange.bulk_orders(orders, grouping="normalTpsl")["response"]["data"]["statuses"]
    assert "filled" in filled and take["resting"]["oid"] != stop["resting"]["oid"]
    shown = {order["oid"]: order for order in bot.info.frontend_open_orders(bot.user)}
    assert shown[take["resting"]["oid"]]["orderType"] == "Take Profit Market"
    assert shown[stop["resting"]["oid"]]["orderType"] == "Stop Market"
    assert shown[stop["resting"]["oid"]]["triggerCondition"] == f"Price below {PRICE - 500}"
    quote(bot.town, BUY, PRICE - 1500, 200)
    quote(bot.town, BUY, to - 100, 200)
    bot.town.price[1] = to
    try:
        wait_until(lambda: not bot.info.frontend_open_orders(bot.user), 60)
        assert not bot.info.user_state(bot.user)["assetPositions"]
        fired = (stop if kind == "sl" else take)["resting"]["oid"]
        wait_until(lambda: bot.info.query_order_by_oid(bot.user, fired)["order"]["status"] == "filled")
        assert_equal_views(bot)
    finally:
        bot.town.run(MAKER, lambda client: client.cancel_all())
        bot.town.set_price(1, PRICE)
