"""The admission: what is forged never reaches the machine, and nobody's flood makes others wait."""

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from tests.support.processes.running_operator import DEPLOYMENT, Running, open_market, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.operator.api import admission
from setoff.operator.api.admission import AHEAD, LEAST_AHEAD, LEAST_BESIDE, REFUSED_BESIDE, Admission
from setoff.operator.api.reader import ShownOnce
from setoff.operator.api.submit import MAX_BULK
from setoff.operator.sequencer.submissions import Answer
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import InputError, StateError

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


def test_a_signer_is_kept_for_the_machine_once_and_for_that_signature_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    traffic = SampleTraffic()
    (forged,), good = forge(traffic, 1), traffic.order(1, BUY, 90, 1)

    def recover(record: bytes, signature: bytes) -> bytes | None:
        return signatures.recover(eip712.digest(DEPLOYMENT.domain, record), signature)

    for record in (good, forged):
        signatures.recover_ahead(eip712.digest(DEPLOYMENT.domain, record), record[records.BODY_BYTES :])
    asked: list[bytes] = []
    really = signatures._recover
    monkeypatch.setattr(signatures, "_recover", lambda digest, sig: asked.append(sig) or really(digest, sig))
    mine, theirs = good[records.BODY_BYTES :], forged[records.BODY_BYTES :]
    assert recover(forged, mine) != address_of(trader_key(1)) and recover(good, theirs) != address_of(trader_key(2))
    assert asked == [mine, theirs]  # what was found for one body says nothing of another
    assert (recover(good, mine), recover(forged, theirs)) == (address_of(trader_key(1)), address_of(trader_key(2)))
    assert len(asked) == 2
    assert recover(good, mine) == address_of(trader_key(1)) and len(asked) == 3


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


class Gate:
    """An admission before a machine that keeps what it gets."""

    def __init__(
        self, running: Running, monkeypatch: pytest.MonkeyPatch, crowded: float = 0.0, **settings: Any
    ) -> None:
        self.got: list[bytes] = []
        self.answers: list[Answer] = []
        self.came: list[tuple[str, Any]] = []
        monkeypatch.setattr(running.sequencer, "enter", self._keep)
        monkeypatch.setattr(admission, "TARGET", 1e9)
        monkeypatch.setattr(admission, "CROWDED", crowded)
        self.admission = Admission(running.sequencer, DEPLOYMENT.domain, OperatorSettings(**settings))

    def _keep(self, record: bytes, _: Any, answer: Answer, __: Any = None) -> None:
        self.got.append(record)
        self.answers.append(answer)

    def send(self, client: str, *orders: bytes) -> None:
        for order in orders:
            self.admission.enter(client, [order], lambda came: self.came.append((client, came)))

    def go_on(self, count: int) -> None:
        """The machine answers so many."""
        answers, self.answers = self.answers[:count], self.answers[count:]
        for answer in answers:
            answer(InputError("no_price"))

    def count(self, *clients: str) -> list[int]:
        return [sum(client == name for name, _ in self.came) for client in clients]


