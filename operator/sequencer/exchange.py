"""The exchange as the sequencer drives it: the machine, the batch being built, and what it leaves behind. No I/O.

Every change comes from an event of the journal (`journal_events.py`), live or replayed, so a replay ends in the same
state to the last bit: machine, numbers of records and fills, batch hashes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Recorded, Rerun
from setoff.shared import errors
from setoff.shared.codec import receipts, records
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.da.registry import get_module
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.data import CALLDATA
from setoff.shared.machine.machine import Fill, Machine
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_auction_due
from setoff.shared.rules.marks import is_expired, is_fresh
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market, decode_account
from setoff.shared.wire.leg_pages import read_legs
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.withdrawals import WithdrawalProof, prove_withdrawals

FILLS_KEPT: Final = 10_000
"""Fills kept for the API."""


class NumberedFill(NamedTuple):
    """A fill with its gap-free number and its place in the batches."""

    number: int
    batch: int
    input_index: int
    time: int
    fill: Fill


class Link(NamedTuple):
    """A record's hash, and the running hash of all records up to it."""

    record: bytes
    running: bytes


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A record was taken: where it stands, and what it, or the machine after it, traded.

    `sequence`: its number among all posted records, from 0, as in its signed receipt.
    `resting`: lots that an order or amend left in the book, 0 for everything else; `outcome`: its reason number, not
    that of an accepted record only where an order traded before it met its owner's own. A bulk record's pages stand in
    the inputs and have the numbers that follow; `legs`: what then rests in each leg's input of it, for a cancel 0.
    `is_paused`: the machine goes on with the order, or with the last page, in the inputs that follow, so that this is
    what rests so far; of a bulk record the pages behind that one were not taken.
    `time`: the batch's timestamp; `links`: of the record and its pages; `signed`: the receipts for them.
    """

    sequence: int
    batch: int
    input_index: int
    record: bytes
    fills: tuple[NumberedFill, ...]
    resting: int
    outcome: int = errors.ACCEPTED
    leg_pages: int = 0
    legs: tuple[int, ...] = ()
    time: int = 0
    links: tuple[Link, ...] = ()
    is_paused: bool = False
    signed: tuple[SignedReceipt, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A closed batch, the machine hash after it, its fills, and the proofs of the withdrawals it made payable."""

    batch: Batch
    end: bytes
    fills: tuple[NumberedFill, ...]
    proofs: tuple[WithdrawalProof, ...]


