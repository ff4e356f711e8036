"""Receipts when batches are made anew: what was signed before stays true of what is posted after."""

import random
from itertools import combinations

import pytest
from tests.support.processes.running_operator import DEPLOYMENT, HORIZON, make_signer, opening

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.rerun import Unposted, adopt, run_again
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import extend
from setoff.shared.codec.records import Leg
from setoff.shared.errors import InputError
from setoff.shared.l1.evidence import KEPT, find_conflict, judge
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.receipts import SignedReceipt

STEPS = 60


class Ledger:
    """What is posted, as `Posted`."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def count(self) -> int:
        return len(self.batches)

    def header(self, number: int) -> Header:
        return self.batches[number].header

    def batch(self, number: int) -> Batch:
        return self.batches[number]


def rebuild(ledger: Ledger) -> Exchange:
    """The exchange after what is posted, as after a crash without a snapshot."""
    exchange = Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor())
    for batch in ledger.batches:
        adopt(exchange, batch)
    return exchange


@pytest.mark.parametrize("seed", range(12))
def test_what_was_signed_is_kept_through_resets(seed: int) -> None:
    choose = random.Random(seed)
    traffic, signer, ledger = SampleTraffic(), make_signer(), Ledger()
    messages = opening(traffic)
    time = START_TIME
    exchange = rebuild(ledger)
    exchange.open(time, tuple(messages))
    exchange.offer(traffic.report(0, 100))
    sealed: list[Batch] = []
    signed: list[SignedReceipt] = []
    for _ in range(STEPS):
        event = choose.random()
        if event < 0.65:
            group = [traffic.order(1 + choose.randrange(3), choose.randrange(2), 100 + choose.randrange(-4, 5),
                                 1 + choose.randrange(9), expiry=choose.choice((0, time + 5)))]  # fmt: skip
            if event < 0.1:
                group = traffic.bulk(1, [Leg(records.GTC, 1, 100 + order_slot, 90, 1) for order_slot in range(10)])
            while exchange.is_busy:
                exchange.offer(records.encode_crank(0))
            try:
                signed += signer.attest([exchange.offer(group[0], group[1:])])[0].signed
            except InputError:
                continue
        elif event < 0.8:
            while exchange.is_busy:
                exchange.offer(records.encode_crank(0))
            sealed.append(exchange.close()[1].batch)
            exchange.open(time, ())
        elif event < 0.9 and sealed:
            ledger.batches.append(sealed.pop(0))
        elif event < 0.96:
            time += choose.randrange(1, 20)
        else:
            unposted = [
                Unposted(batch.header.timestamp, record, batch.header.first_message + batch.header.message_count)
                for batch in sealed
                for record in batch.records
            ]
            before = exchange.cursor.messages + len(exchange.opened.messages if exchange.opened else ())
            unposted += [Unposted(exchange.machine.regs.time, record, before) for record in exchange.records]
            messages.append(traffic.deposit(4, 1000 + len(messages)))
            again = rebuild(ledger)
            left = messages[again.cursor.messages :]
            view = L1View(again.cursor.messages, time, left, [choose.choice((START_TIME, time + 1))] * len(left))
            made = run_again(again, unposted, view, time if choose.random() < 0.5 else 0)
            sealed = [batch.batch for batch in made.sealed]
            exchange = again
            exchange.open(time, ())
    while exchange.is_busy:
        exchange.offer(records.encode_crank(0))
    ledger.batches += [*sealed, exchange.close()[1].batch]
    assert len(signed) > 10
    assert time - START_TIME < HORIZON
    assert [judge(one, ledger).state for one in signed] == [KEPT] * len(signed)
    assert all(find_conflict(one, two) is None for one, two in combinations(signed, 2))
    running = {one.sequence: one.receipt.running for one in signed}
    assert running.items() <= dict(enumerate(follow(ledger))).items()


def follow(ledger: Ledger) -> list[bytes]:
    """The running hash after each posted record."""
    found, running = [], bytes(32)
    for batch in ledger.batches:
        for record in batch.records:
            running = extend(running, keccak(record))
            found.append(running)
    return found
