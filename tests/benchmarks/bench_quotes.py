"""What a bulk of 64 legs costs: one signature, nine inputs, and the steps of each leg; legs a second on one core.

Makers of four markets send 64 quotes around the middle each, and take all of them back by the next bulk. So half of the
legs are new quotes, half are cancels, and all are taken.
"""

from __future__ import annotations

import os
import time
from statistics import median

from tests.support.machines.standing_book import DOMAIN, KEYS, MARKETS, PRICE, TIME, Flow, make_market, sign

from setoff.deploy.tools.bench import Held
from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine

LEGS = 64
PAGES = LEGS // records.LEGS_PER_PAGE
RUNS = 5
HELD = {"bulk_to_signature": Held(compiled=8.5, plain=23)}


def make_bulk(account: int, nonce: int, legs: list[records.Leg]) -> list[bytes]:
    """The bulk record and its pages."""
    pages: list[bytes] = []
    following = bytes(32)
    for start in reversed(range(0, LEGS, records.LEGS_PER_PAGE)):
        pages.insert(0, records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
        following = keccak(pages[0])
    return [sign(records.encode(records.BulkBody(account, nonce, following)), KEYS[account - 1]), *pages]


def make_quotes(account: int, away: int) -> list[records.Leg]:
    """Quotes on both sides of one market."""
    market = account % MARKETS + 1
    sides = [(flags, sign) for flags, sign in ((0, -1), (records.SELL_LEG, 1))]
    return [
        records.Leg(flags, market, 2 * step + (sign > 0), PRICE + sign * (away + step), 5)
        for step in range(LEGS // 2)
        for flags, sign in sides
    ]


def make_batches(machine: Machine, makers: int) -> list[Batch]:
    """Of every maker its quotes, in one batch, and their cancels, in the next."""
    cancels = [records.Leg(records.CANCEL_LEG, 1, slot) for slot in range(LEGS)]
    made = []
    for number in range(2):
        bulks = [
            make_bulk(account, 1 + number, cancels if number else make_quotes(account, 40))
            for account in range(1, makers + 1)
        ]
        inputs = tuple(record for bulk in bulks for record in bulk)
        first = machine.regs.batch + 1 + number
        made.append(Batch.seal(bytes(32), first, TIME + 1, 0, 0, bytes(32), (), inputs))
    return made


def run() -> dict[str, float]:
    """Processor time on one core, and what comes of it."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        return _run()
    finally:
        os.sched_setaffinity(0, cores)


def _run() -> dict[str, float]:
    makers = len(KEYS)
    machine = make_market(Flow(seed=1), depth=0)
    batches = make_batches(machine, makers)
    bulks = [record for batch in batches for record in batch.records if record[0] == records.BULK]
    alone, whole, quotes = [], [], []
    for _ in range(RUNS):
        begin = time.process_time()
        for record in bulks:
            signatures.recover(eip712.digest(DOMAIN, record), record[records.BODY_BYTES :])
        alone.append((time.process_time() - begin) / len(bulks))
        trial = machine.copy()
        begin = time.process_time()
        outcomes = trial.run_batch(batches[0])
        halfway = time.process_time()
        assert all(trial.state.account(number + 1).orders.bit_count() == LEGS for number in range(makers))
        outcomes += trial.run_batch(batches[1])
        trial.hash()
        whole.append((time.process_time() - begin) / len(bulks))
        quotes.append((halfway - begin) / makers)
        assert {*outcomes} == {errors.ACCEPTED} and not any(
            trial.state.account(number + 1).orders for number in range(makers)
        )
    bulk, signature = median(whole), median(alone)
    return {
        "signature_us": signature * 1e6,
        "bulk_us": bulk * 1e6,
        "bulk_to_signature": bulk / signature,
        "leg_us": bulk / LEGS * 1e6,
        "legs_a_second": LEGS / bulk,
        "new_quotes_a_second": LEGS / median(quotes),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
