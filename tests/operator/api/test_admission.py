"""The admission: what is forged never reaches the machine, and nobody's flood makes others wait."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from tests.support.processes.running_operator import DEPLOYMENT, Running, open_market, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.operator.api.admission import TURN, Admission
from setoff.operator.api.reads import ShownOnce
from setoff.operator.api.submit import MAX_BULK
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import StateError

BUY = records.BUY


def forge(traffic: SampleTraffic, count: int) -> list[bytes]:
    """Orders of account 1 that account 2 has signed."""
    return [traffic.sign(traffic.order(1, BUY, 90, 1)[: records.BODY_BYTES], trader_key(2)) for _ in range(count)]


async def send(running: Running, bodies: list[bytes], source: str = "127.0.0.1") -> tuple[int, Any]:
    """Post records as bytes from an address of one's own."""
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(f"{running.url}/v1/records/bulk", data=b"".join(bodies)) as response,
    ):
        return response.status, await response.json()


async def test_finds_who_signed() -> None:
    traffic, admission = SampleTraffic(), Admission(DEPLOYMENT.domain, 10)
    good = traffic.order(1, BUY, 90, 1)
    spoiled = good[: records.BODY_BYTES] + bytes(64)
    found = await admission.recover("a", [good, spoiled, traffic.crank(), bytes(124)])
    assert found == [address_of(trader_key(1)), None, None, None]
    admission.close()


async def test_what_nobody_signs_is_refused_and_holds_nobody_up(exchange: Running) -> None:
    """A message of the queue, well-formed, sent as if it were a record."""
    messages = [
        records.encode(records.WindDownBody()),
        exchange.traffic.deposit(1, 5),
        exchange.traffic.force(1, bytes(60)),
    ]
    status, answer = await send(exchange, [*messages, bytes([records.UNUSED]) + bytes(123)])
    assert (status, [result["reason"] for result in answer["results"]]) == (200, ["malformed_record"] * 4)
    status, answer = await send(exchange, [exchange.traffic.order(1, BUY, 90, 1)])
    assert (status, [result["outcome"] for result in answer["results"]]) == (200, ["accepted"])


async def test_a_signer_is_kept_for_the_machine_once_and_for_that_signature_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traffic, admission = SampleTraffic(), Admission(DEPLOYMENT.domain, 10)
    (forged,), good = forge(traffic, 1), traffic.order(1, BUY, 90, 1)
    await admission.recover("a", [good, forged])
    asked: list[bytes] = []
    really = signatures._recover
    monkeypatch.setattr(signatures, "_recover", lambda digest, sig: asked.append(sig) or really(digest, sig))

    def recover(record: bytes, signature: bytes) -> bytes | None:
        return signatures.recover(eip712.digest(DEPLOYMENT.domain, record), signature)

    mine, theirs = good[records.BODY_BYTES :], forged[records.BODY_BYTES :]
    assert recover(forged, mine) != address_of(trader_key(1)) and recover(good, theirs) != address_of(trader_key(2))
    assert asked == [mine, theirs]  # what was found for one body says nothing of another
    assert (recover(good, mine), recover(forged, theirs)) == (address_of(trader_key(1)), address_of(trader_key(2)))
    assert len(asked) == 2
    assert recover(good, mine) == address_of(trader_key(1)) and len(asked) == 3
    admission.close()


def test_signers_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_AHEAD", 3)
    signatures._ahead.clear()
    digests = [bytes([number]) * 32 for number in range(1, 6)]
    signed = [signatures.sign(digest, trader_key(1)) for digest in digests]
    for digest, signature in zip(digests, signed, strict=True):
        signatures.recover_ahead(digest, signature)
    assert signatures.recover_ahead(digests[0], bytes(64)) is None
    assert list(signatures._ahead) == [d + s for d, s in zip(digests, signed, strict=True)][2:]
    assert {signatures.recover(d, s) for d, s in zip(digests, signed, strict=True)} == {address_of(trader_key(1))}
    assert not signatures._ahead


