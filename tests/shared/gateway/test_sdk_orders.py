"""hyperliquid-python-sdk, unmodified: orders by number and cloid, single and bulk, and what refuses them."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hyperliquid.utils.types import Cloid
from tests.support.gateways.gateway_town import MAKER, OWNER, PRICE, GatewayTown
from tests.support.gateways.sdk_bot import ALO, GTC, IOC, SdkBot, only, sdk_bot
from tests.support.waiting import wait_until

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import SELL
from setoff.shared.state import keys


@pytest.fixture
def bot(town: GatewayTown) -> Iterator[SdkBot]:
    with sdk_bot(town) as bot:
        yield bot
        bot.clear()


def status_of(bot: SdkBot, oid: int) -> str:
    found = bot.info.query_order_by_oid(bot.user, oid)
    return str(found["order"]["status"]) if found["status"] == "order" else str(found["status"])


def native_orders(town: GatewayTown) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.ask(lambda client: client.orders())
    return found


def test_markets_are_assets_with_their_grid_and_prices(bot: SdkBot) -> None:
    meta, contexts = bot.info.meta_and_asset_ctxs()
    assert [(asset["name"], asset["szDecimals"], asset["maxLeverage"]) for asset in meta["universe"]] == [
        ("BTC", 4, 20),
        ("M2", 0, 20),
    ]
    assert contexts[0]["markPx"] == contexts[0]["oraclePx"] == str(PRICE)
    assert bot.info.meta() == meta and set(bot.info.all_mids()) == {"BTC", "M2"}


def test_an_order_rests_is_found_changed_and_taken_back(bot: SdkBot) -> None:
    oid = bot.place("BTC", True, 0.01, PRICE - 1000, GTC)["resting"]["oid"]
    (native,) = native_orders(bot.town)
    assert (native["client"], native["price"], native["size"]) == (str(oid), PRICE - 1000, "100")
    (shown,) = bot.info.open_orders(bot.user)
    assert (shown["oid"], shown["side"], shown["limitPx"], shown["sz"]) == (oid, "B", str(PRICE - 1000), "0.01")
    assert bot.info.l2_snapshot("BTC")["levels"][0] == [{"px": str(PRICE - 1000), "sz": "0.01", "n": 1}]
    changed = only(bot.exchange.modify_order(oid, "BTC", True, 0.02, PRICE - 900, GTC))
    assert changed == {"resting": {"oid": oid}}, "price and size change in place"
    (native,) = native_orders(bot.town)
    assert (native["client"], native["price"], native["size"]) == (str(oid), PRICE - 900, "200")
    assert only(bot.exchange.cancel("BTC", oid)) == "success"
    assert not native_orders(bot.town)
    wait_until(lambda: status_of(bot, oid) == "canceled")
    assert only(bot.exchange.cancel("BTC", oid))["error"].startswith("Order was never placed, already canceled, or fil")
    told = only(bot.exchange.modify_order(oid, "BTC", True, 0.02, PRICE - 900, GTC))
    assert told["error"].startswith("Cannot modify canceled or filled order")


def test_a_change_of_more_than_price_and_size_puts_another_order_in_its_place(bot: SdkBot) -> None:
    oid = bot.place("BTC", True, 0.01, PRICE - 1000, GTC)["resting"]["oid"]
    other = only(bot.exchange.modify_order(oid, "BTC", False, 0.01, PRICE + 1000, ALO))["resting"]["oid"]
    assert other != oid
    (shown,) = bot.info.frontend_open_orders(bot.user)
    assert (shown["oid"], shown["side"], shown["tif"]) == (other, "A", "Alo")


def test_cloids_lead_to_orders(bot: SdkBot) -> None:
    cloid, other = Cloid.from_int(2**127 + 5), Cloid.from_int(7)
    oid = bot.place("BTC", True, 0.01, PRICE - 1000, GTC, cloid=cloid)["resting"]["oid"]
    assert bot.place("BTC", True, 0.01, PRICE - 1001, GTC, cloid=other)["resting"]["cloid"] == other.to_raw()
    found = bot.info.query_order_by_cloid(bot.user, cloid)["order"]["order"]
    assert (found["oid"], found["cloid"]) == (oid, cloid.to_raw())
    changed = only(bot.exchange.modify_order(cloid, "BTC", True, 0.03, PRICE - 990, GTC, cloid=cloid))
    assert changed["resting"]["oid"] == oid
    assert only(bot.exchange.cancel_by_cloid("BTC", cloid)) == "success"
    assert {order["cloid"] for order in bot.info.open_orders(bot.user)} == {other.to_raw()}
    assert "never placed" in only(bot.exchange.cancel_by_cloid("BTC", cloid))["error"]
    unknown = bot.info.query_order_by_cloid(bot.user, Cloid.from_int(99))
    assert unknown == {"status": "unknownOid"}


def test_many_at_once_each_with_an_answer_of_its_own(bot: SdkBot) -> None:
    def order(price: float, size: float) -> dict[str, Any]:
        return {"coin": "BTC", "is_buy": True, "sz": size, "limit_px": price, "order_type": GTC, "reduce_only": False}

    sent = [order(PRICE - 1000 - i, 0.01) for i in range(20)] + [order(PRICE - 1000, 0.00015)]
    statuses = bot.exchange.bulk_orders(sent)["response"]["data"]["statuses"]
    oids = [status["resting"]["oid"] for status in statuses[:20]]
    assert oids == sorted(set(oids)) and statuses[20]["error"].startswith("Order has invalid size. asset=0")
    assert [int(shown["limitPx"]) for shown in sorted(bot.info.open_orders(bot.user), key=lambda o: o["oid"])] == [
        PRICE - 1000 - i for i in range(20)
    ], "they were taken in their order"
    modified = bot.exchange.bulk_modify_orders_new(
        [{"oid": oid, "order": order(PRICE - 2000, 0.02)} for oid in oids[:3]] + [{"oid": 5, "order": order(1, 1)}]
    )["response"]["data"]["statuses"]
    assert modified[:3] == [{"resting": {"oid": oid}} for oid in oids[:3]] and "error" in modified[3]
    cancelled = bot.exchange.bulk_cancel([{"coin": "BTC", "oid": oid} for oid in [*oids, 5]])
    statuses = cancelled["response"]["data"]["statuses"]
    assert statuses[:20] == ["success"] * 20 and "never placed" in statuses[20]["error"]
    assert not native_orders(bot.town)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (("BTC", True, 0.01, PRICE - 0.5, GTC), "Price must be divisible by tick size. asset=0"),
        (("BTC", True, 0.01, PRICE // 10, GTC), "Order price too far from oracle asset=0"),
        (("BTC", True, 10_000, PRICE, GTC), "Insufficient margin to place order. asset=0"),
        (
            ("BTC", True, 0.01, PRICE - 1000, IOC),
            "Order could not immediately match against any resting orders. asset=0",
        ),
        (("BTC", True, 0.01, PRICE - 1000, GTC, True), "Reduce only order would increase position. asset=0"),
        (("M2", True, 0, 7.8, GTC), "Order has zero size. asset=1"),
    ],
)
def test_refusals_are_the_ones_that_bots_know(bot: SdkBot, order: Any, told: str) -> None:
    assert bot.place(*order)["error"].startswith(told)


def test_a_post_only_order_that_would_match_is_told_the_best_prices(bot: SdkBot) -> None:
    bot.town.run(MAKER, lambda client: client.place(1, SELL, PRICE + 100, 10))
    told = bot.place("BTC", True, 0.01, PRICE + 200, ALO)["error"]
    assert told.startswith(f"Post only order would have immediately matched, bbo was 0@{PRICE + 100}. asset=0")
    bot.town.run(MAKER, lambda client: client.cancel_all())


def test_leverage_is_held_and_isolated_margin_is_refused(bot: SdkBot) -> None:
    assert bot.exchange.update_leverage(1, "BTC") == {"status": "ok", "response": {"type": "default"}}
    try:
        worth = float(Decimal(bot.info.user_state(bot.user)["marginSummary"]["accountValue"]))
        lots = int(worth / (PRICE + 1000) * 10_000)
        assert "resting" in bot.place("BTC", True, lots * 6 // 10 / 10_000, PRICE - 1000, GTC)
        told = bot.place("BTC", True, lots * 6 // 10 / 10_000, PRICE - 1000, GTC)["error"]
        assert told.startswith("Insufficient margin to place order. asset=0 (at a leverage of 1:")
        bot.exchange.update_leverage(20, "BTC")
        assert "resting" in bot.place("BTC", True, lots * 6 // 10 / 10_000, PRICE - 1000, GTC)
    finally:
        bot.exchange.update_leverage(20, "BTC")
    assert bot.exchange.update_leverage(21, "BTC")["response"].startswith("Invalid leverage value. asset=0 (1 to 20)")
    for refused in (bot.exchange.update_leverage(5, "BTC", False), bot.exchange.update_isolated_margin(1, "BTC")):
        assert refused["status"] == "err" and refused["response"].startswith("Cross margin is all that there is")


def test_the_dead_mans_switch_is_the_exchanges(bot: SdkBot) -> None:
    at = time.time_ns() // 1_000_000 + 60_000
    assert bot.exchange.schedule_cancel(at)["status"] == "ok"
    deadline = bot.town.ask(lambda client: client.account())["deadline"]
    now = bot.town.ask(lambda client: client.now())
    assert now + 50 <= deadline <= now + 62
    assert bot.exchange.schedule_cancel(None)["status"] == "ok"
    assert bot.town.ask(lambda client: client.account())["deadline"] == 0
    assert bot.exchange.schedule_cancel(at - 59_000)["status"] == "err"


def test_an_order_of_another_client_is_seen_and_can_be_cancelled(bot: SdkBot) -> None:
    bot.town.ask(lambda client: client.place(1, 0, PRICE - 500, 10))
    (shown,) = wait_until(lambda: bot.info.open_orders(bot.user))
    assert shown["oid"] > 2**52 and shown["limitPx"] == str(PRICE - 500)
    assert status_of(bot, shown["oid"]) == "open"
    assert only(bot.exchange.cancel("BTC", shown["oid"])) == "success"
    assert not native_orders(bot.town)


def test_nobody_else_may_trade_and_nothing_moves_money(town: GatewayTown) -> None:
    with sdk_bot(town, key=keccak(b"another's key")) as stranger:
        refused = stranger.exchange.order("BTC", True, 0.01, PRICE - 1000, GTC)
        assert refused["status"] == "err" and refused["response"].startswith("User or API Wallet 0x")
    with sdk_bot(town) as bot:
        for refused in (
            bot.exchange.withdraw_from_bridge(1.0, bot.user),
            bot.exchange.usd_transfer(1.0, "0x" + "12" * 20),
            bot.exchange.approve_builder_fee("0x" + "12" * 20, "0.1%"),
            bot.exchange.set_referrer("CODE"),
        ):
            assert refused["status"] == "err", refused
    assert not native_orders(town)


def test_a_sub_account_trades_by_its_address(town: GatewayTown) -> None:
    async def give(client: Any) -> int:
        shown = await client.account()
        sub = client.at(1)
        await client.transfer(keys.sub_account(shown["account"], 1), 1_000_000_000)
        return int((await sub.account())["account"])

    town.run(OWNER, give)
    with sdk_bot(town) as bot:
        (sub,) = bot.info.query_sub_accounts(bot.user)
        assert sub["clearinghouseState"]["marginSummary"]["accountValue"] == "1000"
    with sdk_bot(town, vault=sub["subAccountUser"]) as bot:
        oid = bot.place("BTC", True, 0.001, PRICE - 1000, GTC)["resting"]["oid"]
        assert [order["oid"] for order in bot.info.open_orders(bot.user)] == [oid]
        assert not bot.info.open_orders(town.owner) and not native_orders(town)
        bot.clear()
        assert not bot.info.open_orders(bot.user)
