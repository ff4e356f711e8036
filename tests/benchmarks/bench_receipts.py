"""What a receipt costs the sequencer beside the record it is for: one signature each, one for a group; and to check it.

python -m tests.benchmarks.bench_receipts
"""

import gc
import json
import random
import time

from tests.support.processes.running_operator import HORIZON, OPERATOR_KEY, opening

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange, SubmitResult
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.receipts import SignedReceipt

RECORDS = 4000
ACCOUNTS = 50
GROUP = 64


def run_records() -> tuple[float, list[SubmitResult], bytes]:
    """Processor seconds for the machine to take RECORDS orders, their receipts without signatures, and the domain."""
    traffic = SampleTraffic()
    exchange = Exchange(Machine.genesis(traffic.domain), BatchCursor())
    exchange.open(START_TIME, tuple(opening(traffic, ACCOUNTS, 10**15)))
    exchange.offer(traffic.report(0, 100))
    choose = random.Random(1)
    orders = [
        traffic.order(1 + i % ACCOUNTS, choose.randrange(2), 100 + choose.randrange(-6, 7), choose.randrange(1, 20),
                    flags=records.IOC)
        for i in range(RECORDS)
    ]  # fmt: skip
    taken: list[SubmitResult] = []
    gc.collect()
    start = time.thread_time()
    for order in orders:
        while exchange.is_busy:
            exchange.offer(records.encode_crank(0))
        if exchange.inputs >= MAX_INPUTS - 8:
            exchange.close()
            exchange.open(START_TIME, ())
        taken.append(exchange.offer(order))
    return time.thread_time() - start, taken, traffic.domain


def run() -> dict[str, float]:
    """Microseconds of processor time a record: to take it; for its receipt by itself, and in groups of GROUP; to check
    one of those."""
    seconds, taken, domain = run_records()
    signer = ReceiptSigner(OPERATOR_KEY, domain, HORIZON)
    start = time.thread_time()
    for result in taken:
        signer.attest([result])
    alone = time.thread_time() - start
    groups = [taken[at : at + GROUP] for at in range(0, len(taken), GROUP)]
    start = time.thread_time()
    attested = [result for group in groups for result in signer.attest(group)]
    grouped = time.thread_time() - start
    operator = address_of(OPERATOR_KEY)
    signed: list[SignedReceipt] = [one for receipt in attested for one in receipt.signed]
    start = time.thread_time()
    for one in signed:
        one.check(domain, operator)
    checked = time.thread_time() - start
    in_us = 1e6 / RECORDS
    return {
        "record_us": seconds * in_us,
        "receipt_alone_us": alone * in_us,
        "receipt_in_a_group_us": grouped * in_us,
        "receipt_to_record": grouped / seconds,
        "check_us": checked * in_us,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