class Exchange:
    """The machine between and inside batches.

    `accounts` finds an account by its owner's address; `fills` are the latest ones; `worked`: steps of all records
    that were offered, also of those that were refused.
    """

    def __init__(
        self, machine: Machine, cursor: BatchCursor, epoch_batches: int = 1, module: int = CALLDATA.number
    ) -> None:
        """`machine` is idle between two batches, and `cursor` is what is known of the batches so far.

        `module`: the data availability module of new batches; what the journal opened before keeps its own.
        """
        self.machine = machine
        self.cursor = cursor
        self.fills: deque[NumberedFill] = deque(maxlen=FILLS_KEPT)
        self.accounts: dict[bytes, int] = {}
        self.worked = 0
        self._epoch_batches = epoch_batches
        self._module = module
        self._opened: Opened | None = None
        self._reset(None)
        for account in range(1, machine.regs.accounts + 1):
            self._index(account)

    @property
    def is_open(self) -> bool:
        """Whether a batch is being built."""
        return self._opened is not None

    @property
    def inputs(self) -> int:
        """Inputs of the open batch so far."""
        return 0 if self._opened is None else len(self._opened.messages) + len(self._records)

    @property
    def is_full(self) -> bool:
        """Whether the open batch takes no more inputs."""
        return not self._has_places(1)

    @property
    def opened(self) -> Opened | None:
        """How the open batch began, None between two batches."""
        return self._opened

    @property
    def records(self) -> tuple[bytes, ...]:
        """Records of the open batch so far, 124 bytes each."""
        return tuple(self._records)

    @property
    def batch_fills(self) -> tuple[NumberedFill, ...]:
        """Fills of the open batch so far."""
        return tuple(self._fills)

    @property
    def is_busy(self) -> bool:
        """Whether the machine takes nothing but cranks now: see `Machine.is_busy`."""
        return self.machine.is_busy

    def due_cranks(self, time: int, interval: int = phases.SAMPLE_INTERVAL) -> list[int]:
        """Markets that take a crank at `time`: so many seconds have passed since the last, or they have expired."""
        state = self.machine.state
        return [
            market
            for market in range(1, self.machine.regs.markets + 1)
            if is_crank_due(state.market(market), time, interval, is_winding_down=self.machine.regs.winding_since != 0)
        ]

    def open(self, timestamp: int, messages: tuple[bytes, ...], due: int = 0) -> Opened:
        """Begin the next batch, with the first of `messages`; its timestamp is never less than the last one's.

        The first `due` of them cannot be left out. The others are only taken as long as the batch has room for them:
        a record for which it has no steps would be parked, and every other would have to wait behind it.
        """
        time = max(timestamp, self.machine.regs.time)
        opened = Opened(self.cursor.number, time, (), self._module)
        self._begin(opened)
        count = 0
        for message in messages[:MAX_INPUTS]:
            if count >= due and not self.has_room(1):
                break
            self._take_message(message)
            count += 1
        opened = replace(opened, messages=messages[:count])
        self._opened = opened
        return opened

    def offer(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> SubmitResult:
        """Run a record of 124 bytes, and the pages that it signs, in the open batch.

        Raises InputError if it is refused; nothing has changed. "step_cap": the open batch has no room for it.
        """
        if leg_pages:
            return self._offer_bulk(record, leg_pages)
        outcome, was_taken, made, steps = self.machine.offer(record)
        self.worked += steps
        if not was_taken:
            raise InputError(errors.OUTCOMES[outcome])
        links = (self._count(record),)
        cursor = self.cursor
        fills = self._number(made)
        resting = 0
        if record[0] == records.ORDER:
            order = records.decode_order(record)
            resting = self._get_resting(order.account, order.order_slot)
        elif record[0] == records.AMEND:
            amend = records.decode_amend(record)
            resting = self._get_resting(amend.account, amend.order_slot)
        regs = self.machine.regs
        place = cursor.records - 1, cursor.number, regs.input_index
        is_paused = regs.has_work != 0 and regs.next_phase != phases.WORK
        return SubmitResult(*place, record, fills, resting, outcome, time=regs.time, links=links, is_paused=is_paused)

    def offer_first(
        self, timestamp: int, record: bytes, leg_pages: Sequence[bytes] = ()
    ) -> tuple[Opened, SubmitResult]:
        """Begin a batch with this record as its first input; a refusal leaves no batch behind. Raises InputError."""
        before = self.machine.regs.copy()
        opened = self.open(timestamp, ())
        try:
            return opened, self.offer(record, leg_pages)
        except InputError:
            self.machine.regs = before
            self._reset(None)
            raise

    def take(self, record: bytes) -> None:
        """Run a record of 124 bytes as the next input of the open batch; a refusal is a recorded reject."""
        self.machine.take(record, is_message=False)
        self._count(record)
        self._number(self.machine.fills)

    def has_room(self, inputs: int) -> bool:
        """Whether the open batch takes so many more inputs, however much each of them makes the machine do."""
        steps = self.machine.regs.steps + inputs * phases.INPUT_STEP_BOUND
        # The machine counts the fetch before it looks.
        return self._has_places(inputs) and steps < phases.BATCH_STEP_CAP

    def _has_places(self, inputs: int) -> bool:
        """Whether the open batch has room for so many more inputs, and its module places for as many records."""
        limit = MAX_INPUTS if self._opened is None else get_module(self._opened.module).codec.record_limit
        return self.inputs + inputs <= MAX_INPUTS and len(self._records) + inputs <= limit

    def close(self) -> tuple[Closed, SealedBatch]:
        """End the open batch."""
        opened = self._opened
        if opened is None:
            raise DataError("data_mismatch", "a batch is closed that was never opened")
        cursor = self.cursor
        batch = Batch.seal(
            cursor.parent,
            cursor.number,
            opened.timestamp,
            cursor.messages,
            cursor.records - len(self._records),
            cursor.queue_hash,
            opened.messages,
            self._records,
            get_module(opened.module).codec,
        )
        end = self.machine.hash()
        cursor.advance(batch.header)
        proofs: tuple[WithdrawalProof, ...] = ()
        if cursor.number % self._epoch_batches == 0:
            epoch = cursor.number // self._epoch_batches - 1
            proofs = prove_withdrawals(self.machine, epoch, cursor.proven)
            cursor.proven = self.machine.regs.withdrawals
        fills = tuple(self._fills)
        self._reset(None)
        return Closed(end), SealedBatch(batch, end, fills, proofs)

    def apply(self, event: JournalEvent, *, is_believed: bool = True) -> SealedBatch | None:
        """Take an event of the journal again; returns the batch that it closes. `is_believed`: whether what was said of
        it then is true; not if a fast path was wrong.

        Raises DataError("data_mismatch") if the journal does not follow from itself.
        """
        if isinstance(event, Opened):
            if self.is_open or event.number != self.cursor.number:
                raise DataError(
                    "data_mismatch", f"the journal opens batch {event.number} after {self.cursor.number - 1}"
                )
            self._apply_opened(event)
            return None
        if isinstance(event, Recorded) and is_believed:
            try:
                self.offer(event.record)
            except InputError as error:
                raise DataError("data_mismatch", f"a logged record is refused: {error.reason}") from None
            return None
        if isinstance(event, Rerun | Recorded):
            self.take(event.record)
            return None
        closed, sealed = self.close()
        if closed != event and is_believed:
            raise DataError("data_mismatch", f"batch {sealed.batch.header.number} ends elsewhere than the journal says")
        return sealed

    def _offer_bulk(self, record: bytes, leg_pages: Sequence[bytes]) -> SubmitResult:
        """A bulk record and its pages, inputs that follow each other; the pages are known to be its own.

        Where the machine pauses in a page, it has to go on before another record comes: the bulk ends there.
        """
        regs = self.machine.regs
        if not self.has_room(1 + len(leg_pages)):
            raise InputError("step_cap", "the open batch has no room for all its pages")
        before, account = regs.sequence, records.get_head(record)[1]
        result = self.offer(record)
        fills: list[NumberedFill] = []
        links = list(result.links)
        count, is_paused = 0, False
        for leg_page in leg_pages:
            if is_paused:
                break
            try:
                taken = self.offer(leg_page)
                fills += taken.fills
                links += taken.links
                count += 1
                is_paused = taken.is_paused
            except InputError as error:
                raise DataError("data_mismatch", f"a page of an accepted bulk record is refused: {error}") from None
        legs = tuple(
            0 if leg.flags & records.CANCEL_LEG else self._get_resting(account, leg.order_slot, before)
            for leg in read_legs(leg_pages[:count])
        )
        return replace(result, fills=tuple(fills), leg_pages=count, legs=legs, links=tuple(links), is_paused=is_paused)

    def _get_resting(self, account: int, order_slot: int, after: int = 0) -> int:
        """Lots of the order in an account's order slot, 0 if there is none that entered after order number `after`."""
        order = self.machine.state.order(keys.order_handle(account, order_slot))
        return order.size if order.sequence > after else 0

    def _count(self, record: bytes) -> Link:
        """Give a record that now stands in the batch the next number."""
        cursor, hashed = self.cursor, keccak(record)
        self._records.append(record)
        cursor.records += 1
        cursor.running = receipts.extend(cursor.running, hashed)
        return Link(hashed, cursor.running)

    def _reset(self, opened: Opened | None) -> None:
        self._opened = opened
        self._records: list[bytes] = []
        self._fills: list[NumberedFill] = []

    def _apply_opened(self, opened: Opened) -> None:
        self._begin(opened)
        for message in opened.messages:
            self._take_message(message)

    def _begin(self, opened: Opened) -> None:
        self._reset(opened)
        self.machine.begin(opened.number, opened.timestamp)

    def _take_message(self, message: bytes) -> None:
        body, queued_at = records.split_message(message)
        outcome = self.machine.take(body, True, queued_at)
        if body[0] == records.DEPOSIT and outcome == errors.ACCEPTED:
            account = records.decode_deposit(body).account
            self.accounts.setdefault(self.machine.state.account(account).owner, account)
        self._number(self.machine.fills)

    def _number(self, fills: Sequence[Fill]) -> tuple[NumberedFill, ...]:
        regs, cursor = self.machine.regs, self.cursor
        taken: list[NumberedFill] = []
        for fill in fills:
            cursor.fills += 1
            taken.append(NumberedFill(cursor.fills, cursor.number, regs.input_index, regs.time, fill))
        self.fills.extend(taken)
        self._fills += taken
        return tuple(taken)

    def _index(self, account: int) -> None:
        leaf = decode_account(self.machine.state.tree.get(keys.account_key(account)))
        self.accounts.setdefault(leaf.owner, account)


def join_leg_pages(parts: Sequence[bytes]) -> list[list[bytes]]:
    """Records one by one, but a bulk record together with the pages behind it."""
    groups: list[list[bytes]] = []
    for part in parts:
        if part[0] == records.LEG_PAGE and groups and groups[-1][0][0] == records.BULK:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def is_crank_due(market: Market, time: int, interval: int, *, is_winding_down: bool = False) -> bool:
    """Whether a market takes a crank at `time`, `interval` seconds (at least) after the last; at its end, and
    where an auction is to be held, at once.

    A market whose oracle is dead is not cranked by the operator of itself: after a long stop its reports come first.
    """
    if is_auction_due(market, time, int(is_winding_down)):
        return True
    if market.settled or market.index == 0 or market.sampled + phases.SAMPLE_INTERVAL > time:
        return False
    return is_winding_down or is_expired(market, time) or (market.sampled + interval <= time and is_fresh(market, time))
