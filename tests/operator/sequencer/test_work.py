"""What the sequencer does of its own: cranks, and the machine's own work, which waits for nobody and loses nothing."""

import asyncio
from typing import Any

import pytest
from tests.support.processes.running_operator import FAR, HandL1, Running, open_market, opening, operator, replay
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.rules import phases

BUY, SELL = records.BUY, records.SELL
LATER = phases.SAMPLE_INTERVAL + 1


async def until_batch(running: Running, number: int) -> list[bytes]:
    """Wait until batch `number` is in the outbox; its records."""
    assert await asyncio.to_thread(running.outbox.wait, number, 10), f"batch {number} does not come"
    sealed = running.outbox.get(number)
    assert sealed is not None
    return list(sealed.batch.records)


def kinds(bodies: list[bytes]) -> list[int]:
    return [body[0] for body in bodies]


async def submit(running: Running, record: bytes) -> Any:
    status, answer = await running.submit(record)
    assert status == 200, answer
    return answer


def opening_of(traffic: SampleTraffic, *funds: int, **market: int) -> HandL1:
    """An L1 with one market and accounts of these funds."""
    deposits = [traffic.deposit(account, amount) for account, amount in enumerate(funds, 1)]
    return HandL1([traffic.list_market(**market), traffic.set_signer(max_age=600), *deposits])


async def test_a_priced_market_gets_its_first_crank_at_once(exchange: Running) -> None:
    assert (await exchange.status())["records"] == 2
    _, market = await exchange.get("/v1/markets/1")
    assert market["sampled"] == START_TIME
    status, answer = await exchange.submit(records.encode_crank(1))
    assert (status, answer["reason"]) == (422, "not_due")


async def test_a_batch_begins_with_the_cranks_that_are_due(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, 10**9, max_age=1000)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.1, crank_interval=0) as running:
        await open_market(running)
        assert kinds(await until_batch(running, 0)) == [records.REPORT, records.CRANK]
        l1.time += LATER
        await asyncio.sleep(0.3)
        assert running.outbox.latest() == 0  # not worth a batch of its own
        await submit(running, traffic.order(1, BUY, 99, 1))
        assert kinds(await until_batch(running, 1)) == [records.ORDER, records.CRANK]
        l1.time += LATER - 2
        await asyncio.sleep(0.1)
        await submit(running, traffic.order(1, BUY, 99, 1))
        assert kinds(await until_batch(running, 2)) == [records.ORDER]
        replay(running.outbox)


async def test_a_quiet_market_gets_a_crank_now_and_then_until_its_price_is_stale(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, max_age=200)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, crank_interval=90) as running:
        await open_market(running)
        await until_batch(running, 0)
        for passed, latest in ((60, 0), (89, 0), (90, 1), (150, 1), (180, 2), (270, 2), (900, 2)):
            l1.time = START_TIME + passed
            await until_batch(running, latest)
            await asyncio.sleep(0.25)
            assert running.outbox.latest() == latest, passed
        assert running.outbox.get(1).batch.records == (records.encode_crank(1),)  # type: ignore[union-attr]
        replay(running.outbox)


async def test_a_wind_down_is_carried_out_and_a_dead_oracle_left_to_others(redis_server: RedisServer) -> None:
    """An operator that came back settles every market, whatever its price's age; a long stop alone settles none."""
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, 10**9, max_age=200)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, crank_interval=0) as running:
        await open_market(running)
        await submit(running, traffic.order(1, BUY, 100, 5))
        await submit(running, traffic.order(2, SELL, 100, 5))
        await until_batch(running, 0)
        l1.time += phases.ORACLE_DEATH + 1
        await submit(running, traffic.cancel_all(1))
        await until_batch(running, 1)
        assert (await running.get("/v1/markets/1"))[1]["expiry"] == 0
        assert (await running.status())["winding_since"] == 0
        l1.messages.append(records.encode(records.WindDownBody()))
        l1.time += LATER
        number = running.outbox.latest() + 1
        await until_batch(running, number)
        for _ in range(3):
            l1.time += LATER
            await submit(running, traffic.cancel_all(1))
            number += 1
            await until_batch(running, number)
        machine = running.sequencer.exchange.machine
        assert machine.state.market(1).settled == 1
        assert (await running.status())["winding_since"] == machine.regs.winding_since > 0
        status, answer = await running.submit(traffic.order(1, BUY, 100, 1))
        assert (status, answer["reason"]) == (422, "winding_down")
        await submit(running, traffic.withdraw(1, machine.state.account(1).collateral))
        replay(running.outbox)


