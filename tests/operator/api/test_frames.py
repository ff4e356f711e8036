"""Frames of the order entry, taken where they arrive: in whatever pieces, and however many there are."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.support.processes.running_operator import Running, open_market, operator

from setoff.operator.api import frames
from setoff.operator.api.admission import READ, Admission
from setoff.shared.codec.records import BUY
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.wire import entry_frames
from setoff.shared.wire.entry_frames import encode_request

MASK = b"\x11\x22\x33\x44"
_OPENING = (
    b"GET /v1/entry HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def mask(payload: bytes) -> bytes:
    return bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))


def frame(payload: bytes, kind: int = 0x82, *, form: int = 0) -> bytes:
    """A client's frame; `form` 8: with a length of eight bytes."""
    if form == 8:
        head = struct.pack(">BBQ", kind, 0xFF, len(payload))
    elif len(payload) >= 126:
        head = struct.pack(">BBH", kind, 0xFE, len(payload))
    else:
        head = struct.pack(">BB", kind, 0x80 | len(payload))
    return head + MASK + mask(payload)


class Wire:
    """A connection, by the byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def receive(self) -> tuple[int, bytes]:
        """The next frame's first byte and payload."""
        async with asyncio.timeout(10):
            kind, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", await self.reader.readexactly(2))
            return kind, await self.reader.readexactly(length)

    async def receive_answers(self, count: int) -> dict[int, int]:
        """Status by number of so many answers."""
        answers: dict[int, int] = {}
        while len(answers) < count:
            _, payload = await self.receive()
            answers[entry_frames.read_number(payload)] = payload[4]
        return answers


@asynccontextmanager
async def wire(running: Running) -> AsyncIterator[Wire]:
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(_OPENING)
    await reader.readuntil(b"\r\n\r\n")
    yield Wire(reader, writer)
    writer.close()


async def test_frames_come_in_whatever_pieces_the_network_makes_of_them(exchange: Running) -> None:
    traffic = exchange.traffic
    orders = [encode_request(number, traffic.order(1, BUY, 90, 1)) for number in range(3)]
    sent = frame(orders[0]) + frame(b"ping", 0x89) + frame(orders[1], form=8) + frame(orders[2])
    async with wire(exchange) as there:
        for at in range(0, len(sent), 7):
            there.writer.write(sent[at : at + 7])
            await there.writer.drain()
            await asyncio.sleep(0.001)
        answers: dict[int, int] = {}
        pong = b""
        while len(answers) < 3 or not pong:
            kind, payload = await there.receive()
            if kind == 0x8A:
                pong = payload
            else:
                answers[entry_frames.read_number(payload)] = payload[4]
    assert pong == b"ping" and answers == dict.fromkeys(range(3), entry_frames.TAKEN)


async def test_a_message_in_pieces_is_taken_and_all_after_it(exchange: Running) -> None:
    traffic = exchange.traffic
    first, second = (encode_request(number, traffic.order(1, BUY, 90, 1)) for number in (1, 2))
    async with wire(exchange) as there:
        there.writer.write(frame(first[:50], 0x02) + frame(first[50:], 0x80) + frame(second))
        assert await there.receive_answers(2) == {1: entry_frames.TAKEN, 2: entry_frames.TAKEN}


@pytest.mark.parametrize("wrong", [frame(b"packed", 0xC2), frame(b"?", 0x83), frame(bytes(frames.MAX_FRAME + 1))])
async def test_what_is_no_frame_of_a_client_ends_the_connection(exchange: Running, wrong: bytes) -> None:
    """Packed without leave, of no kind, too long."""
    async with wire(exchange) as there:
        there.writer.write(wrong)
        assert (await there.receive())[0] == 0x88
        there.writer.write(frame(encode_request(1, exchange.traffic.order(1, BUY, 90, 1))))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await there.receive()
    assert (await exchange.submit(exchange.traffic.order(1, BUY, 90, 1)))[0] == 200


async def test_a_flood_is_answered_to_the_last_frame_and_others_are_taken_meanwhile(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_per_client=16) as running:
        await open_market(running)
        traffic, count = running.traffic, 20_000
        one = traffic.order(1, BUY, 90, 1)
        sent = b"".join(frame(encode_request(number, one)) for number in range(count))
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with wire(running) as there, aiohttp.ClientSession(connector=connector) as other:
            there.writer.write(sent)
            answering = asyncio.create_task(there.receive_answers(count))
            async with other.ws_connect(running.url + "/v1/entry") as socket:
                await socket.send_bytes(encode_request(7, traffic.order(2, BUY, 90, 1)))
                mine = await socket.receive_bytes(timeout=10)
            assert mine[4] == entry_frames.TAKEN
            async with asyncio.timeout(30):
                answers = await answering
        assert set(answers) == set(range(count))
        assert list(answers.values()).count(entry_frames.TAKEN) == 1
        assert list(answers.values()).count(entry_frames.LATER) > count // 2


async def test_what_is_refused_unread_says_what_the_refusal_of_a_read_one_says(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operator(redis_server.url, max_per_client=1) as running:
        await open_market(running)
        monkeypatch.setattr(running.sequencer, "enter", lambda *_: None)  # so that the first one stays on its way
        one = encode_request(5, running.traffic.order(1, BUY, 90, 1))
        async with wire(running) as there:
            there.writer.write(frame(one) + frame(one) + frame(b"xy") + frame(one[:60], 0x02) + frame(one[60:], 0x80))
            refusals = [(await there.receive())[1] for _ in range(3)]
    assert [entry_frames.read_number(refusal) for refusal in refusals] == [5, 0, 5]
    assert {refusal[4:] for refusal in refusals} == {refusals[0][4:]}
    assert refusals[0][6 : 6 + refusals[0][5]] == b"overloaded"


@pytest.mark.parametrize(
    ("wrong", "is_counted"),
    [
        (frame(b"\0\0\0\1abc"), True),
        (frame(b"\1"), True),
        (frame(b"no JSON", 0x81), True),
        (frame(b"{}", 0x81), True),
        (frame(b"ping", 0x89), True),
        (frame(b"pong", 0x8A), True),
        (frame(b"a", 0x02) + frame(b"b", 0x80), True),  # in pieces
        (frame(b"a", 0x01) + frame(b"b", 0x80), True),
        (frame(b"", 0x01) + frame(b"{}", 0x80) + frame(b"ping", 0x89) * 9, True),
        (b"", False),
    ],
    ids=[
        "short",
        "no number",
        "no JSON",
        "empty",
        "ping",
        "pong",
        "pieces",
        "text in pieces",
        "pings of aiohttp",
        "good",
    ],
)
async def test_what_is_answered_though_it_is_no_record_counts_as_refused(
    exchange: Running, monkeypatch: pytest.MonkeyPatch, wrong: bytes, is_counted: bool
) -> None:
    """A thousand of them a second are as many as are answered at once."""
    counted: list[float] = []
    really = Admission.count_refused

    def count(self: Admission, client: str, seconds: float) -> float:
        counted.append(seconds)
        return really(self, client, seconds)

    monkeypatch.setattr(Admission, "count_refused", count)
    good = encode_request(7, exchange.traffic.order(1, BUY, 90, 1))
    async with wire(exchange) as there:
        there.writer.write(wrong * 20 + frame(b"ping", 0x89) * 3 + frame(good))
        while (await there.receive())[1][:4] != good[:4]:
            pass
    refused = round(sum(counted) / READ)
    assert refused >= 14 if is_counted else refused == 0
