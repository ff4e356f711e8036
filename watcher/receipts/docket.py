"""The receipts that users hand to a watcher, what became of them, and the charges that follow.

    {prefix}:receipts   sorted set of receipts with their signatures, 144 bytes each, that wait to be posted
    {prefix}:kept       the same of receipts that were kept, the last ones: another may still contradict them
    {prefix}:charges    hash: name -> JSON of what L1 is to be shown, and how far that is (`Case`)
    {prefix}:judged     number and hash of the last batch in view when receipts were judged

All scores are 0, so the sets are in the order of their bytes, which begin with the sequence number. Only the operator
could fill this up: what it has not signed is never kept.

A verdict is one about batches. When a reorg replaces those, the receipts that they decided wait again, and the charges
that rest on them are gone; what was shown to L1 in a block that is gone is shown again.

Whether a receipt's place holds its record takes the data of a batch; whether it was posted in time only headers. So
data that is withheld keeps from judgement what is in that batch alone, and no omission.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final, cast

from redis.exceptions import WatchError

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import DataError, SetoffError, StateError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.evidence import BROKEN, KEPT, Charge, find_batch, find_conflict, judge
from setoff.shared.machine.batch import Header
from setoff.shared.wire.receipts import SignedReceipt
from setoff.watcher.receipts.stored_batches import StoredBatches
from setoff.watcher.store import Store

MAX_WAITING: Final = 1_000_000
"""Receipts that may wait, some 250 MB; more are refused until some are posted."""
MAX_KEPT: Final = 100_000
JUDGED_A_ROUND: Final = 256
RETRY: Final = 60.0
"""Seconds after which data that nobody had is asked for again: each time may cost a while with every peer."""
OPEN: Final = "open"
_UNSIGNED: Final = 80
"""Bytes of a receipt without its signature."""

_WITHHELD: Final = "data_withheld"
_NOT_NOW: Final = frozenset({_WITHHELD, "not_ready"})
"""Reasons for which a batch that is on L1 cannot be had yet."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Case:
    """A charge in the store; `state`: OPEN, "won", or the reason with which L1 refused it for good."""

    kind: str
    sequence: int
    calldata: str
    text: str
    state: str = OPEN
    receipt: str = ""
    """The receipt that posted batches break, as hex of its 144 bytes; empty for two that conflict by themselves."""
    block: int = 0
    """In which block `state` was found, with the hash `block_hash`: it holds as long as that block does."""
    block_hash: str = ""

    @property
    def name(self) -> str:
        """Its field in the store: one a broken receipt, since each may take a bond, and one a pair of numbers."""
        tag = ":" + keccak(bytes.fromhex(self.receipt)[:_UNSIGNED])[:8].hex() if self.receipt else ""
        return f"{self.kind}:{self.sequence}{tag}"

    @property
    def charge(self) -> Charge:
        """What L1 is to be shown."""
        return Charge(self.kind, self.sequence, bytes.fromhex(self.calldata), self.text)


