"""Receipts at the trader's: what is believed, what is kept, and what a broken one looks like."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from setoff.shared.codec import eip712, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt, extend
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.evidence import BROKEN, KEPT, WAITING, find_batch, find_conflict, judge
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.sdk.receipt_store import CLOCK_SLACK, OperatorBond, ReceiptStore
from setoff.shared.wire.receipts import SignedReceipt, sign

DOMAIN = eip712.domain_separator(31337, b"\7" * 20)
KEY = keccak(b"the operator's key")
BOND = OperatorBond(signatures.address_of(KEY), 20_000, 1000)
HORIZON = 600


def body(name: object) -> bytes:
    return keccak(str(name).encode()).ljust(124, b"\1")


@dataclass
class Line:
    """An operator by the book: it numbers records, signs for them, and posts them in that order."""

    taken: list[bytes] = field(default_factory=list)
    running: list[bytes] = field(default_factory=lambda: [bytes(32)])
    batches: list[Batch] = field(default_factory=list)

    def take(self, record: bytes, time: int = 1000, horizon: int = HORIZON) -> SignedReceipt:
        self.taken.append(record)
        self.running.append(extend(self.running[-1], keccak(record)))
        return self.sign(len(self.taken) - 1, time, horizon)

    def sign(self, sequence: int, time: int = 1000, horizon: int = HORIZON) -> SignedReceipt:
        receipt = Receipt(sequence, keccak(self.taken[sequence]), self.running[sequence + 1], time + horizon)
        return sign(DOMAIN, receipt, KEY)

    def post(self, time: int, records: Sequence[bytes]) -> None:
        parent = self.batches[-1].header.hash() if self.batches else bytes(32)
        first = sum(len(batch.records) for batch in self.batches)
        self.batches.append(Batch.seal(parent, len(self.batches), time, 0, first, bytes(32), [], records))

    # As `Posted`:

    def count(self) -> int:
        return len(self.batches)

    def header(self, number: int) -> Header:
        return self.batches[number].header

    def batch(self, number: int) -> Batch:
        return self.batches[number]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def receipt_store(tmp_path: Path) -> ReceiptStore:
    return ReceiptStore(tmp_path / "kept" / "receipts.jsonl", DOMAIN, BOND)


def test_bytes_and_json_go_there_and_back(line: Line) -> None:
    signed = line.take(body(1))
    assert SignedReceipt.decode(signed.encode()) == signed and len(signed.encode()) == 144
    assert SignedReceipt.from_json(json.loads(json.dumps(signed.to_json()))) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": -1},
        {"sequence": 2**64},
        {"sequence": "1"},
        {"sequence": True},
        {"sequence": 1.0},
        {"deadline": None},
        {"record": "0x12"},
        {"record": "zz" * 32},
        {"running": 7},
        {"signature": "0x" + "00" * 65},
    ],
)
def test_json_that_is_no_receipt_is_refused(line: Line, change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="missing_field"):
        SignedReceipt.from_json(line.take(body(1)).to_json() | change)
    with pytest.raises(InputError, match="missing_field"):
        SignedReceipt.from_json([])


# --- when they come --------------------------------------------------------------------------------------------------


def test_good_receipts_are_kept_over_a_restart(line: Line, receipt_store: ReceiptStore) -> None:
    one, two, page = body(1), body(2), body("page")
    receipt_store.take([one], [line.take(one).to_json()])
    line.take(body("somebody's"))
    shown = [line.take(part).to_json() for part in (two, page)]
    assert [signed.sequence for signed in receipt_store.take([two, page], shown)] == [2, 3]
    again = ReceiptStore(receipt_store.path, DOMAIN, BOND)
    assert again.kept == receipt_store.kept and len(again) == 3
    bodies = [json.loads(text)["body"] for text in receipt_store.path.read_text().splitlines()]
    assert bodies == ["0x" + part.hex() for part in (one, two, page)]
    again.take([one], [line.sign(0).to_json()])  # the same once more
    assert len(receipt_store.path.read_text().splitlines()) == 3


@pytest.mark.parametrize("shown", [None, [], {}, [{}], "0x"])
def test_an_answer_without_receipts_is_told(receipt_store: ReceiptStore, shown: Any) -> None:
    with pytest.raises(DataError, match="receipt_broken"):
        receipt_store.take([body(1)], shown)
    assert not receipt_store.path.exists()


def test_a_receipt_of_somebody_else_is_not_kept(line: Line, receipt_store: ReceiptStore) -> None:
    receipt = line.take(body(1)).receipt
    with pytest.raises(DataError, match="has not signed"):
        receipt_store.take([body(1)], [sign(DOMAIN, receipt, keccak(b"another")).to_json()])
    with pytest.raises(DataError, match="has not signed"):
        receipt_store.take([body(1)], [sign(keccak(b"domain"), receipt, KEY).to_json()])
    assert len(receipt_store) == 0


def test_a_receipt_for_another_record_is_told_and_kept(line: Line, receipt_store: ReceiptStore) -> None:
    with pytest.raises(DataError, match="another record"):
        receipt_store.take([body(1)], [line.take(body(2)).to_json()])
    assert len(receipt_store) == 1


def test_a_running_hash_that_does_not_continue_is_told_at_once(line: Line, receipt_store: ReceiptStore) -> None:
    receipt_store.take([body(1)], [line.take(body(1)).to_json()])
    line.running[1] = bytes(32)  # as if record 0 had not been there
    with pytest.raises(DataError, match="cannot both be kept"):
        receipt_store.take([body(2)], [line.take(body(2)).to_json()])
    assert len(receipt_store) == 2


def test_a_number_given_twice_is_told_at_once(line: Line, receipt_store: ReceiptStore) -> None:
    receipt_store.take([body(1)], [line.take(body(1)).to_json()])
    with pytest.raises(DataError, match="cannot both be kept"):
        receipt_store.take([body(2)], [Line().take(body(2)).to_json()])
    assert [finding.state for finding in receipt_store.check(line)][:1] == [BROKEN]


def test_receipts_without_a_bond_or_beyond_it_are_told(line: Line, tmp_path: Path) -> None:
    bare = ReceiptStore(tmp_path / "bare", DOMAIN, OperatorBond(BOND.operator, 0, 1000))
    with pytest.raises(DataError, match="not bonded"):
        bare.take([body(1)], [line.take(body(1)).to_json()])
    receipt_store = ReceiptStore(tmp_path / "kept", DOMAIN, BOND)
    # An operator's batch may be of a later block than the one that L1's time was read from.
    for record, horizon in enumerate((10_000, 10_000 + CLOCK_SLACK - 1), 2):
        receipt_store.take([body(record)], [line.take(body(record), horizon=horizon).to_json()])
    for record, horizon in enumerate((20_000 + CLOCK_SLACK, 10**6), 4):
        with pytest.raises(DataError, match="deadline"):
            receipt_store.take([body(record)], [line.take(body(record), horizon=horizon).to_json()])


def test_a_file_that_holds_something_else_is_named(receipt_store: ReceiptStore) -> None:
    receipt_store.path.parent.mkdir()
    receipt_store.path.write_text("{}\n")
    with pytest.raises(DataError, match="line 1"):
        ReceiptStore(receipt_store.path, DOMAIN, BOND)


# --- when they are posted --------------------------------------------------------------------------------------------


def test_finds_the_batch_of_a_number(line: Line) -> None:
    records = [body(number) for number in range(9)]
    for first, end in ((0, 0), (0, 3), (3, 3), (3, 4), (4, 9), (9, 9)):
        line.post(1000, records[first:end])
    assert [find_batch(sequence, line) for sequence in range(10)] == [1, 1, 1, 3, 4, 4, 4, 4, 4, None]
    assert find_batch(0, Line()) is None


def test_kept_and_waiting(line: Line, receipt_store: ReceiptStore) -> None:
    records = [body(number) for number in range(6)]
    for record in records:
        receipt_store.take([record], [line.take(record).to_json()])
    line.post(1100, records[:2])
    line.post(1600, records[2:4])
    assert [finding.state for finding in receipt_store.check(line)] == [KEPT] * 4 + [WAITING] * 2
    line.post(1601, records[4:])  # after the deadline, but it reaches them
    assert [finding.state for finding in receipt_store.check(line)] == [KEPT] * 6


def test_another_record_in_the_place(line: Line, receipt_store: ReceiptStore) -> None:
    receipt_store.take([body(1)], [line.take(body(1)).to_json()])
    line.post(1100, [body("mine first"), body(1)])
    finding, behind = receipt_store.check(line)
    assert finding.charge is not None and finding.charge.kind == "contradiction"
    assert (finding.state, behind.state) == (BROKEN, BROKEN)


def test_an_insertion_before_a_place_that_moves_it(line: Line, receipt_store: ReceiptStore) -> None:
    line.take(body("somebody's"))
    receipt_store.take([body(1)], [line.take(body(1)).to_json()])
    line.post(1100, [body("put in later"), body(1)])
    kept, behind = receipt_store.check(line)
    assert kept.state == KEPT
    assert (behind.state, behind.charge) == (BROKEN, None)  # only who has the other receipt can show L1 more


def test_an_omission(line: Line, receipt_store: ReceiptStore) -> None:
    receipt_store.take([body(1)], [line.take(body(1)).to_json()])
    line.post(1600, [])
    assert [finding.state for finding in receipt_store.check(line)] == [WAITING]
    line.post(1601, [])
    (finding,) = receipt_store.check(line)
    assert finding.charge is not None and finding.charge.kind == "omission"
    line.post(1700, [body(1)])  # too late heals nothing
    (finding,) = receipt_store.check(line)
    assert finding.charge is not None and finding.charge.kind == "omission"


def test_the_running_hash_is_followed_from_where_it_was(line: Line, receipt_store: ReceiptStore) -> None:
    records = [body(number) for number in range(8)]
    for number, record in enumerate(records[:4]):
        signed = line.take(record)
        if number % 2:
            receipt_store.take([record], [signed.to_json()])
    line.post(1100, records[:2])
    line.post(1100, records[2:4])
    assert {finding.state for finding in receipt_store.check(line)} == {KEPT}
    read: list[int] = []
    whole = line.batch
    line.batch = lambda number: (read.append(number), whole(number))[1]  # type: ignore[method-assign]
    for record in records[4:]:
        line.take(record)
    receipt_store.take([records[7]], [line.sign(7).to_json()])
    line.post(1100, records[4:])
    assert {finding.state for finding in receipt_store.check(line)} == {KEPT}
    assert read.count(0) == 1 and read.count(1) == 1  # for their own receipts; the running hash went on behind them
    receipt_store.take([records[0]], [line.sign(0).to_json()])  # one that came late: all is looked at again
    assert {finding.state for finding in receipt_store.check(line)} == {KEPT}


def test_recent_believes_the_first_receipt_only(line: Line, receipt_store: ReceiptStore) -> None:
    records = [body(number) for number in range(6)]
    line.running[0] = keccak(b"another history")
    for record in records:
        line.take(record)
    for number in (2, 4):
        receipt_store.take([records[number]], [line.sign(number).to_json()])
    line.post(1100, records)
    assert {finding.state for finding in receipt_store.check(line, is_recent=True)} == {KEPT}
    line.batches.clear()
    line.post(1100, [*records[:3], body("another"), *records[4:]])
    assert receipt_store.check(line, is_recent=True)[-1].state == BROKEN


def test_unchecked_receipts_are_checked_later(line: Line, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    forged = sign(DOMAIN, line.take(body(1)).receipt, keccak(b"another"))
    ReceiptStore(path, DOMAIN, None).take([body(1)], [forged.to_json()])
    with pytest.raises(InputError, match="bad_signature"):
        ReceiptStore(path, DOMAIN, BOND).check_signatures()


# --- an operator by the book is never broken -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_no_crash_and_no_reset_breaks_an_honest_receipt(seed: int) -> None:
    """Records are taken, the process dies and signs again, L1 refuses batches for their age and they are made anew.

    L1 takes a batch at most `skew` after its timestamp; no outage lasts longer than the horizon less that.
    """
    choose = random.Random(seed)
    skew = 50
    horizon = 2 * skew
    line = Line()
    signed: list[SignedReceipt] = []
    time, posted = 1000, 0
    sealed: list[tuple[int, int]] = []  # timestamp and end of batches that wait for L1
    opened = time
    for step in range(120):
        event = choose.random()
        if event < 0.5:
            signed.append(line.take(body((seed, step)), opened, horizon))
        elif event < 0.6 and signed:  # killed: the last ones are signed once more, from the log
            start = sealed[-1][1] if sealed else posted
            signed += [line.sign(sequence, opened, horizon) for sequence in range(start, len(line.taken))]
        elif event < 0.75:
            sealed.append((opened, len(line.taken)))
            opened = time
        elif event < 0.9 and sealed:
            stamp, end = sealed.pop(0)
            if stamp + skew < time:  # too old: all that waits is made again, in the same order, in other batches
                cuts = sorted(choose.sample(range(posted, len(line.taken) + 1), min(2, len(line.taken) + 1 - posted)))
                sealed = [(time, cut) for cut in cuts]
                opened = time
            else:
                line.post(stamp, line.taken[posted:end])
                posted = end
        else:
            waiting = sealed[0][0] if sealed else opened
            time += choose.randrange(0, max(1, min(20, waiting + skew + skew // 2 - time)))
    line.post(opened, line.taken[posted:])
    assert [judge(one, line).state for one in signed] == [KEPT] * len(signed)
    assert all(find_conflict(one, two) is None for one, two in combinations(signed, 2))


def test_the_same_walk_with_one_lie_is_broken(line: Line) -> None:
    signed = [line.take(body(number)) for number in range(30)]
    posted = list(line.taken)
    posted[3], posted[4] = posted[4], posted[3]
    line.post(1100, posted)
    assert [number for number, one in enumerate(signed) if judge(one, line).state == BROKEN] == [3, 4]
