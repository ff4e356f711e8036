"""What a client may do to the interface itself: connections, slow and silent ones, packed bodies, bad requests."""

import asyncio
import gzip
import logging
import time
from typing import Any

import aiohttp
import pytest
from tests.support.processes.running_operator import Running, open_market, operator

from setoff.operator.api import doors, read_budget, submit
from setoff.operator.api.read_budget import ReadBudget
from setoff.shared.codec.records import BUY
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import InputError, StateError


def where(running: Running) -> tuple[str, int]:
    host, port = running.url.removeprefix("http://").split(":")
    return host, int(port)


async def test_one_address_has_so_many_connections_and_others_theirs(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_connections_per_client=8) as running:
        await open_market(running)
        held = [await asyncio.open_connection(*where(running), local_addr=("127.0.0.2", 0)) for _ in range(30)]
        closed = [reader for reader, _ in held if await _is_closed(reader)]
        assert len(closed) == 22
        assert (await running.submit(running.traffic.order(1, BUY, 90, 1)))[0] == 200
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(*where(running), local_addr=("127.0.0.2", 0))
        assert not await _is_closed(reader)
        writer.close()


async def test_all_together_have_so_many(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_connections=6) as running:
        await open_market(running)  # over one connection that stays open
        held = [await asyncio.open_connection(*where(running), local_addr=(f"127.0.0.{2 + i}", 0)) for i in range(20)]
        assert len([reader for reader, _ in held if await _is_closed(reader)]) == 15
        assert (await running.submit(running.traffic.order(1, BUY, 90, 1)))[0] == 200
        for _, writer in held:
            writer.close()


