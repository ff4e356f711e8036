"""What the operator had promised and L1 does not hold: what its history still knows of it, and what traders give back.

A trader's client keeps each receipt with its record (`shared/sdk/receipt_store.py`). Records that are given back can be
posted under the numbers that were promised, as long as each running hash follows from the one before.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from setoff.operator.history.store import open_engine
from setoff.operator.history.tables import RECORDS
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import extend
from setoff.shared.errors import DataError, InputError
from setoff.shared.wire.receipts import SignedReceipt

GUESSES: Final = 1 << 16
"""Ways to fill a gap between two receipts with the sequencer's own cranks that are tried."""


class LostRecord(NamedTuple):
    """One that was acknowledged, as the history knows it. `time`: of its batch, unix seconds; `hash`: 32 bytes; `body`:
    all of it."""

    sequence: int
    kind: int
    account: int
    nonce: int
    time: int
    hash: bytes
    body: bytes


class GivenRecord(NamedTuple):
    """A record of 124 bytes that a receipt of the operator's stands for."""

    record: bytes
    signed: SignedReceipt


def read_known(history_url: str, first: int) -> list[LostRecord] | None:
    """Records from number `first` on that the history has; None if there is none. It follows the log by a moment,
    so of the last instants it may have none."""
    if not history_url:
        return None
    engine = open_engine(history_url)
    wanted = (
        RECORDS.c.sequence,
        RECORDS.c.type,
        RECORDS.c.account,
        RECORDS.c.nonce,
        RECORDS.c.time,
        RECORDS.c.hash,
        RECORDS.c.body,
    )
    query = select(*wanted).where(RECORDS.c.sequence >= first).order_by(RECORDS.c.sequence)
    try:
        with engine.connect() as database:
            rows = database.execute(query).all()
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
    return [
        LostRecord(number, kind, account, int(nonce), time, bytes.fromhex(hashed.removeprefix("0x")), body)
        for number, kind, account, nonce, time, hashed, body in rows
    ]


def read_given(files: Iterable[Path], domain: bytes, operator: bytes) -> dict[int, GivenRecord]:
    """What receipt files of traders hold, by number; `operator`: the 20-byte address that has signed them.

    Raises DataError("data_mismatch") for a file that is none, InputError("bad_signature") for a receipt of others.
    """
    found: dict[int, GivenRecord] = {}
    for path in files:
        try:
            lines = path.read_text().splitlines()
        except (OSError, ValueError) as error:
            raise DataError("data_mismatch", f"{path} cannot be read: {error}") from None
        for number, line in enumerate(lines, 1):
            try:
                shown = json.loads(line)
                signed, body = SignedReceipt.from_json(shown), bytes.fromhex(shown["body"].removeprefix("0x"))
            except (ValueError, KeyError, AttributeError, InputError):
                what = f"line {number} of {path} is no receipt with its record"
                raise DataError("data_mismatch", what) from None
            signed.check(domain, operator)
            if keccak(body) != signed.receipt.record or len(body) != records.RECORD_BYTES:
                raise DataError("data_mismatch", f"line {number} of {path}: the receipt is for another record")
            found[signed.sequence] = GivenRecord(body, signed)
    return found


class Returned(NamedTuple):
    """A record that is taken back, or a crank of the sequencer's between two: when its receipt falls due."""

    record: bytes
    deadline: int


def chain(given: Mapping[int, GivenRecord], first: int, running: bytes, markets: int) -> list[Returned]:
    """The records that follow on the running hash before number `first`, without a gap.

    Between two of them the sequencer may have put cranks of its own, for which nobody has a receipt; they are found by
    trying, up to some. `markets`: how many there are.
    """
    made: list[Returned] = []
    for sequence in sorted(number for number in given if number >= first):
        wanted = given[sequence]
        between = _find_cranks(sequence - first - len(made), running, wanted, markets)
        if between is None:
            break
        made += [Returned(record, wanted.signed.receipt.deadline) for record in (*between, wanted.record)]
        running = wanted.signed.receipt.running
    return made


def follow(known: Sequence[LostRecord], given: Mapping[int, GivenRecord], first: int) -> list[LostRecord]:
    """Of what the history knows, what follows from number `first` on without a gap, and contradicts no receipt."""
    found: list[LostRecord] = []
    for each in known:
        number = first + len(found)
        promised = given[number].record if number in given else each.body
        if each.sequence != number or each.body != promised or keccak(each.body) != each.hash:
            break
        found.append(each)
    return found


def _find_cranks(count: int, running: bytes, wanted: GivenRecord, markets: int) -> Sequence[bytes] | None:
    """So many cranks that lead from a running hash to that of a receipt; None if none do, or too many are to be
    tried."""
    if (markets + 1) ** count > GUESSES:
        return None
    cranks = [records.encode_crank(market) for market in range(markets + 1)]
    hashes = [keccak(crank) for crank in cranks]
    for choice in itertools.product(range(markets + 1), repeat=count):
        after = running
        for market in choice:
            after = extend(after, hashes[market])
        if extend(after, wanted.signed.receipt.record) == wanted.signed.receipt.running:
            return [cranks[market] for market in choice]
    return None
