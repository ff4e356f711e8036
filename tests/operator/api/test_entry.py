"""Order entry over a WebSocket: as bytes and as JSON, many on their way, each answered by its own number."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from tests.support.processes.running_operator import DEPLOYMENT, OPERATOR_KEY, Running, open_market, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.operator.api import line
from setoff.operator.api.frames import MAX_FRAME
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import BUY, SELL, Leg
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError, InputError, StateError
from setoff.shared.sdk import KeySigner, OrderEntry, Refusal, SetoffClient, Unavailable
from setoff.shared.wire import entry_frames
from setoff.shared.wire.entry_frames import Taken, decode_answer, encode_request, encode_taken
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import encode_record

OPERATOR = address_of(OPERATOR_KEY)


async def test_many_are_on_their_way_and_each_answer_finds_its_record(exchange: Running) -> None:
    traffic = exchange.traffic
    orders = [traffic.order(1 + i % 3, BUY, 80 + i % 10, 1 + i) for i in range(150)]
    async with OrderEntry(exchange.url) as entry:
        answers = [entry.send(order) for order in orders]
        assert entry.on_their_way == 150
        taken = await asyncio.gather(*answers)
    assert sorted(one.sequence for one in taken) == list(range(taken[0].sequence, taken[0].sequence + 150))
    for order, one in zip(orders, taken, strict=True):
        assert (one.resting, one.filled, one.fills, one.outcome) == (records.decode_order(order).size, 0, 0, 0)
        (signed,) = one.signed
        signed.check(DEPLOYMENT.domain, OPERATOR)
        assert signed.receipt.record == keccak(order) and signed.sequence == one.sequence
    assert any(len(one.signed[0].signature) > 64 for one in taken)


async def test_tells_of_trades_refusals_and_places(exchange: Running) -> None:
    traffic = exchange.traffic
    async with OrderEntry(exchange.url) as entry:
        resting = await entry.submit(traffic.order(1, SELL, 101, 5))
        taken = await entry.submit(traffic.order(2, BUY, 102, 7))
        assert (taken.filled, taken.fills, taken.resting, taken.batch) == (5, 1, 2, resting.batch)
        assert taken.input_index == resting.input_index + 1 and not taken.is_paused
        _, shown = await exchange.get("/v1/fills")
        assert [fill["fill"] for fill in shown["fills"]] == [taken.first_fill]
        with pytest.raises(Refusal, match="size_out_of_range"):
            await entry.submit(traffic.order(1, BUY, 90, 0))
        with pytest.raises(Refusal, match="bad_signature"):
            await entry.submit(traffic.sign(traffic.order(1, BUY, 90, 1)[: records.BODY_BYTES], trader_key(2)))
        again = await entry.submit(traffic.order(1, BUY, 90, 1))
        assert again.sequence == taken.sequence + 1


async def test_a_bulk_record_comes_with_its_pages_and_goes_with_all_receipts(exchange: Running) -> None:
    legs = [Leg(records.GTC, 1, order_slot, 90, 1 + order_slot) for order_slot in range(12)]
    record, *leg_pages = exchange.traffic.bulk(1, legs)
    async with OrderEntry(exchange.url) as entry:
        taken = await entry.submit(record, leg_pages)
        assert taken.legs == tuple(range(1, 13))
        assert [one.receipt.record for one in taken.signed] == [keccak(part) for part in (record, *leg_pages)]
        for one in taken.signed:
            one.check(DEPLOYMENT.domain, OPERATOR)
        with pytest.raises(Refusal, match="wrong_leg_page"):
            await entry.submit(record, leg_pages[:1])
        with pytest.raises(Refusal, match="malformed_record"):  # two records in a frame
            await entry.submit(exchange.traffic.order(1, BUY, 90, 1), [exchange.traffic.order(1, BUY, 90, 1)])


async def test_json_goes_over_the_same_socket(exchange: Running) -> None:
    order = exchange.traffic.order(1, BUY, 90, 3)
    async with exchange.http.ws_connect(exchange.url + "/v1/entry") as socket:
        await socket.send_json({"number": 7, **encode_record(order)})
        answer = await socket.receive_json(timeout=5)
        assert answer["number"] == 7 and answer["resting"] == "3"
        SignedReceipt.from_json(answer["receipts"][0]).check(DEPLOYMENT.domain, OPERATOR)
        for wrong, number, reason in (
            ("no JSON", None, "malformed_json"),
            (json.dumps(encode_record(order)), None, "missing_field"),
            (json.dumps({"number": True, **encode_record(order)}), None, "missing_field"),
            (json.dumps({"number": 2**32, **encode_record(order)}), None, "missing_field"),
            (json.dumps({"number": 8, "typed": {}}), 8, "missing_field"),
            (json.dumps({"number": 9, **encode_record(order)}), 9, "nonce_used"),
        ):
            await socket.send_str(wrong)
            answer = await socket.receive_json(timeout=5)
            assert (answer["number"], answer["reason"]) == (number, reason)


async def test_the_client_trades_over_the_socket(exchange: Running) -> None:
    async with (
        SetoffClient(exchange.url, KeySigner(trader_key(1)), over_socket=True) as seller,
        SetoffClient(exchange.url, KeySigner(trader_key(2)), over_socket=True) as buyer,
    ):
        orders = await asyncio.gather(*[seller.place(1, SELL, 101 + i, 2) for i in range(5)])
        assert {order.resting for order in orders} == {2}
        taken = await buyer.place(1, BUY, 102, 3)
        assert [fill["size"] for fill in taken.fills] == ["2", "1"]
        with pytest.raises(Refusal) as caught:
            await buyer.place(1, BUY, 102, 0)
        assert caught.value.reason == "size_out_of_range"
        assert (await buyer.cancel_all()).resting == 0


@pytest.mark.parametrize("frame", [b"", b"\0\0\0", b"\0\0\0\5", b"\0\0\0\5" + bytes(123), b"\0\0\0\5" + bytes(125)])
async def test_a_frame_of_another_length_is_refused_and_the_connection_goes_on(exchange: Running, frame: bytes) -> None:
    async with exchange.http.ws_connect(exchange.url + "/v1/entry") as socket:
        await socket.send_bytes(frame)
        answer = await socket.receive_bytes(timeout=5)
        assert entry_frames.read_number(answer) == (5 if len(frame) >= 4 else 0)
        refusal = decode_answer(answer, ())
        assert (
            isinstance(refusal, InputError) and refusal.reason == "malformed_record" and "124 bytes" in refusal.detail
        )
        await socket.send_bytes(encode_request(6, exchange.traffic.order(1, BUY, 90, 1)))
        assert entry_frames.read_number(await socket.receive_bytes(timeout=5)) == 6


async def test_a_frame_that_is_too_long_ends_the_connection(exchange: Running) -> None:
    async with exchange.http.ws_connect(exchange.url + "/v1/entry") as socket:
        await socket.send_bytes(bytes(MAX_FRAME + 1))
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_beyond_its_share_a_client_is_told_at_once_what_to_do(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_per_client=8) as running:
        await open_market(running)
        orders = [running.traffic.order(1 + i % 3, BUY, 90, 1) for i in range(60)]
        async with OrderEntry(running.url) as entry:
            came = await asyncio.gather(*[entry.send(order) for order in orders], return_exceptions=True)
            refused = [one for one in came if isinstance(one, Unavailable)]
            assert len(came) - len(refused) >= 8 and refused
            assert {one.reason for one in refused} == {"overloaded"}
            assert "wait for their answers" in refused[0].detail
            again = [order for order, one in zip(orders, came, strict=True) if isinstance(one, Unavailable)]
            assert isinstance(await entry.submit(again[0]), Taken)  # nothing of it was taken before


async def test_what_is_on_its_way_when_the_operator_ends_is_unknown(exchange: Running) -> None:
    async with OrderEntry(exchange.url) as entry:
        await entry.submit(exchange.traffic.order(1, BUY, 90, 1))
        swallowed: list[object] = []
        exchange.sequencer.enter = lambda *record: swallowed.append(record)  # type: ignore[method-assign]
        lost = entry.send(exchange.traffic.order(1, BUY, 90, 1))
        await until(lambda: bool(swallowed), "the record does not arrive")
        assert entry._socket is not None
        entry._socket._response.close()  # type: ignore[union-attr]
        with pytest.raises(Unavailable, match="unknown"):
            await lost
        with pytest.raises(Unavailable, match="ended"):
            await entry.submit(exchange.traffic.order(1, BUY, 90, 1))


async def test_who_does_not_read_is_not_read_and_then_cut_off(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "FULL", 2000)
    monkeypatch.setattr(line, "DRAIN_SECONDS", 0.2)
    taken: list[bool] = []
    really = line.Line.drain

    async def drain(self: line.Line) -> None:
        taken.append(True)
        await really(self)

    monkeypatch.setattr(line.Line, "drain", drain)
    reader, writer = await asyncio.open_connection(*exchange.url.removeprefix("http://").split(":"), limit=1024)
    writer.write(
        b"GET /v1/entry HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b"101" in await reader.readline()
    frame = b"\x82\x80" + bytes(4)  # an empty one, masked with zeros, which is refused unread in two hundred bytes
    with monkeypatch.context() as patch, pytest.raises((ConnectionError, TimeoutError)):
        patch.setattr(exchange.sequencer, "obstacle", lambda: StateError("overloaded", "too much " * 20))
        async with asyncio.timeout(20):
            while True:
                writer.write(frame * 1000)
                await writer.drain()
                await asyncio.sleep(0)
    assert taken
    writer.close()
    status, _ = await exchange.submit(exchange.traffic.order(1, BUY, 90, 1))
    assert status == 200


TAKEN = Taken(9, 2, 3, 0, 5, 7, 1, 44, (), False, ())


def test_an_answer_comes_back_as_it_was() -> None:
    for taken in (TAKEN, TAKEN._replace(legs=(1, 2, 0), is_paused=True, outcome=30)):
        assert decode_answer(encode_taken(1, taken), [bytes(124)]) == taken
    many: Any = TAKEN._replace(fills=10**6)
    decoded = decode_answer(encode_taken(1, many), [])
    assert isinstance(decoded, Taken) and decoded.fills == 0xFFFF
    refusal = decode_answer(entry_frames.encode_refusal(1, entry_frames.LATER, "overloaded", "später"), [])
    assert isinstance(refusal, StateError) and (refusal.reason, refusal.detail) == ("overloaded", "später")


def test_what_is_no_answer_is_not_taken_for_one() -> None:
    whole = encode_taken(1, TAKEN)
    for wrong in (b"", whole[:4], whole[:-1], whole + b"\0", b"\0\0\0\1\7\0", b"\0\0\0\1\1\3\xff\xff\xff"):
        with pytest.raises(DataError, match="data_mismatch"):
            decode_answer(wrong, [bytes(124)])
