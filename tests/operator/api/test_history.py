"""The history over the API: what was answered at the time is found again, by account, client id and nonce."""

from pathlib import Path
from typing import Any

from tests.support.processes.running_operator import Running, open_market, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.records import BUY, IOC, SELL
from setoff.shared.config.redis_server import RedisServer


async def read(running: Running, path: str) -> Any:
    status, answer = await running.get(path)
    assert status == 200, answer
    return answer


async def catch_up(running: Running) -> None:
    """Until the history has every record."""
    count = (await running.status())["records"]

    async def is_up() -> bool:
        return (await running.get(f"/v1/records/{count - 1}"))[0] == 200

    await until(is_up, "the history lags")


async def test_what_was_traded_is_found_again_with_its_fees_and_orders(historic: Running) -> None:
    async with historic.trader(1) as maker, historic.trader(2) as taker:
        resting = await maker.place(1, SELL, 101, 5, client=77)
        taken = await taker.place(1, BUY, 102, 3, client=2**64 - 1)
        rest = await taker.place(1, BUY, 101, 9, IOC)
        await maker.place(1, SELL, 105, 4, client=78)
        await maker.cancel_client(78)
    await catch_up(historic)
    page = await read(historic, "/v1/history/fills/2")
    assert [fill["size"] for fill in page["fills"]] == ["2", "3"] and page["next"] is None
    last, first = page["fills"]
    known = taken.fills[0]
    assert {name: first[name] for name in ("fill", "price", "size", "batch", "time", "taker", "maker")} == {
        name: known[name] for name in ("fill", "price", "size", "batch", "time", "taker", "maker")
    }
    assert (first["client"], first["record"], first["is_taker"]) == (str(2**64 - 1), taken.sequence, True)
    assert (last["client"], last["record"]) == ("0", rest.sequence)
    entries = (await read(historic, "/v1/history/ledger/2"))["entries"]
    assert sum(int(entry["amount"]) for entry in entries) == int((await read(historic, "/v1/accounts/2"))["collateral"])
    assert int(entries[-1]["amount"]) == 10**12 and entries[-1]["kind"] == "deposit"
    fees = (await read(historic, "/v1/history/ledger/2?kind=fee"))["entries"]
    assert [-int(entry["amount"]) for entry in fees] == [int(last["fee"]), int(first["fee"])]
    orders = (await read(historic, "/v1/history/orders/1"))["orders"]
    assert [(order["client"], order["status"], order["filled"]) for order in orders] == [
        ("78", "cancelled", "0"),
        ("77", "filled", "5"),
    ]
    assert orders[1]["record"] == resting.sequence
    ioc = (await read(historic, "/v1/history/orders/2?status=cancelled"))["orders"]
    assert [(order["size"], order["filled"]) for order in ioc] == [("9", "2")]


async def test_trades_candles_and_prices_are_served_by_pages(historic: Running) -> None:
    traffic = historic.traffic
    for number, price in enumerate((99, 101, 98, 100)):
        await historic.submit(traffic.order(1, SELL, price, 2 + number))
        await historic.submit(traffic.order(2, BUY, price, 2 + number))
    await catch_up(historic)
    newest = await read(historic, "/v1/history/trades/M1-PERP?limit=3")
    assert [trade["price"] for trade in newest["trades"]] == [100, 98, 101]
    older = await read(historic, f"/v1/history/trades/1?limit=3&before={newest['next']}")
    assert [trade["price"] for trade in older["trades"]] == [99] and older["next"] is None
    again = await read(historic, "/v1/history/trades/1?after=0&limit=2")
    assert [trade["price"] for trade in again["trades"]] == [99, 101]
    (candle,) = (await read(historic, "/v1/history/candles/1?interval=1h"))["candles"]
    shape = (candle["open"], candle["high"], candle["low"], candle["close"], candle["volume"], candle["trades"])
    assert shape == (99, 101, 98, 100, "14", 4) and candle["start"] == START_TIME - START_TIME % 3600
    assert candle["decimal"]["close"] == "0.001"
    assert (await historic.get("/v1/history/candles/1?interval=2h"))[0] == 400
    assert (await historic.get("/v1/history/trades/1?after=1&before=2"))[0] == 400
    (price,) = (await read(historic, "/v1/history/prices/1"))["prices"]
    assert (price["index"], price["mark"]) == (100, 100)


