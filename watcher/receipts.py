"""The receipts that users hand to a watcher, what became of them, and the charges that follow.

    {prefix}:receipts   sorted set of receipts with their signatures, 144 bytes each, that wait to be posted
    {prefix}:kept       the same of receipts that were kept, the last ones: another may still contradict them
    {prefix}:charges    hash: "{kind}:{sequence}" -> JSON of what L1 is to be shown, and how far that is

All scores are 0, so the sets are in the order of their bytes, which begin with the sequence number. Only the operator
could fill this up: what it has not signed is never kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final, cast

from setoff.shared.client.evidence import BROKEN, KEPT, Charge, find_conflict, judge
from setoff.shared.client.receipts import SignedReceipt
from setoff.shared.errors import StateError
from setoff.shared.machine.batch import Batch, Header
from setoff.watcher.archive import Archive
from setoff.watcher.store import Store

MAX_WAITING: Final = 1_000_000
"""Receipts that may wait, some 250 MB; more are refused until some are posted."""
MAX_KEPT: Final = 100_000
JUDGED_A_ROUND: Final = 256
OPEN: Final = "open"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Case:
    """A charge in the store; `state`: OPEN, "won", or the reason with which L1 refused it for good."""

    kind: str
    sequence: int
    calldata: str
    text: str
    state: str = OPEN

    @property
    def name(self) -> str:
        """Its field in the store."""
        return f"{self.kind}:{self.sequence}"

    @property
    def charge(self) -> Charge:
        """What L1 is to be shown."""
        return Charge(self.kind, self.sequence, bytes.fromhex(self.calldata), self.text)


class ReceiptStore:
    """The receipts of one watcher: its server takes them and judges them, its challenger prosecutes."""

    def __init__(self, store: Store) -> None:
        self._redis = store.redis
        self._waiting = store.key("receipts")
        self._kept = store.key("kept")
        self._charges = store.key("charges")
        self._reviewed = b""  # hash of the last batch in view at the last review that came to its end

    def count(self) -> tuple[int, int]:
        """How many wait, and how many that were kept are still there."""
        return self._redis.zcard(self._waiting), self._redis.zcard(self._kept)

    def put(self, handed: Iterable[SignedReceipt]) -> int:
        """Keep receipts whose signatures were checked; returns how many are new.

        What contradicts one that is here becomes a charge at once. Raises StateError("overloaded").
        """
        fresh = [signed for signed in handed if not self._has(signed)]
        if fresh and self._redis.zcard(self._waiting) + len(fresh) > MAX_WAITING:
            raise StateError("overloaded", f"{MAX_WAITING} receipts wait already")
        for signed in fresh:
            for other in self._neighbours(signed.sequence):
                if (charge := find_conflict(other, signed)) is not None:
                    self.accuse(charge)
            self._redis.zadd(self._waiting, {signed.encode(): 0})
        return len(fresh)

    def review(self, posted: StoredBatches, last_block: int) -> int:
        """Judge receipts whose place is posted in block `last_block` or before, or whose deadline has passed there.

        Returns how many it was; call it again until there are none. Raises as `StoredBatches`.
        """
        count = posted.count()
        while count and posted.block(count - 1) > last_block:
            count -= 1
        if count == 0:
            return 0
        posted.limit(count)
        header = posted.header(count - 1)
        end = (header.first_record + header.record_count).to_bytes(8, "big")
        due = list(self._range(self._waiting, b"-", b"(" + end, JUDGED_A_ROUND))
        if not due and header.hash() != self._reviewed:
            missing = self._range(self._waiting, b"[" + end, b"+")
            due = [signed for signed in missing if signed.receipt.deadline < header.timestamp]
            self._reviewed = header.hash()
        for signed in due:
            verdict = judge(signed, posted)
            if verdict.charge is not None:
                self.accuse(verdict.charge)
            if verdict.state in (KEPT, BROKEN):
                self._settle(signed)
        return len(due)

    def accuse(self, charge: Charge) -> None:
        """Keep a charge, unless it is there."""
        case = Case(charge.kind, charge.sequence, charge.calldata.hex(), charge.text)
        if self._redis.hsetnx(self._charges, case.name, json.dumps(asdict(case))):
            log.error("receipt %d is broken (%s): %s", case.sequence, case.kind, case.text)

    def cases(self) -> list[Case]:
        """All charges."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(self._charges))
        return sorted((Case(**json.loads(text)) for text in found.values()), key=lambda case: case.sequence)

    def close(self, case: Case, state: str) -> None:
        """Say what became of a charge."""
        fields = asdict(case) | {"state": state}
        self._redis.hset(self._charges, case.name, json.dumps(fields))

    def _settle(self, signed: SignedReceipt) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._waiting, signed.encode())
            pipe.zadd(self._kept, {signed.encode(): 0})
            pipe.zremrangebyrank(self._kept, 0, -MAX_KEPT - 1)
            pipe.execute()

    def _has(self, signed: SignedReceipt) -> bool:
        member = signed.encode()
        return any(self._redis.zscore(key, cast(str, member)) is not None for key in (self._waiting, self._kept))

    def _neighbours(self, sequence: int) -> Iterator[SignedReceipt]:
        """Receipts for this number, the one before and the one after."""
        first = b"[" + max(sequence - 1, 0).to_bytes(8, "big")
        last = b"+" if sequence + 2 >= 2**64 else b"(" + (sequence + 2).to_bytes(8, "big")
        for key in (self._waiting, self._kept):
            yield from self._range(key, first, last)

    def _range(self, key: str, first: bytes, last: bytes, count: int | None = None) -> Iterator[SignedReceipt]:
        """Members between two bounds, as Redis writes them, in order."""
        start = None if count is None else 0
        found = self._redis.zrangebylex(key, cast(str, first), cast(str, last), start, count)
        return map(SignedReceipt.decode, cast("list[bytes]", found))


class StoredBatches:
    """What the follower has read, as `Posted`; batches come through the archive, checked against L1."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._store = archive.store
        self._count = self._store.batch_count()

    def limit(self, count: int) -> None:
        """Look at the first so many only."""
        self._count = count

    def count(self) -> int:
        """See `Posted`: as of the beginning, so that one look sees one chain."""
        return self._count

    def header(self, number: int) -> Header:
        """See `Posted`. Raises StateError("not_ready") if the batch has gone meanwhile."""
        place = self._store.batch_place(number)
        if place is None:
            raise StateError("not_ready", f"batch {number} is not read yet")
        header = self._store.header(place.hash)
        return header if header is not None else self._archive.batch(number).header

    def batch(self, number: int) -> Batch:
        """See `Posted`."""
        return self._archive.batch(number)

    def block(self, number: int) -> int:
        """In which block a batch was posted. Raises StateError("not_ready")."""
        place = self._store.batch_place(number)
        if place is None:
            raise StateError("not_ready", f"batch {number} is not read yet")
        return place.block
