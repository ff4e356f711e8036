"""What a refusal says is true: what it calls possible is taken, and one more of it is refused."""

from typing import Any

import pytest
from tests.support.processes.running_operator import HandL1, Running, open_market, operator

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, trader_key
from setoff.operator.api.refusals.explainer import EXPLANATIONS
from setoff.shared.codec import records
from setoff.shared.codec.records import BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import OUTCOMES
from setoff.shared.sdk import OrderEntry, Refusal
from setoff.shared.wire.scopes import Scope

FUNDS = 10**6


def opening(traffic: SampleTraffic, **market: int) -> HandL1:
    deposits = [traffic.deposit(account, FUNDS) for account in (1, 2, 3)]
    return HandL1([traffic.list_market(**market), traffic.set_signer(max_age=600), *deposits])


async def refuse(running: Running, record: bytes, reason: str) -> dict[str, Any]:
    """The numbers of its refusal."""
    status, answer = await running.submit(record)
    assert (status, answer["reason"]) == (422, reason), answer
    numbers: dict[str, Any] = answer["numbers"]
    return numbers


async def take(running: Running, record: bytes) -> Any:
    status, answer = await running.submit(record)
    assert status == 200, answer
    return answer


def test_every_reason_of_the_machine_is_explained() -> None:
    assert EXPLANATIONS.keys() == set(OUTCOMES) - {"accepted"}


@pytest.mark.parametrize("parameters", [{}, {"order_margin": 500, "taker_fee": 3_000}])
async def test_the_most_that_an_account_can_order_is_said(
    redis_server: RedisServer, parameters: dict[str, int]
) -> None:
    traffic = SampleTraffic()
    async with operator(redis_server.url, traffic, opening(traffic, unit=7, **parameters)) as running:
        await open_market(running, 1000)
        for price, side in ((1003, BUY), (990, BUY), (998, SELL)):
            huge = traffic.order(1, side, price, 10**6)
            numbers = await refuse(running, huge, "insufficient_margin")
            most = int(numbers["most_lots"])
            assert int(numbers["needed_units"]) - int(numbers["equity_units"]) == int(numbers["missing_units"]) > 0
            assert numbers["missing"].replace(".", "").lstrip("0") == numbers["missing_units"].rstrip("0")
            again = await refuse(running, traffic.order(1, side, price, most + 1), "insufficient_margin")
            assert int(again["most_lots"]) == most
            await take(running, traffic.order(1, side, price, most, order_slot=9))
            amended = await refuse(running, traffic.amend(1, 9, price, most + 1), "insufficient_margin")
            assert int(amended["most_lots"]) == most
            await take(running, traffic.cancel_all(1))


async def test_what_is_free_is_said_and_can_be_moved(exchange: Running) -> None:
    traffic = exchange.traffic
    await take(exchange, traffic.order(1, BUY, 100, 1000))
    numbers = await refuse(exchange, traffic.transfer(1, 2, 10**13), "insufficient_margin")
    free = int(numbers["free_units"])
    assert int(numbers["missing_units"]) == 10**13 - free
    await refuse(exchange, traffic.transfer(1, 2, free + 1), "insufficient_margin")
    await take(exchange, traffic.transfer(1, 2, free))


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_the_limits_that_the_band_leaves_are_said(exchange: Running, side: int) -> None:
    traffic = exchange.traffic
    numbers = await refuse(exchange, traffic.order(1, side, 500 if side == BUY else 1, 1), "price_band")
    low, high = numbers["lowest_ticks"], numbers["highest_ticks"]
    assert numbers["mark"] == "0.001" and numbers["mark_ticks"] == 100
    for price in (low, high):
        await take(exchange, traffic.order(1, side, price, 1))
    for price in (low - 1, high + 1):
        await refuse(exchange, traffic.order(1, side, price, 1), "price_band" if price else "price_out_of_range")


async def test_nonces_slots_and_orders_that_are_free_are_said(exchange: Running) -> None:
    traffic = exchange.traffic
    order = traffic.order(1, BUY, 90, 5, order_slot=0)
    await take(exchange, order)
    numbers = await refuse(exchange, order, "nonce_used")
    assert numbers["next_nonce"] == (await exchange.get("/v1/accounts/1"))[1]["next_nonce"]
    numbers = await refuse(exchange, traffic.order(1, BUY, 90, 5, order_slot=0), "order_slot_taken")
    await take(exchange, traffic.order(1, BUY, 90, 5, order_slot=numbers["free_order_slot"]))
    numbers = await refuse(exchange, traffic.cancel(1, 77), "unknown_order")
    assert (numbers["order_slot"], numbers["orders"]) == (77, 2)