async def test_a_price_that_comes_back_brings_its_crank(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.1) as running:
        await open_market(running)
        await until_batch(running, 0)
        l1.time = traffic.time = START_TIME + 500
        await asyncio.sleep(0.1)
        await submit(running, traffic.withdraw(1, 5))
        await submit(running, traffic.report(0, 100))
        assert kinds(await until_batch(running, 1)) == [records.WITHDRAW, records.REPORT, records.CRANK]


async def test_a_dated_future_settles_by_itself(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 10**9, 10**9, expiry=START_TIME + 1000, max_age=10, **FAR)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, crank_interval=0) as running:
        await open_market(running)
        await submit(running, traffic.order(1, SELL, 110, 10))
        await submit(running, traffic.order(2, BUY, 110, 10))
        await until_batch(running, 0)
        l1.time = START_TIME + 1000

        async def settled() -> dict[str, Any] | None:
            market: dict[str, Any] = (await running.get("/v1/markets/1"))[1]
            return market if market["open_interest"] == "0" else None

        assert (await until(settled))["is_settled"] is True
        accounts = [(await running.get(f"/v1/accounts/{account}"))[1] for account in (1, 2)]
        assert [account["positions"] for account in accounts] == [[], []]
        assert int(accounts[0]["equity"]) - int(accounts[1]["equity"]) > 1900  # sold at 110 what is worth 100
        replay(running.outbox)


async def test_records_wait_for_the_machines_own_work(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that does not fit an input goes on in ticks; whoever came meanwhile is answered after it, as ever."""
    monkeypatch.setattr(phases, "WORK_LIMIT", 6)
    traffic = SampleTraffic()
    async with operator(redis_server.url, traffic, HandL1(opening(traffic, 12))) as running:
        await submit(running, traffic.report(0, 100))
        for seller in range(1, 12, 2):  # all of them hold something
            await submit(running, traffic.order(seller, SELL, 100, 1))
            await submit(running, traffic.order(seller + 1, BUY, 100, 1))
        before = len(running.sequencer.exchange._records)
        orders = [traffic.order(1 + i % 12, BUY, 90, 1) for i in range(24)]
        news = traffic.report(0, 100, time=traffic.time + 1)
        sent = [running.sequencer.submit(record) for record in (news, *orders)]
        results = await asyncio.gather(*sent)
        assert [result.outcome for result in results] == [0] * 25
        taken = kinds(running.sequencer.exchange._records)[before:]
        assert taken.count(records.ORDER) == 24 and taken[0] == records.REPORT
        first = taken.index(records.ORDER)
        assert first > 4 and set(taken[1:first]) == {records.CRANK}
        await until(lambda: not running.sequencer.exchange.is_busy)
        await asyncio.sleep(0.1)
        machine = running.sequencer.exchange.machine.hash()
        async with operator(redis_server.url, traffic, running.l1) as again:
            assert again.sequencer.exchange.machine.hash() == machine


async def offer_eight(running: Running, traffic: SampleTraffic) -> None:
    """Eight asks of a lot, each at a price of its own: more makers than twenty steps suffice for."""
    await submit(running, traffic.report(0, 100))
    for slot in range(8):
        await submit(running, traffic.order(1, SELL, 100 + slot, 1, order_slot=slot))


async def test_an_order_that_pauses_says_so_and_is_through_before_the_next(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    traffic = SampleTraffic()
    async with operator(redis_server.url, traffic, HandL1(opening(traffic, 4))) as running:
        await offer_eight(running, traffic)
        taker, late = traffic.order(2, BUY, 110, 20, order_slot=3), traffic.order(3, SELL, 110, 2)
        first, second = await asyncio.gather(running.sequencer.submit(taker), running.sequencer.submit(late))
        assert first.is_paused and 0 < len(first.fills) < 8 and first.resting == 0
        assert not second.is_paused and [fill.fill.size for fill in second.fills] == [2]
        machine = running.sequencer.exchange.machine
        fills = [fill.fill for fill in running.sequencer.exchange.fills]
        assert [fill.size for fill in fills if fill.taker == 2] == [1] * 8
        _, shown = await running.get("/v1/orders/2")
        orders = shown["orders"]
        assert [(order["order_slot"], order["size"]) for order in orders] == [(3, "10")]
        hashed = machine.hash()
        async with operator(redis_server.url, traffic, running.l1) as again:
            assert again.sequencer.exchange.machine.hash() == hashed


async def test_a_bulk_ends_with_the_page_that_pauses(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    traffic = SampleTraffic()
    async with operator(redis_server.url, traffic, HandL1(opening(traffic, 4))) as running:
        await offer_eight(running, traffic)
        legs = [Leg(0, 1, slot, 110 if slot == 1 else 90, 12) for slot in range(10)]
        record, *pages = traffic.bulk(2, legs)
        result = await running.sequencer.submit(record, pages)
        assert result.is_paused and result.leg_pages == 1 and len(pages) == 2
        assert result.legs == (12, 0, 0, 0, 0, 0, 0, 0)
        assert len(result.links) == 2
        after = await running.sequencer.submit(traffic.order(3, BUY, 80, 1))
        assert not after.is_paused
        _, shown = await running.get("/v1/orders/2")
        orders = shown["orders"]
        assert [order["order_slot"] for order in orders] == list(range(8))
        assert orders[1]["size"] == "4"
        machine = running.sequencer.exchange.machine.hash()
        async with operator(redis_server.url, traffic, running.l1) as again:
            assert again.sequencer.exchange.machine.hash() == machine


async def test_work_goes_on_in_the_next_batch(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forced report starts a sweep for which its batch has no steps left."""
    monkeypatch.setattr(phases, "WORK_LIMIT", 6)
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + 12)
    traffic = SampleTraffic()
    l1 = HandL1([*opening(traffic, 5), traffic.report(0, 100)])
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        result = await running.sequencer.submit(traffic.order(1, BUY, 90, 1))
        assert result.batch >= 1
        first = running.outbox.get(0)
        assert first is not None and first.batch.records in ((), (records.encode_crank(0),))
        await until_batch(running, result.batch)
        replay(running.outbox)


