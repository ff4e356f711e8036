"""The same for many: packed once, and unpacked by whoever comes in at whichever round."""

import asyncio
import json
import zlib
from collections.abc import Iterator
from typing import Any, cast

import aiohttp
from tests.support.processes.running_operator import Running
from tests.support.waiting import until

from setoff.operator.api.fanout import HANDFUL, Pacer, Segment
from setoff.operator.api.line import PACKED
from setoff.operator.api.streams.topics import Client, Topic, Topics
from setoff.shared.codec.records import BUY, SELL


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self.written += data

    def messages(self) -> list[Any]:
        """What a client reads, who unpacks with one memory for all."""
        found, data, unpacker = list[Any](), self.written, zlib.decompressobj(-15)
        while data:
            length, at = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            payload = data[at : at + length]
            found.append(json.loads(unpacker.decompress(payload + b"\0\0\xff\xff") if data[0] == PACKED else payload))
            data = data[at + length :]
        return found


def make(number: int) -> bytes:
    return json.dumps({"number": number, "text": f"the same words again and again, but for {number * number}"}).encode()


def test_whoever_has_a_round_can_unpack_it_whatever_he_has_heard_before() -> None:
    rounds = [Segment([make(number) for number in range(first, first + 50)]) for first in range(0, 500, 50)]
    for heard in (rounds, rounds[3:], rounds[::3], rounds[7:8]):
        wire = Wire()
        for segment in heard:
            wire.write(segment.get(True))
        assert wire.messages() == [json.loads(message) for segment in heard for message in segment._messages]
    assert len(rounds[0].get(True)) < len(rounds[0].get(False)) / 2
    assert rounds[0].get(True) is rounds[0].get(True) and rounds[0].get(False) is rounds[0].get(False)


async def test_others_have_their_turn_between_two_handfuls() -> None:
    topics, topic, wires = Topics(), Topic("trades", 1), [Wire() for _ in range(3 * HANDFUL)]
    for wire in wires:
        client = Client(cast(asyncio.WriteTransport, wire), is_packed=True)
        topics.add(client, topic)
        topics.release(client, topic, 0)
    topics.tell(topic, 1, lambda: "hello")
    told = list[int]()
    while not told or told[-1] < len(wires):
        await asyncio.sleep(0)
        told.append(sum(bool(wire.written) for wire in wires))
    assert HANDFUL in told and 2 * HANDFUL in told
    assert all(wire.messages()[0]["data"] == "hello" for wire in wires)


async def test_what_comes_during_a_round_is_told_in_the_next() -> None:
    waiting, told = [1], list[int]()

    def go_round() -> Iterator[None]:
        mine = waiting.copy()
        waiting.clear()
        for number in mine:
            yield
            told.append(number)
            if number < 5:
                waiting.append(number + 1)
                pacer.wake()
        yield

    pacer = Pacer(go_round, lambda: 0.5)
    pacer.wake()
    await until(lambda: told == [1, 2, 3, 4, 5], "not all is told")


async def test_what_is_held_comes_once_and_behind_what_was_before() -> None:
    topics, topic = Topics(), Topic("trades", 1)
    wire, other = Wire(), Wire()
    first = Client(cast(asyncio.WriteTransport, other))
    topics.add(first, topic)
    topics.release(first, topic, 0)
    topics.tell(topic, 1, lambda: 1)
    late = Client(cast(asyncio.WriteTransport, wire), is_packed=True)
    topics.add(late, topic)  # 1 is not for this one
    topics.tell(topic, 2, lambda: 2)
    topics.tell(topic, 3, lambda: 3)
    late.send(json.dumps({"data": "until 2"}).encode())
    topics.release(late, topic, 2)
    topics.tell(topic, 4, lambda: 4)
    await asyncio.sleep(0.01)
    assert [message["data"] for message in wire.messages()] == ["until 2", 3, 4]
    assert [message["data"] for message in other.messages()] == [1, 2, 3, 4]


async def test_a_stream_comes_packed_to_who_agrees_and_says_the_same(exchange: Running) -> None:
    heard: dict[int, list[Any]] = {0: [], 15: []}
    async with (
        exchange.http.ws_connect(exchange.url + "/v1/stream", compress=15) as packed,
        exchange.http.ws_connect(exchange.url + "/v1/stream") as plain,
        exchange.http.ws_connect(exchange.url + "/ws?channels=fills", compress=15) as all_fills,
    ):
        assert (packed.compress, plain.compress) == (15, 0)
        for socket in (packed, plain):
            await socket.send_json({"op": "subscribe", "channel": "trades", "market": 1})
            while (await socket.receive_json(timeout=5))["channel"] != "subscribed":
                pass
        for _ in range(10):
            await exchange.submit(exchange.traffic.order(1, SELL, 101, 5))
            await exchange.submit(exchange.traffic.order(2, BUY, 102, 5))
        for socket in (packed, plain):
            heard[int(socket.compress)] = await _hear(socket, "trades", 10)
        fills = await _hear(all_fills, "fills", 10)
    assert heard[15] == heard[0]
    assert [one["data"]["fill"] for one in fills] == [one["data"]["fill"] for one in heard[0]]


async def _hear(socket: aiohttp.ClientWebSocketResponse, channel: str, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        message = await socket.receive_json(timeout=5)
        if message["channel"] == channel:
            found.append(message)
    return found