async def test_what_the_book_has_is_said(exchange: Running) -> None:
    traffic = exchange.traffic
    await take(exchange, traffic.order(2, SELL, 101, 3))
    await take(exchange, traffic.order(2, SELL, 103, 4))
    numbers = await refuse(exchange, traffic.order(1, BUY, 102, 9, flags=FOK), "unfillable")
    assert (numbers["found_lots"], numbers["missing_lots"]) == ("3", "6")
    numbers = await refuse(exchange, traffic.order(1, BUY, 102, 9, flags=POST_ONLY), "would_cross")
    assert numbers["best_ticks"] == 101
    await take(exchange, traffic.order(1, BUY, numbers["resting_ticks"], 9, flags=POST_ONLY))
    numbers = await refuse(exchange, traffic.order(1, SELL, 99, 9, flags=IOC | REDUCE_ONLY), "not_reducing")
    assert numbers["position_lots"] == "0"


async def test_limits_of_positions_and_open_interest_are_said(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening(traffic, max_position=50, max_open_interest=80, impact=1)
    async with operator(redis_server.url, traffic, l1) as running:
        await open_market(running, 100)
        await take(running, traffic.order(1, BUY, 100, 30))
        numbers = await refuse(running, traffic.order(1, BUY, 100, 21), "position_limit")
        assert (numbers["limit_lots"], numbers["reached_lots"], numbers["room_lots"]) == ("50", "30", "20")
        await take(running, traffic.order(2, SELL, 100, 30))
        await take(running, traffic.order(2, SELL, 100, 20))
        await take(running, traffic.order(1, BUY, 100, 20))
        numbers = await refuse(running, traffic.order(3, BUY, 100, 31), "open_interest_cap")
        await take(running, traffic.order(3, BUY, 100, int(numbers["room_lots"])))


async def test_who_signed_is_said_and_what_an_agent_may_do(exchange: Running) -> None:
    traffic = exchange.traffic
    forged = traffic.sign(traffic.order(1, BUY, 90, 1)[: records.BODY_BYTES], trader_key(2))
    numbers = await refuse(exchange, forged, "bad_signature")
    assert numbers["signed_by"] == "0x" + address_of(trader_key(2)).hex()
    assert numbers["expected"] == "0x" + address_of(trader_key(1)).hex()
    await take(exchange, traffic.set_agent(1, 3, START_TIME + 1000, scope=Scope(max_size=4)))
    numbers = await refuse(exchange, traffic.order(1, BUY, 90, 5, agent=3), "out_of_scope")
    assert numbers["max_size_lots"] == "4"
    await take(exchange, traffic.order(1, BUY, 90, 4, agent=3))


async def test_when_is_said(exchange: Running) -> None:
    traffic = exchange.traffic
    numbers = await refuse(exchange, traffic.report(0, 100, time=5), "stale_report")
    await take(exchange, traffic.report(0, 100, time=numbers["first_at"]))
    numbers = await refuse(exchange, traffic.report(0, 100, time=2**50), "future_report")
    await take(exchange, traffic.report(0, 100, time=numbers["last_at"]))
    numbers = await refuse(exchange, traffic.order(1, BUY, 90, 1, expiry=5), "order_expired")
    assert numbers == {"expiry_at": 5, "time_at": START_TIME}


async def test_sockets_and_bulks_say_the_same(exchange: Running) -> None:
    traffic = exchange.traffic
    _, plain = await exchange.submit(traffic.order(1, BUY, 500, 1))
    async with OrderEntry(exchange.url) as entry:
        with pytest.raises(Refusal) as refused:
            await entry.submit(traffic.order(1, BUY, 500, 1))
    assert refused.value.detail == plain["detail"]
    bad = traffic.order(1, BUY, 500, 1)
    async with exchange.http.post(f"{exchange.url}/v1/records/bulk", data=bad) as response:
        assert (await response.json())["results"] == [plain]


async def test_who_has_read_too_much_hears_the_reason_alone(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.operator.api.read_budget._Account.find_wait", lambda *_: 5.0)
    status, answer = await exchange.submit(exchange.traffic.order(1, BUY, 500, 1))
    assert (status, answer["reason"], "numbers" in answer) == (422, "price_band", False)