async def test_what_is_parked_is_drained_before_any_other_record(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forced records that find the batch full: cranks take them out, refused ones too, and then the others go on."""
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + 3)
    traffic = SampleTraffic()
    forced = [traffic.withdraw(1, 5), traffic.withdraw(2, 10**18), traffic.withdraw(3, 7)]
    l1 = HandL1([*opening(traffic, 5), *forced])
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        result = await running.sequencer.submit(traffic.withdraw(4, 9))
        machine = running.sequencer.exchange.machine
        assert (machine.regs.parked_first, machine.regs.parked_end) == (3, 3)
        assert [machine.state.withdrawal(index).account for index in range(3)] == [1, 3, 4]
        assert machine.regs.withdrawals == 3
        await until_batch(running, result.batch)
        replay(running.outbox)
        before = machine.hash()
        async with operator(redis_server.url, traffic, running.l1) as again:
            assert again.sequencer.exchange.machine.hash() == before


async def test_what_is_parked_waits_for_no_record_and_no_heartbeat(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on by itself, but not while the batches do not reach L1."""
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + 3)
    traffic = SampleTraffic()
    forced = [traffic.withdraw(1 + i % 3, 5) for i in range(6)]
    l1 = HandL1([*opening(traffic, 5), *forced])
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05, heartbeat=0.0, max_unposted=0) as running:
        await until_batch(running, 0)
        await asyncio.sleep(0.3)
        exchange = running.sequencer.exchange
        assert exchange.is_busy and running.outbox.latest() == 0
        running.outbox.set_posted(10_000)
        await until(lambda: not exchange.is_busy)
        assert exchange.machine.regs.withdrawals == 6
        await asyncio.sleep(0.3)
        latest = running.outbox.latest()
        assert latest + 1 == exchange.cursor.number
        await asyncio.sleep(0.3)
        assert running.outbox.latest() == latest  # and then nothing is left to do
        replay(running.outbox)


async def crash(running: Running) -> None:
    """Account 1 buys with all it has, from 2; then the price falls, while 3 bids below."""
    traffic = running.traffic
    await open_market(running)
    await submit(running, traffic.order(2, SELL, 100, 900))
    await submit(running, traffic.order(1, BUY, 100, 900))
    await submit(running, traffic.order(3, BUY, 94, 500))
    await submit(running, traffic.report(0, 94, time=traffic.time + 1))


async def test_liquidations_reach_the_tape_with_their_accounts(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 92_000, 10**9, 10**9)
    async with (
        operator(redis_server.url, traffic, l1, batch_interval=0.2) as running,
        running.http.ws_connect(running.url + "/ws?channels=fills") as socket,
    ):
        await crash(running)
        told = [await socket.receive_json(timeout=5) for _ in range(2)]
        fills = [message["data"] for message in told[1:]]
        assert {fill["kind"] for fill in fills} == {"liquidation"}
        assert {(fill["taker"], fill["side"], fill["taker_order_slot"]) for fill in fills} == {(1, "sell", None)}
        assert (fills[0]["maker"], fills[0]["price"], fills[0]["size"]) == (3, 94, "225")  # a quarter was enough
        _, tape = await running.get("/v1/fills?after=0&account=1")
        assert tape["fills"][0]["kind"] == "trade"
        assert tape["fills"][1 : 1 + len(fills)] == fills
        _, account = await running.get("/v1/accounts/1")
        assert int(account["buffer"]) >= 0
        position = int(account["positions"][0]["size"]) if account["positions"] else 0
        assert position == 900 - sum(int(fill["size"]) for fill in tape["fills"][1:])
        await until_batch(running, (await running.status())["batch"])
        replay(running.outbox)


