"""The API in a process of its own: the same answers, reads that have all that was acknowledged, and ends of either."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.processes.resets import ready
from tests.support.processes.running_operator import DEPLOYMENT, OPERATOR_KEY, Running, open_market, operator, store
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import agent_key, trader_key
from setoff.operator.bridge import hub
from setoff.operator.bridge.channel import Channel
from setoff.shared.codec import records
from setoff.shared.codec.records import BUY, SELL, Leg
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.sdk import KeySigner, OrderEntry, Refusal, SetoffClient, Unavailable
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import encode_record


@pytest.fixture
async def front(redis_server: RedisServer) -> AsyncIterator[Running]:
    """An operator whose API has a process of its own, and a market at price 100."""
    async with operator(redis_server.url, api_processes=1) as running:
        await open_market(running)
        yield running


def find_fronts() -> list[int]:
    """The processes of the API that this one has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            parent = int(path.with_name("stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"setoff.operator.api.front" in words and parent == os.getpid():
            found.append(int(path.parent.name))
    return found


def get_level(book: Any) -> tuple[int, str, int]:
    """The only bid."""
    [level] = book["bids"]
    return level["price"], level["size"], level["orders"]


async def test_every_view_is_what_the_sequencers_own_process_shows(redis_server: RedisServer, tmp_path: Path) -> None:
    """Record by record the same traffic, through both."""
    paths = ["markets", "markets/1", "book/1", "accounts/1", "accounts/2.1", "orders/1", "backstop", "fills?limit=5"]
    paths += [
        "fills?after=1&account=2",
        "status",
        "health",
        "info",
        "batches/0",
        "accounts/9",
        "book/7",
        "withdrawals/0",
    ]
    shown: list[list[Any]] = []
    for processes in (0, 1):
        with RedisServer.embed(tmp_path / str(processes)) as server:
            async with operator(server.url, api_processes=processes) as running:
                await open_market(running)
                traffic, seen = running.traffic, list[Any]()
                legs = [Leg(records.GTC, 1, order_slot, 90, 1) for order_slot in range(20, 32)]
                bulk, *pages = traffic.bulk(3, legs)
                for request in (
                    encode_record(traffic.order(1, SELL, 101, 5)),
                    encode_record(traffic.order(2, BUY, 102, 3)),
                    encode_record(traffic.order(2, BUY, 102, 0)),
                    encode_record(bulk, pages),
                    encode_record(traffic.cancel_all(1)),
                ):
                    seen.append(await running.post(request))
                    seen += [await running.get(f"/v1/{path}") for path in paths]
                for status, answer in seen:
                    if isinstance(answer, dict) and "commit" in answer:
                        answer["commit"] = status  # how records fall into groups is chance
                shown.append(seen)
    for one, other in zip(*shown, strict=True):
        assert one == other


async def test_who_hears_of_a_record_finds_it_in_what_he_reads(front: Running) -> None:
    async with OrderEntry(front.url) as entry:
        for number in range(30):
            await entry.submit(front.traffic.order(1, BUY, 80, 1))
            _, book = await front.get("/v1/book/1")
            assert get_level(book) == (80, str(number + 1), number + 1)


async def test_an_agent_may_trade_as_soon_as_it_is_named_and_no_stranger(front: Running) -> None:
    traffic = front.traffic
    assert (await front.submit(traffic.set_agent(1, 1, 2**32)))[0] == 200
    status, answer = await front.submit(traffic.order(1, BUY, 90, 1, agent=1))
    assert status == 200, answer
    status, answer = await front.submit(traffic.sign(traffic.order(1, BUY, 90, 1)[:60], agent_key(1, 1)))
    assert (status, answer["reason"]) == (422, "bad_signature")
    front.l1.messages.append(traffic.deposit(4, 10**9))
    front.sequencer._builder._must_close = True  # the deposit comes with the next batch
    await front.submit(traffic.order(1, BUY, 90, 1))
    await until(lambda: front.sequencer.exchange.machine.regs.accounts == 4, "the deposit does not arrive")
    assert (await front.submit(traffic.order(4, BUY, 90, 1)))[0] == 200
    assert (await front.get(f"/v1/accounts/0x{address_of(trader_key(4)).hex()}"))[1]["account"] == 4


async def test_forged_records_never_reach_the_machine(front: Running) -> None:
    forged = [front.traffic.sign(front.traffic.order(1, BUY, 90, 1)[:60], trader_key(2)) for _ in range(20)]
    worked = front.sequencer.exchange.worked
    async with OrderEntry(front.url) as entry:
        came = await asyncio.gather(*[entry.send(one) for one in forged], return_exceptions=True)
    assert {type(one) for one in came} == {Refusal} and front.sequencer.exchange.worked == worked


async def test_pushes_what_happens(front: Running) -> None:
    traffic = front.traffic
    async with front.http.ws_connect(front.url + "/ws") as socket:
        await asyncio.sleep(0.1)
        await front.submit(traffic.order(1, SELL, 101, 5))
        _, taken = await front.submit(traffic.order(2, BUY, 101, 5))
        told = [await socket.receive_json(timeout=5) for _ in range(3)]
        front.sequencer._builder._opened_at = float("-inf")
        front.sequencer._wake.set()
        batch = await socket.receive_json(timeout=5)
    assert [message["channel"] for message in told] == ["records", "records", "fills"]
    SignedReceipt.from_json(taken.pop("receipts")[0]).check(DEPLOYMENT.domain, address_of(OPERATOR_KEY))
    assert told[1]["data"] == taken and told[2]["data"] == taken["fills"][0]
    assert (batch["channel"], batch["data"]["batch"]) == ("batches", 0)
    sealed = front.outbox.get(0)
    assert sealed is not None and batch["data"]["hash"] == "0x" + sealed.batch.header.hash().hex()


async def test_what_is_on_its_way_is_unknown_when_its_process_is_killed_and_another_one_comes(front: Running) -> None:
    (before,) = find_fronts()
    async with OrderEntry(front.url) as entry:
        first = await entry.submit(front.traffic.order(1, BUY, 90, 1))
        on_their_way = [entry.send(front.traffic.order(1, BUY, 90, 1)) for _ in range(50)]
        await asyncio.sleep(0)
        os.kill(before, signal.SIGKILL)
        came = await asyncio.gather(*on_their_way, return_exceptions=True)
        assert all(isinstance(one, Unavailable) or one.sequence > first.sequence for one in came)  # type: ignore[union-attr]

    async def is_back() -> bool:
        try:
            return (await front.get("/v1/health"))[0] == 200
        except (aiohttp.ClientError, OSError):
            return False

    await until(is_back, "no other process of the API comes")
    (after,) = find_fronts()
    assert after != before
    status, answer = await front.submit(front.traffic.order(2, BUY, 91, 1))
    assert status == 200
    _, shown = await front.get("/v1/status")
    assert shown["records"] == answer["sequence"] + 1 and shown["waiting"] == 0


async def test_trade_goes_on_while_a_copy_of_everything_is_sent(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece, with what has changed meanwhile behind them; who reads before it is there is told to wait."""
    async with operator(redis_server.url, api_processes=2) as running:
        await open_market(running)
        traffic, sequencer = running.traffic, running.sequencer
        for account in (1, 2, 3):
            for tick in range(20):
                await sequencer.submit(traffic.order(account, BUY, 50 + tick, 1))
        monkeypatch.setattr(hub, "PIECE", 1)
        asked = count()
        monkeypatch.setattr(Channel, "is_full", property(lambda _: next(asked) % 2 == 0))  # a pause after each
        turns = sequencer.turns
        lines = list(find_hub(running)._lines)
        os.kill(find_fronts()[0], signal.SIGKILL)
        taken = 0

        def find_new() -> hub.Line | None:
            return next((line for line in find_hub(running)._lines if line not in lines), None)

        await until(find_new, "no other process of the API comes")
        new = find_new()
        assert new is not None
        while not new.has_copy:
            await sequencer.submit(traffic.order(1 + taken % 3, BUY, 70 + taken % 20, 1))
            await sequencer.submit(traffic.cancel_all(1 + taken % 3))
            taken += 1
        assert taken and sequencer.turns > turns
        await until(lambda: new.is_up.is_set(), "it is not up")
        machine, tops = "0x" + sequencer.exchange.machine.hash().hex(), set[str]()
        for _ in range(20):  # of either process
            async with aiohttp.ClientSession() as http, http.get(running.url + "/v1/status") as response:
                tops.add((await response.json())["machine"])
        assert tops == {machine}


def find_hub(running: Running) -> hub.Hub:
    """What the sequencer tells."""
    announcer = running.sequencer._announcer
    assert isinstance(announcer, hub.Hub)
    return announcer


async def test_the_copy_is_made_anew_after_the_store_has_failed(tmp_path: Path) -> None:
    with store(tmp_path) as first:
        port = int(first.url.rsplit(":", 1)[1].split("/")[0])
        async with operator(first.url, api_processes=1) as running:
            await open_market(running)
            traffic = running.traffic
            assert (await running.submit(traffic.order(1, BUY, 90, 1)))[0] == 200
            assert first._server is not None and first._server._process is not None
            first._server._process.send_signal(signal.SIGKILL)
            first._server._process.wait()
            status, answer = await running.submit(traffic.order(1, BUY, 90, 1))
            assert (status, answer["reason"]) == (503, "pending")
            with RedisServer.embed(tmp_path, port):
                await until(lambda: ready(running), "the operator stays closed")
                record = traffic.order(2, BUY, 90, 2)

                async def is_taken() -> bool:  # a process of the API takes nothing before it has its copy
                    status, answer = await running.submit(record)
                    assert status == 200 or answer["reason"] == "not_ready", answer
                    return status == 200

                await until(is_taken, "the copy is not made anew")
                _, book = await running.get("/v1/book/1")
                assert get_level(book) == (90, "3", 2)
                _, shown = await running.get("/v1/status")
                assert shown["machine"] == "0x" + running.sequencer.exchange.machine.hash().hex()
    first._server = None


async def test_many_processes_share_the_clients(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, api_processes=3) as running:
        await open_market(running)
        assert len(find_fronts()) == 3
        for account in (1, 2, 3):
            async with SetoffClient(running.url, KeySigner(trader_key(account)), over_socket=True) as client:
                for number in range(5):
                    await client.place(1, BUY, 70 + account, 1 + number)
                    assert len(await client.orders()) == 1 + number
    assert find_fronts() == []
