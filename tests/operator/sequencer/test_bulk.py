"""Bulk records: one signature, many legs, all of its pages in a row or nothing at all."""

import asyncio
from typing import Any

from tests.support.processes.running_operator import Running, replay

from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.codec.records import CANCEL_LEG, SELL_LEG, Leg
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.wire.records import encode_record

BUY, SELL = records.BUY, records.SELL


async def submit(running: Running, signed: list[bytes]) -> tuple[int, Any]:
    return await running.post(encode_record(signed[0], signed[1:]))


def quotes(count: int, size: int = 2) -> list[Leg]:
    """Resting bids and asks around 100, in slots 0, 1, …."""
    return [
        Leg(0, 1, slot, 99 - slot % 20, size) if slot % 2 else Leg(SELL_LEG, 1, slot, 101 + slot % 20, size)
        for slot in range(count)
    ]


async def test_takes_a_bulk_record_with_its_pages(exchange: Running) -> None:
    traffic = exchange.traffic
    await exchange.submit(traffic.order(2, SELL, 100, 3))
    before = await exchange.status()
    legs = [*quotes(19), Leg(0, 1, 20, 100, 5), Leg(CANCEL_LEG, 1, 4), Leg(0, 1, 5, 90, 1), Leg(0, 9, 6, 90, 1)]
    status, answer = await submit(exchange, traffic.bulk(1, legs))
    assert status == 200 and answer["leg_pages"] == 3
    assert answer["sequence"] == before["records"]
    expected = ["2"] * 19 + ["2", "0", "2", "2"]  # the last two find their slots taken by earlier legs
    expected[4] = "0"
    assert answer["legs"] == expected
    assert [(fill["taker_order_slot"], fill["maker"], fill["size"]) for fill in answer["fills"]] == [(20, 2, "3")]
    after = await exchange.status()
    assert after["records"] == before["records"] + 4 and after["open_inputs"] == before["open_inputs"] + 4
    _, shown = await exchange.get("/v1/orders/1")
    assert sorted(order["order_slot"] for order in shown["orders"]) == [
        slot for slot in range(21) if slot not in (4, 19)
    ]


async def test_a_refused_bulk_record_takes_nothing(exchange: Running) -> None:
    traffic = exchange.traffic
    signed = traffic.bulk(1, quotes(20))
    assert (await submit(exchange, signed))[0] == 200
    before = await exchange.status()
    status, answer = await submit(exchange, signed)
    assert (status, answer["reason"]) == (422, "nonce_used")
    assert await exchange.status() == before
    status, answer = await exchange.submit(signed[0])
    assert (status, answer["reason"]) == (422, "wrong_leg_page")
    forged = traffic.sign(traffic.bulk(1, quotes(9))[0][:60], bytes(31) + b"\1")
    status, answer = await submit(exchange, [forged, *traffic.bulk(1, quotes(9))[1:]])
    assert (status, answer["reason"]) == (422, "bad_signature")
    assert await exchange.status() == before


async def test_a_bulk_record_is_never_torn_apart(exchange: Running) -> None:
    """Many at once, over the end of a batch and beside other records: the pages stand right behind their record."""
    traffic = exchange.traffic
    for start in range(0, 1000, 100):
        orders = [
            traffic.order(3, BUY if i % 2 else SELL, 100, 1, flags=records.IOC) for i in range(start, start + 100)
        ]
        await asyncio.gather(*[exchange.sequencer.submit(record) for record in orders])
    work: list[Any] = []
    for account in (1, 2):
        for _ in range(8):
            first, *leg_pages = traffic.bulk(account, [Leg(CANCEL_LEG, 1, slot) for slot in range(64)])
            work += [
                exchange.sequencer.submit(first, leg_pages),
                exchange.sequencer.submit(traffic.order(3, BUY, 50, 1)),
            ]
    results = await asyncio.gather(*work)
    assert {result.batch for result in results} == {0, 1}
    bulks = [result for result in results if result.leg_pages]
    assert all(result.input_index + result.leg_pages < MAX_INPUTS for result in bulks)
    sealed = exchange.outbox.get(0)
    assert sealed is not None
    for result in bulks:
        batch = list(sealed.batch.records) if result.batch == 0 else open_records(exchange.sequencer.exchange)
        first = batch.index(result.record)
        assert [body[0] for body in batch[first + 1 : first + 9]] == [records.LEG_PAGE] * 8
    replay(exchange.outbox)


def open_records(exchange: Exchange) -> list[bytes]:
    return exchange._records


async def test_takes_bulk_records_as_bytes(exchange: Running) -> None:
    traffic = exchange.traffic
    one, two = traffic.bulk(1, quotes(10)), traffic.bulk(2, quotes(3))
    order = traffic.order(3, BUY, 50, 1)
    data = b"".join([*one, order, *two[:-1]])
    async with exchange.http.post(f"{exchange.url}/v1/records/bulk", data=data) as response:
        results = (await response.json())["results"]
    assert [result.get("reason", "taken") for result in results] == ["taken", "taken", "wrong_leg_page"]
    assert results[0]["leg_pages"] == 2


async def test_tells_of_a_bulk_record_once(exchange: Running) -> None:
    traffic = exchange.traffic
    async with exchange.http.ws_connect(exchange.url + "/ws?channels=records,fills") as socket:
        _, one = await submit(exchange, traffic.bulk(1, [Leg(SELL_LEG, 1, 0, 100, 5)]))
        _, two = await submit(exchange, traffic.bulk(2, [Leg(0, 1, 0, 100, 3), Leg(0, 1, 1, 100, 4)]))
        told = [await socket.receive_json(timeout=5) for _ in range(4)]
    assert len(one.pop("receipts")) == len(two.pop("receipts")) == 2  # for the sender alone
    assert [message["data"] for message in told] == [one, two, *two["fills"]]
    assert [(f["taker"], f["taker_order_slot"], f["maker_order_slot"], f["size"]) for f in two["fills"]] == [
        (2, 0, 0, "3"),
        (2, 1, 0, "2"),
    ]
    assert two["legs"] == ["0", "2"]
