"""What the API shows of the full rulebook agrees with what the rules do."""

from typing import Any

import pytest
from tests.support.processes.running_operator import HandL1, Running, open_market, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, agent_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.rules import phases
from setoff.shared.wire.scopes import Scope

BUY, SELL = records.BUY, records.SELL


async def submit(running: Running, record: bytes) -> Any:
    status, answer = await running.submit(record)
    assert status == 200, answer
    return answer


def opening_of(traffic: SampleTraffic, funds: int, accounts: int = 3, **market: int) -> HandL1:
    deposits = [traffic.deposit(account, funds) for account in range(1, accounts + 1)]
    return HandL1([traffic.list_market(**market), traffic.set_signer(max_age=600), *deposits])


def get_auction(market: Any) -> tuple[int, int | None, str, str]:
    auction = market["auction"]
    return auction["until"], auction["price"], auction["volume"], auction["surplus"]


async def pass_time(running: Running, time: int) -> None:
    """Close the open batch, and begin one at `time`."""

    async def is_closed() -> bool:
        return not (await running.status())["open_inputs"]

    async def is_later() -> bool:
        return bool((await running.status())["time"] >= time)

    await until(is_closed)
    running.l1.time = running.traffic.time = time
    running.l1.messages.append(running.traffic.deposit(3, 1))
    await until(is_later)


async def test_dead_orders_are_not_shown(exchange: Running) -> None:
    traffic = exchange.traffic
    for price in (98, 99):
        await submit(exchange, traffic.order(1, BUY, price, 5))
    await submit(exchange, traffic.order(2, BUY, 99, 7))
    await submit(exchange, traffic.order(3, SELL, 103, 7, expiry=START_TIME + 50))
    await submit(exchange, traffic.cancel_all(1))
    _, book = await exchange.get("/v1/book/1")
    assert [(level["price"], level["size"], level["orders"]) for level in book["bids"]] == [(99, "7", 1)]
    assert [(level["price"], level["size"], level["orders"]) for level in book["asks"]] == [(103, "7", 1)]
    assert (await exchange.get("/v1/orders/1"))[1]["orders"] == []
    assert (await exchange.get("/v1/orders/2"))[1]["orders"][0]["size"] == "7"
    assert (await exchange.get("/v1/book/1?depth=0"))[1]["bids"] == []


async def test_expired_orders_and_dead_mans_switches_are_seen_through(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    async with operator(redis_server.url, traffic, opening_of(traffic, 10**9), batch_interval=0.05) as running:
        await open_market(running)
        await submit(running, traffic.order(1, BUY, 99, 5, expiry=START_TIME + 50))
        await submit(running, traffic.order(2, BUY, 98, 5))
        await submit(running, traffic.schedule_cancel(2, START_TIME + 50))
        assert (await running.get("/v1/accounts/2"))[1]["deadline"] == START_TIME + 50
        assert len((await running.get("/v1/book/1"))[1]["bids"]) == 2
        await pass_time(running, START_TIME + 50)
        assert (await running.get("/v1/book/1"))[1]["bids"] == []
        assert [(await running.get(f"/v1/orders/{account}"))[1]["orders"] for account in (1, 2)] == [[], []]


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_an_account_is_liquidated_at_the_price_that_is_shown(redis_server: RedisServer, side: int) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**5, accounts=4, unit=7, taker_fee=0, maker_fee=0)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await open_market(running, 1000)
        await submit(running, traffic.order(2, 1 - side, 1000, 90))
        await submit(running, traffic.order(3, 1 - side, 1000, 23))
        await submit(running, traffic.order(1, side, 1000, 113))
        _, account = await running.get("/v1/accounts/1")
        [position] = account["positions"]
        price = position["liquidation_price"]
        assert position["distance"] == abs(1000 - price) * 1_000_000 // 1000
        assert position["value"] == str(int(position["size"]) * 7000) and position["profit"] == "0"
        assert int(account["buffer"]) == 10**5 - int(account["maintenance"]) == 10**5 - 113 * 7000 // 20
        safe = price + 1 if side == BUY else price - 1
        sizes: list[int] = []
        for number, reported in enumerate((safe, safe, price, price)):
            # At its price it is offered to the book alone, which is empty, and waits; then to the backstop, too.
            late = START_TIME + (phases.LIQUIDATION_PAUSE + 10) * (number + 1)
            await pass_time(running, late)
            await submit(running, traffic.report(0, reported, time=late))
            _, account = await running.get("/v1/accounts/1")
            sizes.append(abs(int(account["positions"][0]["size"])))
        assert sizes[:3] == [113, 113, 113] and sizes[3] < 113