async def test_without_a_book_the_backstop_takes_over_and_then_others_are_deleveraged(
    redis_server: RedisServer,
) -> None:
    traffic = SampleTraffic()
    l1 = opening_of(traffic, 92_000, 10**9, 10**9, 92_000)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.2) as running:
        await open_market(running)
        await submit(running, traffic.order(2, SELL, 100, 900))
        await submit(running, traffic.order(1, BUY, 100, 900))
        fallen = await submit(running, traffic.report(0, 92, time=traffic.time + 1))
        assert {(f["kind"], f["taker"], f["maker"]) for f in fallen["fills"]} == {("deleverage", 1, 2)}
        shown = (await running.get("/v1/accounts/3"))[1]
        since = shown["exit"]["all_at"] - 15 * 3600
        assert (shown["exit"]["now"], shown["exit"]["more_at"]) == (str(10**9 // 16), since + 3600)
        assert shown["exit"]["decimal"] == {"now": "62.5"}
        assert START_TIME <= since < START_TIME + 60
        await submit(running, traffic.withdraw(3, 10**9 // 16))
        status, refused = await running.submit(traffic.withdraw(3, 1))
        assert (status, refused["reason"]) == (422, "withdrawals_limited")
        assert (await running.get("/v1/accounts/3"))[1]["exit"]["now"] == "0"
        await submit(running, traffic.backstop_deposit(3, 10**7))
        await submit(running, traffic.order(4, BUY, 92, 900))
        await submit(running, traffic.order(2, SELL, 92, 900))
        fallen = await submit(running, traffic.report(0, 83, time=traffic.time + 2))
        ends = {(f["kind"], f["taker"], f["maker"], f["maker_order_slot"]) for f in fallen["fills"]}
        assert ends == {("takeover", 4, 0, None), ("deleverage", 1, 2, None)}  # 1 is in debt
        _, backstop = await running.get("/v1/backstop")
        taken = sum(int(f["size"]) for f in fallen["fills"] if f["kind"] == "takeover")
        assert int(backstop["positions"][0]["size"]) == taken
        assert backstop["withdrawals_limited_until"] > START_TIME
        await until_batch(running, (await running.status())["batch"])
        replay(running.outbox)


async def test_a_fired_order_trades_under_its_own_name(exchange: Running) -> None:
    traffic = exchange.traffic
    await submit(exchange, traffic.order(1, BUY, 120, 5, flags=records.ABOVE | records.IOC, trigger=105, client=77))
    await submit(exchange, traffic.order(2, SELL, 108, 3))
    _, account = await exchange.get("/v1/accounts/1")
    [armed] = account["orders"]
    assert armed["trigger"]["above"] == 105 and armed["client"] == "77" and account["order_count"] == 1
    [place] = account["positions"]
    assert (place["orders"], place["size"], place["bids"]) == (1, "0", "0")
    fired = await submit(exchange, traffic.report(0, 106, time=traffic.time + 1))
    [fill] = fired["fills"]
    assert (fill["kind"], fill["taker"], fill["taker_order_slot"], fill["maker"]) == (
        "trade",
        1,
        armed["order_slot"],
        2,
    )
    assert (await exchange.get("/v1/orders/1"))[1]["orders"] == []


async def test_an_order_that_meets_its_owners_own_keeps_what_it_traded(exchange: Running) -> None:
    traffic = exchange.traffic
    await submit(exchange, traffic.order(2, SELL, 100, 3))
    await submit(exchange, traffic.order(1, SELL, 101, 5))
    taken = await submit(exchange, traffic.order(1, BUY, 102, 9, flags=records.CANCEL_TAKER))
    assert (taken["outcome"], taken["resting"], [fill["size"] for fill in taken["fills"]]) == ("self_trade", "0", ["3"])
    status, refused = await exchange.submit(traffic.order(1, BUY, 102, 9, flags=records.CANCEL_TAKER))
    assert (status, refused["reason"]) == (422, "self_trade")
    async with operator(_url(exchange), traffic, exchange.l1) as again:
        assert again.sequencer.exchange.machine.hash() == exchange.sequencer.exchange.machine.hash()


def _url(running: Running) -> str:
    options = running.redis.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/{options.get('db', 0)}"
