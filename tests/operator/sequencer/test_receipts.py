"""The operator's receipts: one for every record it takes, the same whatever happens to it; and its two lies."""

from pathlib import Path

import pytest
from tests.support.processes.running_operator import (
    DEPLOYMENT,
    HORIZON,
    OPERATOR_KEY,
    HandL1,
    Running,
    open_market,
    operator,
)
from tests.support.waiting import until

from setoff.deploy.simulation.lying_sequencer import BrokenSigner, OmittingSequencer
from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import extend
from setoff.shared.codec.records import Leg
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.l1.evidence import BROKEN, KEPT, find_conflict, judge
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import encode_record

OPERATOR = address_of(OPERATOR_KEY)


class Closed:
    """The batches of an outbox, as if all were posted."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def count(self) -> int:
        return self._outbox.latest() + 1

    def header(self, number: int) -> Header:
        return self.batch(number).header

    def batch(self, number: int) -> Batch:
        sealed = self._outbox.get(number)
        assert sealed is not None
        return sealed.batch


def read(answer: dict[str, object]) -> list[SignedReceipt]:
    shown = answer["receipts"]
    assert isinstance(shown, list)
    signed = [SignedReceipt.from_json(part) for part in shown]
    for one in signed:
        one.check(DEPLOYMENT.domain, OPERATOR)
    return signed


async def close_batch(running: Running) -> None:
    """Have the open batch closed and handed over, as if it were old enough."""
    number = running.sequencer.exchange.cursor.number
    running.sequencer._builder._opened_at = float("-inf")
    running.sequencer._wake.set()
    await until(lambda: running.outbox.latest() >= number, "no batch was closed")


async def test_every_record_has_a_receipt_with_its_place_and_history(exchange: Running) -> None:
    tail = exchange.sequencer.exchange.cursor
    first, running = tail.records, tail.running
    for number in range(first, first + 5):
        record = exchange.traffic.order(1, 0, 90, number)
        status, answer = await exchange.submit(record)
        assert status == 200
        (signed,) = read(answer)
        running = extend(running, keccak(record))
        assert signed.receipt[:3] == (number, keccak(record), running)
        assert signed.receipt.deadline == exchange.sequencer.exchange.machine.regs.time + HORIZON
        assert answer["sequence"] == number
    assert tail.running == running


async def test_refused_records_have_no_receipt_and_no_number(exchange: Running) -> None:
    first = exchange.sequencer.exchange.cursor.records
    status, answer = await exchange.submit(exchange.traffic.order(1, 0, 90, 10**12))
    assert status == 422 and "receipts" not in answer
    status, answer = await exchange.submit(exchange.traffic.order(1, 0, 90, 1))
    assert read(answer)[0].sequence == first


async def test_every_page_of_a_bulk_record_has_its_own(exchange: Running) -> None:
    first = exchange.sequencer.exchange.cursor.records
    legs = [Leg(records.GTC, 1, order_slot, 90, 1) for order_slot in range(12)]
    record, *leg_pages = exchange.traffic.bulk(1, legs)
    status, answer = await exchange.post(encode_record(record, leg_pages))
    assert status == 200
    signed = read(answer)
    assert [one.sequence for one in signed] == [first, first + 1, first + 2]
    assert [one.receipt.record for one in signed] == [keccak(part) for part in (record, *leg_pages)]
    assert all(one.agrees(two) for one in signed for two in signed)


async def test_the_operators_own_records_count(exchange: Running) -> None:
    _, answer = await exchange.submit(exchange.traffic.order(1, 0, 90, 1))
    (signed,) = read(answer)
    await close_batch(exchange)
    closed = Closed(exchange.outbox)
    before = closed.batch(0).records[: signed.sequence]
    assert [body[0] for body in before] == [records.REPORT, records.CRANK]
    assert judge(signed, closed).state == KEPT


async def test_numbers_and_history_go_on_after_a_restart(redis_server: RedisServer, tmp_path: Path) -> None:
    traffic, l1 = SampleTraffic(), None
    receipt_store = ReceiptStore(tmp_path / "kept", DEPLOYMENT.domain, OperatorBond(OPERATOR, 10**6, START_TIME))
    signed: list[SignedReceipt] = []
    for life in range(4):
        # A snapshot every other batch, so that lives begin from one, from the log, and from both.
        async with operator(redis_server.url, traffic, l1, snapshot_batches=2) as running:
            l1 = HandL1(running.l1.messages, running.l1.time + 2)
            if life == 0:
                await open_market(running)
            for number in range(3):
                record = traffic.order(1, 0, 80 + life, 1 + number)
                status, answer = await running.submit(record)
                assert status == 200, answer
                signed += receipt_store.take([record], answer["receipts"])
            await close_batch(running)
            closed = Closed(running.outbox)
            assert [judge(one, closed).state for one in signed] == [KEPT] * len(signed)
            assert {finding.state for finding in receipt_store.check(closed)} == {KEPT}
    numbers = [one.sequence for one in signed]
    assert len(numbers) == 12 and numbers == sorted(set(numbers))


async def test_without_a_signer_there_are_none(redis_server: RedisServer) -> None:
    async with operator(redis_server.url) as running:
        running.sequencer.signer = None
        status, answer = await running.submit(running.traffic.report(0, 100))
        assert status == 200 and "receipts" not in answer


# --- the lies --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lying_traffic() -> SampleTraffic:
    return SampleTraffic()


async def test_a_broken_receipt_is_contradicted_by_the_batch(
    redis_server: RedisServer, lying_traffic: SampleTraffic
) -> None:
    signer = BrokenSigner(OPERATOR_KEY, DEPLOYMENT.domain, HORIZON)
    async with operator(redis_server.url, lying_traffic, signer=signer) as running:
        await open_market(running)
        signed = []
        for number in range(3):
            _, answer = await running.submit(lying_traffic.order(1, 0, 90, 1 + number))
            signed += read(answer)
        await close_batch(running)
        verdicts = [judge(one, Closed(running.outbox)) for one in signed]
    assert [verdict.state for verdict in verdicts] == [BROKEN, KEPT, KEPT]
    assert verdicts[0].charge is not None and verdicts[0].charge.kind == "contradiction"


async def test_an_omitted_record_conflicts_with_the_next(
    redis_server: RedisServer, lying_traffic: SampleTraffic
) -> None:
    async with operator(redis_server.url, lying_traffic, make_sequencer=OmittingSequencer) as running:
        await open_market(running)
        omitted = lying_traffic.order(1, 0, 90, 1)
        _, answer = await running.submit(omitted)
        (lost,) = read(answer)
        _, answer = await running.submit(lying_traffic.order(2, 0, 90, 1))
        (other,) = read(answer)
        await close_batch(running)
        closed = Closed(running.outbox)
        assert omitted not in closed.batch(0).records
        assert find_conflict(lost, other) is not None
        assert (judge(lost, closed).state, judge(other, closed).state) == (BROKEN, KEPT)