async def test_an_order_whose_answer_was_lost_is_found_by_nonce_and_by_client_id(historic: Running) -> None:
    traffic = historic.traffic
    taken = (await historic.submit(traffic.order(1, BUY, 90, 5, client=4711)))[1]
    await catch_up(historic)
    for query in (f"nonce={taken['nonce']}", "client=4711"):
        found = await read(historic, f"/v1/lookup/1?{query}")
        assert [record["sequence"] for record in found["records"]] == [taken["sequence"]]
        assert [(order["status"], order["size"]) for order in found["orders"]] == [("open", "5")]
        assert found["records"][0]["stage"] == "executed"
    assert await read(historic, "/v1/lookup/1?nonce=999") == {"account": 1, "records": [], "orders": []}
    for query in ("", "?nonce=1&client=1"):
        assert (await historic.get(f"/v1/lookup/1{query}"))[0] == 400


async def test_records_and_batches_tell_how_far_they_are(historic: Running) -> None:
    traffic = historic.traffic
    taken = (await historic.submit(traffic.order(1, BUY, 90, 5)))[1]
    await historic.submit(traffic.report(1, 100))  # refused: signer 1 is nobody
    await historic.submit(traffic.report(0, 101, time=START_TIME + 1))
    await catch_up(historic)
    records_of_1 = (await read(historic, "/v1/history/records/1"))["records"]
    assert [(record["sequence"], record["stage"]) for record in records_of_1] == [(taken["sequence"], "executed")]
    report = await read(historic, f"/v1/records/{taken['sequence'] + 1}")
    assert (report["type"], report["account"]) == (records.REPORT, 0)
    assert await read(historic, "/v1/history/batches") == {"batches": [], "next": None}
    assert (await historic.get("/v1/records/999"))[0] == 404


async def test_a_record_that_is_sent_again_is_answered_with_what_became_of_it(historic: Running) -> None:
    traffic = historic.traffic
    await historic.submit(traffic.order(1, SELL, 100, 2))
    record = traffic.order(2, BUY, 100, 5, client=9)
    _, first = await historic.submit(record)
    await historic.submit(traffic.order(1, SELL, 100, 1))
    await catch_up(historic)
    before = (await historic.status())["records"]
    status, again = await historic.submit(record)
    assert (status, again["is_repeat"], again["sequence"]) == (200, True, first["sequence"])
    assert [fill["fill"] for fill in again["fills"]] == [fill["fill"] for fill in first["fills"]]
    assert (first["resting"], again["resting"]) == ("3", "2")
    assert (await historic.status())["records"] == before
    async with historic.trader(2) as client:
        (order,) = (await client.find(client=9))["orders"]
        assert (order["filled"], order["status"]) == ("3", "open")
        result = await client.submit(record)
        assert result.sequence == first["sequence"] and result.filled == 2
    forged = traffic.sign(record[: records.BODY_BYTES], trader_key(1))
    assert (await historic.submit(forged))[1]["reason"] == "bad_signature"
    other = traffic.transfer(2, 1, 5, nonce=int(first["nonce"]))
    assert (await historic.submit(other))[1]["reason"] == "nonce_used"


async def test_without_a_history_it_is_said(exchange: Running) -> None:
    status, answer = await exchange.get("/v1/history/trades/1")
    assert (status, answer["reason"]) == (503, "not_ready") and "history_url" in answer["detail"]


async def test_orders_that_time_has_ended_are_open_no_more(redis_server: RedisServer, tmp_path: Path) -> None:
    """Though the machine takes them out of the book only when it meets them."""
    async with (
        operator(redis_server.url, history_url="", history_dir=tmp_path, batch_interval=0.05) as running,
        running.trader(1) as client,
        running.trader(2) as other,
    ):
        await open_market(running)
        await client.place(1, BUY, 90, 5, client=5, expiry=START_TIME + 50)
        await client.place(1, BUY, 91, 5, client=6)
        await other.place(1, BUY, 92, 5, client=7)
        await other.schedule_cancel(START_TIME + 60)
        running.l1.time = START_TIME + 100

        async def is_later() -> bool:
            await client.schedule_cancel(0)
            return (await running.status())["time"] >= START_TIME + 100

        await until(is_later)
        await catch_up(running)
        (alive,) = (await client.history("orders", 1, status="open"))["orders"]
        assert alive["client"] == "6"
        (dead,) = (await client.find(client=5))["orders"]
        assert (dead["status"], dead["closed_time"]) == ("expired", START_TIME + 50)
        (stopped,) = (await client.history("orders", 2))["orders"]
        assert (stopped["status"], stopped["closed_time"]) == ("expired", START_TIME + 60)
