"""An exchange that means harm: whatever it answers is an error that says so, and nothing is signed for another."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from tests.support.processes.running_operator import DEPLOYMENT

from setoff.shared.codec.records import BUY
from setoff.shared.errors import DataError
from setoff.shared.sdk import KeySigner, Refusal, SetoffClient, Unavailable
from setoff.shared.sdk.bounded_answers import RECORD_BYTES, parse
from setoff.shared.wire.json_text import MAX_DEPTH

SIGNER = KeySigner(b"\x07" * 32)
OWNER = "0x" + SIGNER.address.hex()
INFO = {"chain_id": DEPLOYMENT.chain_id, "vault": DEPLOYMENT.vault}
ACCOUNT = {"account": 7, "owner": OWNER, "next_nonce": "5", "orders": [], "agents": []}
TAKEN = {"sequence": 1, "batch": 0, "input_index": 0, "resting": "5", "fills": [], "outcome": "accepted"}


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own check of answers would come before the client's."""
    defaults = aiohttp.ClientSession.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "response_class", aiohttp.ClientResponse)
    monkeypatch.setitem(defaults, "ws_response_class", aiohttp.ClientWebSocketResponse)


@asynccontextmanager
async def exchange(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        server: Any = site._server
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await runner.cleanup()


def answering(**by_path: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """By the second part of the path: an object, or the text of a body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        told = by_path[request.path.split("/")[2]]
        return web.Response(text=told) if isinstance(told, str) else web.json_response(told)

    return answer


DEEP = "[" * 200_000
MISSHAPEN: list[Any] = [
    {}, "[]", "null", DEEP, '{"sequence": ' + DEEP, "no json", TAKEN | {"fills": 3}, TAKEN | {"fills": [{}]},
    TAKEN | {"resting": "x"}, TAKEN | {"legs": {"a": 1}}, TAKEN | {"sequence": None}, '{"sequence": 1e999}',
    " " * (RECORD_BYTES + 1),
]  # fmt: skip


@pytest.mark.parametrize("taken", MISSHAPEN, ids=range(len(MISSHAPEN)))
async def test_a_misshapen_answer_to_a_record_is_unavailable(taken: Any) -> None:
    answer = answering(info=INFO, accounts=ACCOUNT, records=taken)
    async with exchange(answer) as url, SetoffClient(url, SIGNER) as client:
        with pytest.raises(Unavailable):
            await client.place(1, BUY, 100, 5)


@pytest.mark.parametrize("shown", [{}, DEEP, {"markets": 5}, {"markets": [5]}, {"l1_time": None, "orders": [None]}],
                         ids=range(5))  # fmt: skip
async def test_misshapen_reads_are_unavailable(shown: Any) -> None:
    paths = ("info", "markets", "orders", "status", "accounts", "fills", "withdrawals", "history")
    async with exchange(answering(**dict.fromkeys(paths, shown))) as url, SetoffClient(url, SIGNER) as client:
        asked = [client.load(), client.markets(), client.terms(), client.orders(), client.now(), client.balance(),
                 client.fills(), client.withdrawal(0), client.scales(), client.candles(1), client.cancel_client(3),
                 client.close_position(1), client.place_market(1, BUY, 1)]  # fmt: skip
        for each in asked:
            with pytest.raises(Unavailable):
                await each
        with pytest.raises(Unavailable):
            await anext(client.past_fills())


@pytest.mark.parametrize("bound", [1000, 10**6])
def test_depth_is_bounded_whatever_limit_the_process_has(bound: int) -> None:
    wide = json.dumps([{"text": '[{"\\' * 100}] * 1000)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(bound)
    try:
        assert parse(wide) == parse(wide.encode()) == json.loads(wide)
        assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
        for deep in (DEEP, '{"a":' * 10**5, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), DEEP.encode("utf-16")):
            with pytest.raises(Unavailable):
                parse(deep)
    finally:
        sys.setrecursionlimit(before)


async def test_no_more_is_read_than_the_bound() -> None:
    written = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            try:
                await response.write(b" " * (1 << 20))
            except ConnectionError:
                break
            written += 1
        return response

    async with exchange(flood) as url, SetoffClient(url) as client:
        with pytest.raises(Unavailable, match="more than"):
            await client.info()
    assert written < 100


@pytest.mark.parametrize("frame", [DEEP, "[]", "no json", "{}" + " " * RECORD_BYTES, '{"number": 0}',
                                   '{"number": 0, "reason": 5, "numbers": 7}'], ids=range(6))  # fmt: skip
async def test_misshapen_frames_of_the_order_entry_are_unavailable(frame: str) -> None:
    async def entry(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/entry"):
            return await answering(info=INFO, accounts=ACCOUNT)(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(frame)
        return socket

    async with exchange(entry) as url, SetoffClient(url, SIGNER, over_socket=True) as client:
        async with asyncio.timeout(10):
            with pytest.raises(Refusal if "reason" in frame else Unavailable):
                await client.place(1, BUY, 100, 5)


async def test_misshapen_messages_of_a_stream_end_it_as_unavailable() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(DEEP)
        await socket.send_str("{}")
        await socket.receive()
        return socket

    async with exchange(stream) as url, SetoffClient(url) as client:
        with pytest.raises(Unavailable):
            await anext(client.stream())
        with pytest.raises(Unavailable):
            await anext(client.subscribe("trades", market=1, patience=0.0))


async def test_nothing_is_signed_for_an_exchange_that_the_deployment_file_does_not_name() -> None:
    async with exchange(answering(info=INFO, accounts=ACCOUNT, records=TAKEN)) as url:
        async with SetoffClient(url, SIGNER, deployment=DEPLOYMENT) as client:
            assert (await client.at(0).place(1, BUY, 100, 5)).resting == 5
        for other in (
            replace(DEPLOYMENT, chain_id=DEPLOYMENT.chain_id + 1),
            replace(DEPLOYMENT, vault="0x" + "9" * 40),
        ):
            async with SetoffClient(url, SIGNER, deployment=other) as client:
                with pytest.raises(DataError, match="nothing is signed"):
                    await client.at(0).place(1, BUY, 100, 5)


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({}, {"account": 7 | 2 << 20}),
        ({"sub": 2}, {"account": 7}),
        ({"account": 8}, {}),
        ({"account": OWNER.replace("0x", "0X").upper().replace("0X", "0x"), "sub": 1}, {}),
        ({}, {"owner": "0x" + "1" * 40}),
    ],
)
async def test_another_account_than_was_asked_for_is_not_signed_for(named: Any, shown: Any) -> None:
    answer = answering(info=INFO, accounts=ACCOUNT | shown, records=TAKEN)
    async with exchange(answer) as url, SetoffClient(url, SIGNER, **named) as client:
        with pytest.raises(DataError, match="was asked for"):
            await client.place(1, BUY, 100, 5)


@pytest.mark.parametrize("ahead", [-900, 900])
async def test_a_clock_far_from_this_machines_makes_no_expiry(ahead: int) -> None:
    """But on development chains, whose clock anybody sets."""
    for chain_id, is_refused in ((1, True), (31337, False)):
        info = {"chain_id": chain_id, "vault": "0x" + "11" * 20}
        answer = answering(info=info, status={"l1_time": int(time.time()) + ahead})
        async with exchange(answer) as url, SetoffClient(url) as client, SetoffClient(url, clock_skew=1000) as lenient:
            if is_refused:
                with pytest.raises(DataError, match="from this machine's: orders would not end when they should"):
                    await client.now()
            else:
                await client.now()
            assert abs(await lenient.now() - time.time() - ahead) < 5