async def _is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.05):
            return await reader.read(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_silent_and_slow_connections_end(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.operator.api.server.IDLE_SECONDS", 0.3)
    async with operator(redis_server.url) as running:
        silent = await asyncio.open_connection(*where(running))
        slow = await asyncio.open_connection(*where(running))
        slow[1].write(b"POST /v1/records HTTP/1.1\r\nHost: x\r\nX-Sl")
        await asyncio.sleep(0.1)
        slow[1].write(b"ow: ")
        async with asyncio.timeout(5):
            assert await silent[0].read() == b"" and await slow[0].read() == b""
        silent[1].close()
        slow[1].close()


async def test_a_body_that_does_not_come_is_not_waited_for(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(*where(exchange))
    writer.write(b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
    async with asyncio.timeout(5):
        assert b"400" in await reader.readline()
    writer.close()


async def test_a_packed_body_is_not_unpacked(exchange: Running) -> None:
    bomb = gzip.compress(b"[" * 50_000_000)
    assert len(bomb) < 65536
    start = time.process_time()
    for encoding in ("gzip", "deflate", "br", "nonsense"):
        for path in ("/v1/records", "/v1/records/bulk"):
            headers = {"Content-Encoding": encoding}
            async with exchange.http.post(exchange.url + path, data=bomb, headers=headers) as response:
                answer = await response.json()
                assert response.status == 400 and answer["reason"] == "malformed_json", (encoding, answer)
                assert "Content-Encoding" in answer["detail"]
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("line", [b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n"])
async def test_a_malformed_request_leaves_no_traceback(
    exchange: Running, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader, writer = await asyncio.open_connection(*where(exchange))
    writer.write(line)
    async with asyncio.timeout(5):
        assert b"400" in await reader.readline()
    writer.close()
    assert "Traceback" not in caplog.text and "Error handling request" not in caplog.text


async def test_refusals_come_before_the_body_is_read(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange.sequencer, "obstacle", lambda: StateError("overloaded", "too much"))

    async def unread(_: aiohttp.web.Request) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(aiohttp.web.Request, "read", unread)
    status, answer = await exchange.submit(exchange.traffic.order(1, BUY, 90, 1))
    assert (status, answer["reason"], answer["detail"]) == (503, "overloaded", "too much")


async def test_dear_reads_are_bounded_and_kept_ones_are_free(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setoff.operator.api.views.market_views.show_book", lambda *_: time.sleep(0) or _spend(0.03))
    seen = [(await exchange.get(f"/v1/book/1?depth={1 + i}"))[0] for i in range(60)]
    assert seen[:10] == [200] * 10 and seen[-1] == 503
    assert seen.count(200) < 40
    status, answer = await exchange.get("/v1/book/1?depth=999")
    assert (status, answer["reason"]) == (503, "overloaded") and "ask again in" in answer["detail"]
    assert {(await exchange.get("/v1/book/1?depth=1"))[0] for _ in range(20)} == {200}  # what was made stays
    assert (await exchange.submit(exchange.traffic.order(1, BUY, 90, 1)))[0] == 200


def _spend(seconds: float) -> dict[str, Any]:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
    return {"market": 1, "symbol": "M1-PERP", "time": 0, "time_ms": 0, "bids": [], "asks": []}


def test_one_reader_leaves_something_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(read_budget.time, "monotonic", lambda: now)
    budget = ReadBudget(share=0.1, burst=1.0)
    budget.check("greedy")
    budget.charge("greedy", 0.6)
    with pytest.raises(StateError, match=r"again in 2\.0 s"):
        budget.check("greedy")
    budget.check("other")
    budget.charge("other", 0.45)
    budget.check("third")  # whatever the two have used up
    now += 2.6
    budget.check("greedy")


@pytest.mark.parametrize("count", [2, 8, 32])
def test_however_many_read_who_reads_little_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """They ask for dear reads all the time, he for a cheap one a second; and all together keep to their part."""
    now, spent, got = 100.0, 0.0, 0
    monkeypatch.setattr(read_budget.time, "monotonic", lambda: now)
    budget = ReadBudget(share=0.2, burst=1.0)

    def read(client: str, seconds: float) -> bool:
        nonlocal now, spent
        try:
            budget.check(client)
        except StateError:
            return False
        now, spent = now + seconds, spent + seconds
        budget.charge(client, seconds)
        return True

    for _ in range(60):
        start = now
        while now < start + 1.0:
            now += 0.1
            for number in range(count):
                read(f"greedy {number}", 0.05)
        got += read("modest", 0.004)
    assert got >= 57
    assert spent <= 0.2 * (now - 100.0) + 2.0 + count * 0.05


def test_clients_who_come_once_by_the_thousand_have_no_more_than_twice_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, done = 100.0, 0
    monkeypatch.setattr(read_budget.time, "monotonic", lambda: now)
    budget = ReadBudget(share=0.2, burst=1.0)
    for number in range(4000):
        now += 0.01
        try:
            budget.check(str(number))
        except StateError:
            continue
        budget.charge(str(number), 0.05)
        done += 1
    assert done * 0.05 <= 2 * (1.0 + 0.2 * 40.0) + 0.1


def test_a_process_may_have_as_many_descriptors_as_it_is_allowed() -> None:
    assert doors.raise_descriptors() >= 256


async def test_who_reads_pays_for_his_own_work_and_not_for_what_others_do_meanwhile() -> None:
    budget, charged = ReadBudget(), list[float]()
    budget.charge = lambda _, seconds: charged.append(seconds)  # type: ignore[method-assign]

    def work() -> None:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass

    async def read() -> str:
        work()
        await asyncio.sleep(0.01)
        work()
        return "read"

    reading = asyncio.create_task(budget.spend("me", read()))
    await asyncio.sleep(0)
    for _ in range(4):
        work()
    assert await reading == "read"
    assert 0.09 < charged[0] < 0.15

    async def fail() -> None:
        await asyncio.sleep(0)
        raise InputError("not_found")

    with pytest.raises(InputError):
        await budget.spend("me", fail())
    endless = asyncio.create_task(budget.spend("me", asyncio.Event().wait()))
    await asyncio.sleep(0)
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
    assert len(charged) == 3