async def test_funding_is_shown_before_it_is_paid(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, impact=1, max_age=3600, band=100_000, funding_cap=5000)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await open_market(running, 1000)
        await submit(running, traffic.order(2, SELL, 1010, 50))
        await submit(running, traffic.order(1, BUY, 1010, 50))
        await submit(running, traffic.order(3, BUY, 1015, 5))
        await submit(running, traffic.order(2, SELL, 1025, 5))
        for passed in (61, 122, phases.HOUR):
            await pass_time(running, START_TIME + passed)
        _, market = await running.get("/v1/markets/1")
        assert market["premium"] > 0 and 0 < market["funding_rate"] <= 5000 / 8
        assert market["index"] == 1000 < market["mark"] <= 1020
        paid = int(market["funding"]) * 50 / 2**32
        assert paid > 0
        before = (await running.get("/v1/accounts/1"))[1]
        if before["funding"] != "0":  # the sweep has come by already otherwise
            assert int(before["funding"]) == -int(before["collateral"]) - int(before["equity"])
        assert int(market["pool"]) >= 0


async def test_markets_show_their_tiers_and_halts(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    tiers = {"tier1_size": 500, "tier1_initial": 200_000, "tier1_maintenance": 100_000}
    l1 = opening_of(traffic, 10**9, step_band=50_000, **tiers)
    async with operator(redis_server.url, traffic, l1) as running:
        await open_market(running)
        _, market = await running.get("/v1/markets/1")
        assert market["tiers"] == [
            {"size": "0", "initial_margin": 100_000, "maintenance_margin": 50_000},
            {"size": "500", "initial_margin": 200_000, "maintenance_margin": 100_000},
        ]
        assert (market["halted_until"], market["is_fresh"], market["insurance"]) == (0, True, "0")
        await submit(running, traffic.report(0, 150, time=traffic.time + 1))
        _, market = await running.get("/v1/markets/1")
        assert (market["index"], market["halted_until"]) == (105, START_TIME + phases.HALT_TIME)
        status, answer = await running.submit(traffic.order(1, BUY, 105, 1))
        assert (status, answer["reason"]) == (422, "halted")


async def test_an_auction_is_shown_before_it_is_held_and_held_at_its_time(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, call_minutes=1, max_age=600, taker_fee=0, maker_fee=0)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await open_market(running, 1000)
        _, market = await running.get("/v1/markets/1")
        assert market["call_minutes"] == 1
        assert get_auction(market) == (START_TIME + 60, None, "0", "0")
        await submit(running, traffic.order(1, BUY, 1020, 9))
        await submit(running, traffic.order(2, SELL, 980, 3))
        await submit(running, traffic.order(3, SELL, 1010, 2))
        await submit(running, traffic.order(3, SELL, 970, 5, expiry=START_TIME + 50))
        _, market = await running.get("/v1/markets/1")
        assert (market["best_bid"], market["best_ask"]) == (1020, 970)
        assert get_auction(market) == (START_TIME + 60, 1020, "5", "4")
        status, answer = await running.submit(traffic.order(1, BUY, 1020, 1, flags=records.IOC))
        assert (status, answer["reason"]) == (422, "halted")
        await pass_time(running, START_TIME + 60)
        _, market = await running.get("/v1/markets/1")
        assert market["auction"] is None and market["best_bid"] == 1020
        _, answer = await running.get("/v1/fills")
        shown = [(fill["kind"], fill["taker"], fill["maker"], fill["price"], fill["size"]) for fill in answer["fills"]]
        assert shown == [("auction", 1, 2, 1020, "3"), ("auction", 1, 3, 1020, "2")]
        assert answer["fills"][1]["taker_order_slot"] == 0 and answer["fills"][1]["maker_order_slot"] == 0


async def test_sub_accounts_agents_and_the_backstop(exchange: Running) -> None:
    traffic = exchange.traffic
    sub = 1 | 3 << 20
    await submit(exchange, traffic.transfer(1, sub, 10**6))
    await submit(exchange, traffic.set_agent(1, 2, START_TIME + 1000))
    await submit(exchange, traffic.order(sub, BUY, 90, 4, agent=2))
    _, shown = await exchange.get("/v1/accounts/1.3")
    assert (shown["account"], shown["master"], shown["sub"], shown["collateral"]) == (sub, 1, 3, str(10**6))
    assert shown == (await exchange.get(f"/v1/accounts/{sub}"))[1]
    assert (shown["next_nonce"], shown["session"], len(shown["orders"])) == ("3", 1, 1)
    scope = Scope((0, 3), ("Order", "CancelAll"), (1, 255), closes_only=True, max_size=1025)
    await submit(exchange, traffic.set_agent(1, 5, START_TIME + 1000, scope=scope))
    _, shown = await exchange.get("/v1/accounts/1.3")
    free = {"subs": [], "kinds": [], "markets": [], "closes_only": False, "max_size": "0", "session": 1}
    free["next_nonce"] = str(2**32 + 2)
    bound = {"subs": [0, 3], "kinds": ["Order", "CancelAll"], "markets": [1, 255], "closes_only": True}
    bound["max_size"] = "1024"  # ten binary digits of it
    keys = [{"key": "0x" + address_of(agent_key(1, number)).hex(), "agent": number} for number in (2, 5)]
    assert shown["agents"] == [
        {**keys[0], "expiry": START_TIME + 1000, **free},
        {**keys[1], "expiry": START_TIME + 1000, **bound, "session": 2, "next_nonce": str(2**33 + 1)},
    ]
    _, master = await exchange.get("/v1/accounts/1")
    assert master["subs"] == 3 and master["orders"] == []
    await submit(exchange, traffic.backstop_deposit(2, 500))
    _, backstop = await exchange.get("/v1/backstop")
    assert (backstop["equity"], backstop["shares"], backstop["free"]) == ("500", "512000", "500")
    assert (await exchange.get("/v1/accounts/2"))[1]["shares"] == "512000"
    for path in ("/v1/accounts/1.16", "/v1/accounts/9.1", "/v1/accounts/0.1"):
        assert (await exchange.get(path))[0] == 404


async def test_an_owner_sees_what_activity_saves(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**8, taker_fee=10_000, maker_fee=2_000)
    l1.messages.append(traffic.set_terms(low=100, high=300, taker_saving=100_000, maker_saving=90_000))
    async with operator(redis_server.url, traffic, l1) as running:
        await open_market(running)
        _, shown = await running.get("/v1/markets")
        assert shown["terms"] == {
            "low": "100",
            "high": "300",
            "taker_saving": 100_000,
            "maker_saving": 90_000,
            "most_rebate": 0,
            "backstop_share": 0,
            "treasury_share": 0,
            "insurance_floor": 0,
            "treasury": 0,
            "scale_from": 0,
            "scale_most": 0,
        }
        await submit(running, traffic.order(1, SELL, 100, 15))
        await submit(running, traffic.order(2, BUY, 100, 15))  # worth 150 in fees
        for account in ("1", "2", "2.1"):
            _, shown = await running.get(f"/v1/accounts/{account}")
            assert (shown["activity"], shown["taker_saving"], shown["maker_saving"]) == ("150", 25_000, 22_500)
        _, shown = await running.get("/v1/accounts/3")
        assert (shown["activity"], shown["taker_saving"]) == ("0", 0)