class ReceiptDocket:
    """The receipts of one watcher: its server takes them and judges them, its challenger prosecutes."""

    def __init__(self, store: Store) -> None:
        self._redis = store.redis
        self._waiting = store.key("receipts")
        self._kept = store.key("kept")
        self._charges = store.key("charges")
        self._judged = store.key("judged")
        self._reviewed = b""  # hash of the last batch in view when omissions were looked for
        self._asked_at: dict[bytes, float] = {}  # hash of a batch whose data nobody had to when, monotonic

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

        Returns how many it was; call it again until they are fewer than `JUDGED_A_ROUND`. Those that wait for data
        which nobody has now are passed over, and tried again `RETRY` seconds later. Raises as `StoredBatches`.
        """
        self._take_back(posted)
        count = posted.count()
        while count and posted.block(count - 1) > last_block:
            count -= 1
        if count == 0:
            return 0
        posted = posted.before(count)
        header = posted.header(count - 1)
        end = header.first_record + header.record_count
        late = self._find_late(end, None, header) if header.hash() != self._reviewed else []
        if late or any(self._waiting_between(0, end, 1)):
            if posted.hash_on_l1(header.number) != header.hash():
                raise StateError("not_ready", f"L1 now has another batch {header.number}")
            self._remember(header)  # before the verdicts: after a crash in between they are found all the same
        for signed in late:
            self._judge(signed, posted)
        self._reviewed = header.hash()
        return len(late) + self._judge_posted(end, posted)

    def _judge_posted(self, end: int, posted: StoredBatches) -> int:
        """Judge receipts for numbers below `end`, all of them posted, batch by batch; returns how many it was."""
        judged, first = 0, 0
        while judged < JUDGED_A_ROUND and (signed := next(self._waiting_between(first, end, 1), None)) is not None:
            place = find_batch(signed.sequence, posted)
            if place is None:
                raise DataError("data_mismatch", f"no batch has record {signed.sequence}, later ones are posted")
            header, start = posted.header(place), signed.sequence
            first = header.first_record + header.record_count
            asked_at = self._asked_at.get(header.hash())
            if asked_at is not None and time.monotonic() < asked_at + RETRY:
                continue
            try:
                for signed in self._waiting_between(start, first, JUDGED_A_ROUND - judged):
                    self._judge(signed, posted)
                    judged += 1
                self._asked_at.pop(header.hash(), None)
            except SetoffError as error:
                if error.reason not in _NOT_NOW:
                    raise
                log.warning("receipts from %d to %d cannot be judged now: %s", start, first - 1, error)
                if error.reason == _WITHHELD:
                    self._asked_at[header.hash()] = time.monotonic()
                judged += self._judge_late(start, first, posted.before(place))
        return judged

    def _judge_late(self, first: int, end: int, before: StoredBatches) -> int:
        """Judge those of a batch that came too late, by the headers of the batches `before` it; returns how many."""
        late = self._find_late(first, end, before.header(before.count() - 1)) if before.count() else []
        for signed in late:
            self._judge(signed, before)
        return len(late)

    def _find_late(self, first: int, end: int | None, header: Header) -> list[SignedReceipt]:
        """Receipts for numbers from `first` to before `end` (None: all), which no batch up to this one has, though it
        comes after their deadlines."""
        missing = self._waiting_between(first, end)
        return [signed for signed in missing if signed.receipt.deadline < header.timestamp]

    def _judge(self, signed: SignedReceipt, posted: StoredBatches) -> None:
        verdict = judge(signed, posted)
        if verdict.charge is not None:
            self.accuse(verdict.charge, signed)
        if verdict.state in (KEPT, BROKEN):
            self._settle(signed)

    def accuse(self, charge: Charge, broken: SignedReceipt | None = None) -> None:
        """Keep a charge; `broken`: the receipt that posted batches break, None if two receipts conflict.

        One that is there stays, unless it is about other batches, or was refused and this one may not be.
        """
        receipt = "" if broken is None else broken.encode().hex()
        case = Case(charge.kind, charge.sequence, charge.calldata.hex(), charge.text, receipt=receipt)
        there = self._case(case.name)
        if there is not None and (there.calldata == case.calldata or (not receipt and there.state == OPEN)):
            return
        if self._swap(there, case):
            log.error("receipt %d is broken (%s): %s", case.sequence, case.kind, case.text)

    def cases(self) -> list[Case]:
        """All charges."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(self._charges))
        return sorted((Case(**json.loads(text)) for text in found.values()), key=lambda case: case.sequence)

    def close(self, case: Case, state: str, block: int, block_hash: bytes) -> None:
        """Say what became of a charge, as found in that block; nothing if it was replaced or taken back meanwhile."""
        self._swap(case, replace(case, state=state, block=block, block_hash=block_hash.hex()))

    def reopen(self, find_block: Callable[[int], Block | None]) -> int:
        """Open the charges again whose end is in a block that is gone; returns how many. `find_block`: L1's, by number.

        The blocks before one that stands do so, too: as a rule this asks for one.
        """
        closed = [case for case in self.cases() if case.state != OPEN and case.block_hash]
        count = 0
        for case in sorted(closed, key=lambda case: case.block, reverse=True):
            block = find_block(case.block)
            if block is not None and block.hash.hex() == case.block_hash:
                break
            log.warning("reorg: charge %s (%s) is open again", case.name, case.state)
            count += self._swap(case, replace(case, state=OPEN, block=0, block_hash=""))
        return count

    def _take_back(self, posted: StoredBatches) -> None:
        """Let receipts wait again that were judged by batches which are on L1 no more, and forget those charges."""
        value = cast("bytes | None", self._redis.get(self._judged))
        if value is None:
            return
        number, judged = int.from_bytes(value[:8], "big"), value[8:]
        first: int | None = None
        while posted.hash_on_l1(number) != judged:
            header = posted.kept_header(judged)
            first = 0 if header is None else header.first_record
            if header is None or number == 0:
                number = -1
                break
            number, judged = number - 1, header.parent
        if first is None:
            return
        again = list(self._range(self._kept, b"[" + first.to_bytes(8, "big"), b"+"))
        gone = [case for case in self.cases() if case.receipt and case.sequence >= first]
        members = {signed.encode() for signed in again} | {bytes.fromhex(case.receipt) for case in gone}
        with self._redis.pipeline(transaction=True) as pipe:
            for member in members:
                pipe.zrem(self._kept, member)
                pipe.zadd(self._waiting, {member: 0})
            for case in gone:
                pipe.hdel(self._charges, case.name)
            if number < 0:
                pipe.delete(self._judged)
            else:
                pipe.set(self._judged, number.to_bytes(8, "big") + judged)
            pipe.execute()
        self._reviewed = b""
        log.warning("reorg: %d receipts from record %d on are judged again", len(members), first)

    def _remember(self, header: Header) -> None:
        """Say by which batches receipts are judged; never back to fewer, since some were judged by those."""
        value = cast("bytes | None", self._redis.get(self._judged))
        if value is None or int.from_bytes(value[:8], "big") < header.number:
            self._redis.set(self._judged, header.number.to_bytes(8, "big") + header.hash())

    def _case(self, name: str) -> Case | None:
        text = cast("bytes | None", self._redis.hget(self._charges, name))
        return None if text is None else Case(**json.loads(text))

    def _swap(self, old: Case | None, new: Case) -> bool:
        """Put `new` in the place of `old` (None: of nothing), unless another process was faster."""
        with self._redis.pipeline(transaction=True) as pipe:
            try:
                pipe.watch(self._charges)  # type: ignore[no-untyped-call]
                if self._case(new.name) != old:
                    return False
                pipe.multi()
                pipe.hset(self._charges, new.name, json.dumps(asdict(new)))
                pipe.execute()
            except WatchError:
                return False
            return True

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

    def _waiting_between(self, first: int, end: int | None, count: int | None = None) -> Iterator[SignedReceipt]:
        """Receipts that wait for numbers from `first` to before `end` (None: all), `count` at most, in order."""
        last = b"+" if end is None else b"(" + end.to_bytes(8, "big")
        return self._range(self._waiting, b"[" + first.to_bytes(8, "big"), last, count)

    def _range(self, key: str, first: bytes, last: bytes, count: int | None = None) -> Iterator[SignedReceipt]:
        """Members between two bounds, as Redis writes them, in order."""
        start = None if count is None else 0
        found = self._redis.zrangebylex(key, cast(str, first), cast(str, last), start, count)
        return map(SignedReceipt.decode, cast("list[bytes]", found))