async def test_turns_go_round_by_record_whoever_sent_how_much(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, traffic = Gate(exchange, monkeypatch), exchange.traffic
    flood = [traffic.order(1, BUY, 90, 1) for _ in range(600)]
    mine, others = [traffic.order(2, BUY, 90, 1) for _ in range(5)], [traffic.order(3, BUY, 90, 1) for _ in range(5)]
    gate.send("flood", *flood)
    await until(lambda: len(gate.got) == AHEAD, "the machine gets too little")
    assert len(gate.got) == AHEAD and gate.admission.waiting == 600  # the rest waits where turns can still be given
    gate.send("mine", *mine)
    gate.send("others", *others)
    gate.go_on(AHEAD)
    await until(lambda: len(gate.got) == 2 * AHEAD, "the machine gets too little")
    next_ones = gate.got[AHEAD : AHEAD + 15]
    assert {order for order in next_ones if order not in flood} == {*mine, *others}
    assert [order for order in gate.got if order in flood] == flood[: len(gate.got) - 10]  # each client's in order
    assert [order for order in gate.got if order in mine] == mine


async def test_beside_others_a_client_has_little_ahead_and_one_that_floods_less(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So those who send little are not kept waiting by who sends much."""
    gate, traffic = Gate(exchange, monkeypatch, crowded=3600.0, max_per_client=40), exchange.traffic
    gate.send("light", traffic.order(2, BUY, 90, 1))
    gate.send("heavy", *[traffic.order(1, BUY, 90, 1) for _ in range(40)])
    await until(lambda: len(gate.got) == 1 + LEAST_BESIDE, "the machine gets too little")
    gate.send("light", *[traffic.order(2, BUY, 90, 1) for _ in range(5)])
    await until(lambda: len(gate.got) == 6 + LEAST_BESIDE, "who sends little has to wait")
    assert gate.admission.find_obstacle("heavy") is not None
    gate.admission.count_refused("heavy", admission.UNREAD)
    for _ in range(5):
        gate.go_on(len(gate.answers))
        await asyncio.sleep(0.01)
        assert len(gate.answers) <= REFUSED_BESIDE
    gate.send("more", traffic.order(3, BUY, 90, 1))
    await until(lambda: len(gate.answers) == REFUSED_BESIDE + 1, "the machine gets too little")


async def test_who_is_alone_has_much_ahead(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, traffic = Gate(exchange, monkeypatch, crowded=3600.0), exchange.traffic
    gate.send("alone", *[traffic.order(1, BUY, 90, 1) for _ in range(AHEAD + 20)])
    await until(lambda: len(gate.got) == AHEAD, "the machine gets too little")


async def test_a_slow_machine_is_given_less_ahead(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that who comes new has little before him."""
    gate, traffic = Gate(exchange, monkeypatch), exchange.traffic
    monkeypatch.setattr(admission, "TARGET", 0.0)
    gate.send("flood", *[traffic.order(1, BUY, 90, 1) for _ in range(AHEAD + 300)])
    await until(lambda: len(gate.got) == AHEAD, "the machine gets too little")
    gate.go_on(AHEAD)
    await until(lambda: len(gate.answers) == LEAST_AHEAD, "it gets as much as before")
    await asyncio.sleep(0.05)
    assert len(gate.answers) == LEAST_AHEAD
    monkeypatch.setattr(admission, "TARGET", 1e9)
    while gate.answers:
        gate.go_on(len(gate.answers))
        await asyncio.sleep(0.01)
    gate.send("flood", *[traffic.order(1, BUY, 90, 1) for _ in range(AHEAD)])
    await until(lambda: len(gate.answers) > 2 * LEAST_AHEAD, "it does not get more again")


async def test_everything_counts_wherever_it_waits(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LITTLE", 2)
    gate = Gate(exchange, monkeypatch, max_waiting=10, max_per_client=6)
    door, orders = gate.admission, [exchange.traffic.order(1, BUY, 90, 1) for _ in range(10)]
    assert door.find_obstacle("a", 99) is None  # alone, any request that the interface takes
    gate.send("a", *orders[:6])
    refused = door.find_obstacle("a")
    assert refused is not None and refused.reason == "overloaded" and "6 records of this client" in refused.detail
    assert door.find_obstacle("b", 4) is None
    gate.send("b", *orders[6:])
    assert "10 records are on their way" in str(door.find_obstacle("c", 3)) and door.find_obstacle("c", 2) is None
    await until(lambda: len(gate.got) == 10, "the machine gets too little")
    assert len(gate.got) == 10 and door.waiting == 10  # with the machine, and they count all the same
    assert door.find_obstacle("c", 3) is not None
    gate.go_on(10)
    assert door.waiting == 0 and door.find_obstacle("a", 6) is None
    with pytest.raises(StateError, match="overloaded"):
        gate.send("a", *orders[:6])
        await door.submit("a", [[orders[0]]])


async def test_who_is_refused_again_and_again_is_read_no_further_for_a_moment(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Gate(exchange, monkeypatch).admission
    start = time.monotonic()
    for _ in range(15):
        await door.hold_back("now and then")
    assert time.monotonic() - start < 0.5
    start = time.monotonic()
    await asyncio.gather(*[door.hold_back("flood") for _ in range(200)])  # as over many connections
    assert time.monotonic() - start >= admission.LONGEST
    start = time.monotonic()
    await door.hold_back("somebody else")
    assert time.monotonic() - start < admission.LONGEST


async def test_what_has_waited_for_too_long_is_refused(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(exchange, monkeypatch, max_wait=0.1)
    gate.send("a", *[exchange.traffic.order(1, BUY, 90, 1) for _ in range(AHEAD + 20)])
    await asyncio.sleep(0.3)
    assert gate.came == []
    gate.go_on(AHEAD)
    await until(lambda: len(gate.came) == AHEAD + 20, "not all are answered")
    late = [came for _, came in gate.came[AHEAD:]]
    assert len(late) == 20 and {str(came.reason) for came in late} == {"overloaded"} and "again" in late[0].detail
    gate.send("a", exchange.traffic.order(1, BUY, 90, 1))
    await until(lambda: len(gate.got) == AHEAD + 1, "the machine gets too little")
    assert len(gate.got) == AHEAD + 1


async def test_wrong_signatures_are_answered_one_after_the_other(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PENALTY", 0.05)
    gate = Gate(exchange, monkeypatch)
    start = time.monotonic()
    gate.send("forger", *forge(exchange.traffic, 40))
    gate.send("mine", *[exchange.traffic.order(2, BUY, 90, 1) for _ in range(3)])
    await until(lambda: len(gate.got) == 3, "others wait for the forger")
    assert gate.count("forger") < [40]
    await until(lambda: gate.count("forger") == [40], "not all are answered")
    assert time.monotonic() - start >= 40 * 0.05 and len(gate.got) == 3


@pytest.mark.parametrize("count", [8, 16, 32])
@pytest.mark.parametrize("kind", ["forged", "good"])
async def test_however_many_flood_nobody_is_kept_out(
    exchange: Running, monkeypatch: pytest.MonkeyPatch, count: int, kind: str
) -> None:
    """Eight shares fill the bound, as with the settings that are preset; who sends one record after the other is let in
    each time, and answered within a few turns of the machine."""
    monkeypatch.setattr(admission, "LITTLE", 1)
    gate, traffic = Gate(exchange, monkeypatch, crowded=3600.0, max_waiting=64, max_per_client=8), exchange.traffic
    door = gate.admission
    (flood,) = forge(traffic, 1) if kind == "forged" else [traffic.order(1, BUY, 90, 1)]
    sent, waits = 0, list[int]()
    for turn in range(60):
        for client in (f"flood {number}" for number in range(count)):
            while door.find_obstacle(client) is None:
                gate.send(client, flood)
        if gate.count("mine") == [sent]:
            assert door.find_obstacle("mine") is None
            gate.send("mine", traffic.order(2, BUY, 90, 1))
            sent += 1
            waits.append(turn)
        await asyncio.sleep(0.001)
        gate.go_on(32)
        assert door.waiting <= 64 + count + 1
    assert sent > 10 and max(after - before for before, after in pairwise(waits)) <= 8, waits
    if kind == "forged":
        assert door.waiting <= 1 and flood not in gate.got


async def test_what_waits_is_answered_when_the_machine_takes_nothing_any_more(
    exchange: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(exchange, monkeypatch)
    gate.send("a", *[exchange.traffic.order(1, BUY, 90, 1) for _ in range(AHEAD + 50)])
    await until(lambda: len(gate.got) == AHEAD, "the machine gets too little")
    monkeypatch.setattr(exchange.sequencer, "obstacle", lambda: StateError("not_ready", "over"))
    gate.go_on(1)
    await until(lambda: len(gate.came) == 51, "not all are answered")
    assert len(gate.came) == 51 and gate.came[-1][1].reason == "not_ready" and gate.admission.waiting == AHEAD - 1


async def test_forged_records_never_reach_the_machine(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    traffic, machine = exchange.traffic, exchange.sequencer.exchange.machine
    before, commit = machine.hash(), exchange.sequencer.commit

    def unexpected(*_: object) -> None:
        raise AssertionError("a forged record is in the queue")

    with monkeypatch.context() as patch:
        patch.setattr(exchange.sequencer, "enter", unexpected)
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

    monkeypatch.setattr("setoff.operator.api.reader.json.dumps", count)
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