async def test_a_flood_is_checked_a_handful_at_a_time() -> None:
    traffic, admission = SampleTraffic(), Admission(DEPLOYMENT.domain, 10**6)
    body = traffic.order(1, BUY, 90, 1)
    order: list[str] = []

    async def check(client: str, count: int) -> None:
        assert len(await admission.recover(client, [body] * count)) == count
        order.append(client)

    flood = [asyncio.create_task(check("flood", 40 * TURN)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.gather(check("honest", 1), check("other", TURN))
    assert order == ["honest", "other"]
    await asyncio.gather(*flood)
    assert order == ["honest", "other", "flood", "flood", "flood"]
    admission.close()


async def test_one_clients_records_stay_in_their_order() -> None:
    traffic, admission = SampleTraffic(), Admission(DEPLOYMENT.domain, 10**6)
    bodies = [traffic.order(account, BUY, 90, 1) for account in (1, 2, 3) * 30]
    parts = [bodies[start : start + 10] for start in range(0, len(bodies), 10)]
    found = await asyncio.gather(*[admission.recover("a", part) for part in parts])
    expected = [address_of(trader_key(account)) for account in (1, 2, 3) * 30]
    assert [signer for part in found for signer in part] == expected
    admission.close()


async def test_a_share_is_each_clients_own() -> None:
    admission = Admission(DEPLOYMENT.domain, 4)
    with admission.admit("a", 3):
        with pytest.raises(StateError, match="overloaded"), admission.admit("a", 2):
            pass
        with admission.admit("b", 4), admission.admit("a", 1):
            pass
    with admission.admit("a", 9):  # alone, any request that the interface takes
        pass
    admission.close()


async def test_forged_records_never_reach_the_machine(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    traffic, machine = exchange.traffic, exchange.sequencer.exchange.machine
    before, commit = machine.hash(), exchange.sequencer.commit

    async def unexpected(*_: object) -> None:
        raise AssertionError("a forged record is in the queue")

    with monkeypatch.context() as patch:
        patch.setattr(exchange.sequencer, "submit", unexpected)
        status, answer = await send(exchange, forge(traffic, 40))
        assert status == 200 and {result["reason"] for result in answer["results"]} == {"bad_signature"}
        status, answer = await exchange.submit(forge(traffic, 1)[0])
        assert (status, answer["reason"]) == (422, "bad_signature")
    assert (machine.hash(), exchange.sequencer.commit) == (before, commit)


async def test_good_records_among_forged_ones_are_taken_in_order(exchange: Running) -> None:
    traffic = exchange.traffic
    good = [traffic.order(3, BUY, 80 + i, 1) for i in range(5)]
    mixed = [body for pair in zip(good, forge(traffic, 5), strict=True) for body in pair]
    _, answer = await send(exchange, mixed)
    sequences = [result["sequence"] for result in answer["results"][::2]]
    assert sequences == list(range(sequences[0], sequences[0] + 5))
    assert {result["reason"] for result in answer["results"][1::2]} == {"bad_signature"}


async def test_a_client_beyond_its_share_is_told_to_wait_and_others_are_not(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, max_per_client=MAX_BULK) as running:
        await open_market(running)
        flood = [asyncio.create_task(send(running, forge(running.traffic, MAX_BULK), "127.0.0.2")) for _ in range(6)]
        await asyncio.sleep(0.1)
        assert (await running.submit(running.traffic.order(3, BUY, 90, 1)))[0] == 200
        statuses = [status for status, _ in await asyncio.gather(*flood)]
        assert 503 in statuses and 200 in statuses
        assert (await send(running, [running.traffic.order(3, BUY, 90, 1)], "127.0.0.2"))[0] == 200


async def test_reads_are_made_once_for_each_state(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    dumps = json.dumps

    def count(value: Any, *arguments: Any, **options: Any) -> str:
        nonlocal made
        made += "bids" in value
        return dumps(value, *arguments, **options)

    monkeypatch.setattr("setoff.operator.api.reads.json.dumps", count)
    books = [await exchange.get("/v1/book/1") for _ in range(5)]
    assert made == 1 and all(book == books[0] for book in books)
    await exchange.submit(exchange.traffic.order(1, BUY, 77, 3))
    assert (await exchange.get("/v1/book/1"))[1]["bids"][0]["price"] == 77
    assert (await exchange.get("/v1/book/1?depth=1"))[0] == 200
    assert made == 3


def test_kept_reads_are_bounded() -> None:
    shown = ShownOnce()
    for number in range(5000):
        assert shown.get(1, str(number), lambda: b"x") == b"x"
    assert len(shown._bodies) <= 1000
