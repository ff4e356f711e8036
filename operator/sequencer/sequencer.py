"""The sequencer: owns the machine, decides the order, and answers for nothing that is not on disk.

Records wait in a queue. A turn runs a small group of them through the machine, writes what was accepted as one commit,
and only then answers the whole group: the more wait, the larger the groups, the fewer the syncs. Batches open with the
L1 messages known then and close when they are full or old enough.

Cranks are the sequencer's own records: while the machine has work left they let it go on (what waits is taken after
it), and each market gets one when it is due, at the latest a while after the last even if nothing else happens.

When L1 will not take a closed batch any more, holds another one in its place, or after a reorg has other messages than
were consumed, what is not on L1 is run again on top of what is there (`reset.py`), under one commit of the journal;
until then no record is taken.

When the store fails, nobody knows whether the last commit was written. So everyone waiting is told "not_ready", the
machine in memory is thrown away, and the journal is read again, exactly as after `kill -9`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from redis.exceptions import RedisError

from setoff.operator.api import views
from setoff.operator.api.feed import Feed
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange, NumberedFill, Receipt, SealedBatch
from setoff.operator.sequencer.journal import Journal, Snapshot
from setoff.operator.sequencer.journal_events import Event, Recorded, Reset
from setoff.operator.sequencer.messages import L1View, MessageSource
from setoff.operator.sequencer.outbox import Outbox, Stuck
from setoff.operator.sequencer.posted_batches import Posted, Standing, compare
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.operator.sequencer.recovery import Recovery
from setoff.operator.sequencer.reset import Remade, Unposted, adopt, run_again, skip_posted
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import records
from setoff.shared.errors import ChainError, DataError, InputError, SetoffError, StateError
from setoff.shared.l1.da.registry import find_module
from setoff.shared.machine.machine import Machine

log = logging.getLogger(__name__)

#: Records of one turn: bounds the time for which the machine keeps the event loop.
GROUP: Final = 64
#: Seconds without a store before the process gives up and leaves it to its supervisor.
STORE_PATIENCE: Final = 30.0
#: Looks in a row that show another batch in place of ours, or other messages than were consumed, or that L1 refuses
#: a batch for good, before it is believed.
DIVERGENCES: Final = 3
#: Looks in a row with other messages than were consumed, also by what L1 has, before it gives up.
CONTRADICTIONS: Final = 5
#: A batch is made anew when less than this part of the time is left in which L1 takes it.
SKEW_LEFT: Final = 8
#: A batch that is made anew keeps its timestamp if no more than this part of that time has passed.
SKEW_KEPT: Final = 2
#: Tries in a row of a reset that finds L1 at odds with itself, or with the store, before it gives up.
RESET_TRIES: Final = 5
#: Seconds between two resets: L1 has to see what the first one made.
RESET_PAUSE: Final = 10.0
NEVER: Final = 2**62
_STORE_ERRORS: Final = (RedisError, OSError, TimeoutError)


class Status(Enum):
    """What the sequencer is doing."""

    STARTING = "starting"
    READY = "ready"
    RECOVERING = "recovering"
    STOPPED = "stopped"
    FAILED = "failed"


class _OddError(SetoffError):
    """What was read from L1 does not fit together: it changed in between, or it lies, or the store is not its own."""


class _Waiting:
    """A record (with its pages) on its way, and who wants to hear of it."""

    __slots__ = ("answer", "leg_pages", "record")

    def __init__(self, record: bytes, leg_pages: Sequence[bytes]) -> None:
        self.record = record
        self.leg_pages = leg_pages
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

    def accept(self, receipt: Receipt) -> None:
        if not self.answer.done():
            self.answer.set_result(receipt)

    def refuse(self, error: SetoffError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Sequencer:
    """The one writer of a deployment's journal.

    `feed` tells what happens; `exchange` is for reading, between two awaits; `failed` is set when the sequencer has
    given up for good, with the reason in `failure`.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        domain: bytes,
        store: Journal,
        outbox: Outbox,
        source: MessageSource,
        posted: Posted,
        epoch_batches: int = 1,
        signer: ReceiptSigner | None = None,
    ) -> None:
        """`signer` signs the receipts; None: there are none."""
        self.feed = Feed()
        self.status = Status.STARTING
        self.failure: Exception | None = None
        self.failed = asyncio.Event()
        self.exchange = Exchange(Machine.genesis(domain), BatchCursor(), epoch_batches)
        self._settings = settings
        self._journal = store
        self._outbox = outbox
        self._source = source
        self._posted = posted
        self.signer = signer
        self._module = find_module(settings.data).number
        self._recovery = Recovery(store, outbox, domain, epoch_batches, self._module)
        self._waiting: deque[_Waiting] = deque()
        self._in_turn: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._view: L1View | None = None
        self._view_first = 0  # queue index of the view's first message
        self._seen_at = 0.0  # when L1 last answered, monotonic
        self._opened_at = time.monotonic()
        self._closed_at = time.monotonic()
        self._looking = asyncio.Lock()  # one look at a time
        self._unposted = 0
        self._on_l1 = 0  # how many of our batches L1 holds
        self._oldest: int | None = None  # timestamp of the first batch that L1 does not hold
        self._divergences = 0
        self._contradictions = 0
        self._stuck: Stuck | None = None  # what keeps the next batch from L1,
        self._stuck_at = 0.0  # since when, monotonic,
        self._stuck_looks = 0  # and how often that was seen
        self._reset_reason = ""
        self._reset_at = -RESET_PAUSE
        self._reset_tries = 0
        self._candidate: Snapshot | None = None  # written once L1 holds the batches before it
        self._must_close = False
        self._may_crank = False  # a market may be due since time or a price has changed
        self._tasks: list[asyncio.Task[None]] = []

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the journal, take a first look at L1, and begin. Raises SetoffError or RedisError if that cannot be."""
        await self._recover()
        await self._look_at_l1(is_first=True)
        while self._reset_reason and not await self._reset():
            await asyncio.sleep(self._settings.l1_poll)
            await self._look_at_l1(is_first=True)
        self.status = Status.READY
        self._tasks = [asyncio.create_task(self._guard()), asyncio.create_task(self._follow_l1())]

    async def stop(self) -> None:
        """Finish the turn under way, refuse what waits, and end; the open batch goes on after a restart."""
        if self.status is not Status.FAILED:
            self.status = Status.STOPPED
        self._wake.set()
        if self._tasks:
            self._tasks[1].cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._refuse_all("the operator is stopping")
        self.feed.close()

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> Receipt:
        """Have a record of 124 bytes taken, with all the pages that it signs; returns once it is durable.

        Raises InputError with the machine's reason (nothing has changed), StateError("overloaded"), or
        StateError("not_ready"), after which the record may have been taken or not.
        """
        if (obstacle := self.obstacle()) is not None:
            raise obstacle
        entry = _Waiting(record, leg_pages)
        self._waiting.append(entry)
        self._wake.set()
        return await entry.answer

    def obstacle(self) -> StateError | None:
        """Why no record can be taken now, if so."""
        if self.status is not Status.READY:
            return StateError("not_ready", f"the sequencer is {self.status.value}")
        now = time.monotonic()
        if now - self._seen_at > self._settings.l1_patience:
            return StateError("not_ready", "L1 does not answer")
        if self._reset_reason:
            return StateError("not_ready", f"the batches that L1 does not have are made anew: {self._reset_reason}")
        stuck = self._stuck
        if stuck is not None and (stuck.is_final or now - self._stuck_at > self._settings.l1_patience):
            return StateError("not_ready", f"batch {stuck.number} does not reach L1: {stuck.reason}: {stuck.detail}")
        if len(self._waiting) >= self._settings.max_waiting:
            return StateError("overloaded", f"{len(self._waiting)} records are waiting")
        if self._unposted > self._settings.max_unposted:
            return StateError("overloaded", f"{self._unposted} batches are waiting for L1")
        if (
            self._unposted > 0
            and self._oldest is not None
            and self.l1_time - self._oldest > self._settings.max_unposted_age
        ):
            return StateError("overloaded", f"a batch has been waiting for L1 for {self.l1_time - self._oldest} s")
        return None

    @property
    def l1_time(self) -> int:
        """Timestamp of L1 at the last look, unix seconds; 0 before the first."""
        return self._view.time if self._view else 0

    @property
    def unposted(self) -> int:
        """Closed batches that are not on L1 yet."""
        return self._unposted

    @property
    def waiting(self) -> int:
        """Records in the queue."""
        return len(self._waiting)

    @property
    def commit(self) -> int:
        """Number of the last commit of the journal."""
        return self._journal.commit

    # --- turns -----------------------------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """Take turns; go back to the journal when the store fails, give up on anything else."""
        while self.status is Status.READY:
            try:
                await self._run()
            except _STORE_ERRORS as error:
                log.error("the store failed: %s", error)
                if not await self._try_recover():
                    return
            except Exception as error:
                self._give_up(error)
                return

    async def _run(self) -> None:
        while self.status is Status.READY:
            delay = self._get_delay()
            if self._reset_reason:
                await self._reset()
            elif delay > 0:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), delay)
                except TimeoutError:
                    continue
            else:
                await self._take_turn()

    def _get_delay(self) -> float:
        """Seconds until there is something to do, 0 for now."""
        now = time.monotonic()
        if self.exchange.is_open:
            if self._waiting or self.exchange.is_full or self.exchange.is_busy:
                return 0
            return max(0, self._opened_at + self._settings.batch_interval - now)
        if self._waiting or self._pending_messages() or self._is_crank_overdue():
            return 0
        if self.exchange.is_busy and self.obstacle() is None:
            return 0
        if self._settings.heartbeat:
            return max(0, self._closed_at + self._settings.heartbeat - now)
        return 3600

    async def _take_turn(self) -> None:
        """One group: run, write, answer."""
        exchange = self.exchange
        events: list[Event] = []
        forced: Sequence[NumberedFill] = ()
        if not exchange.is_open:
            self._opened_at = time.monotonic()
            self._may_crank = True
            messages = self._pending_messages()
            if messages or not self._waiting or exchange.is_busy:
                events.append(exchange.open(self.l1_time, messages, self._count_due()))
                forced = exchange.batch_fills
        receipts: list[Receipt] = []
        if exchange.is_busy and not exchange.is_full:
            self._crank(0, events, receipts)
        accepted, refused = self._run_group(events, receipts)
        self._crank_markets(events, receipts)
        sealed: SealedBatch | None = None
        if exchange.is_open and self._is_due():
            closed, sealed = exchange.close()
            events.append(closed)
            self._must_close = False
            self._closed_at = time.monotonic()
        if events:
            await self._journal.append(events)
        for entry, receipt in accepted:
            entry.accept(receipt if self.signer is None else self.signer.attest(receipt))
        for entry, error in refused:
            entry.refuse(error)
        self._in_turn.clear()
        self._tell(forced, receipts)
        if sealed is not None:
            await self._hand_over(sealed)
        await asyncio.sleep(0)

    def _run_group(
        self, events: list[Event], receipts: list[Receipt]
    ) -> tuple[list[tuple[_Waiting, Receipt]], list[tuple[_Waiting, InputError]]]:
        """Run waiting records; what must be logged is added to `events`, what was accepted to `receipts`."""
        exchange = self.exchange
        accepted: list[tuple[_Waiting, Receipt]] = []
        refused: list[tuple[_Waiting, InputError]] = []
        for _ in range(min(GROUP, len(self._waiting))):
            if exchange.is_full or exchange.is_busy:
                break
            entry = self._waiting.popleft()
            self._in_turn.append(entry)
            try:
                if exchange.is_open:
                    receipt = exchange.offer(entry.record, entry.leg_pages)
                else:
                    opened, receipt = exchange.offer_first(self.l1_time, entry.record, entry.leg_pages)
                    events.append(opened)
            except InputError as error:
                if error.reason == "step_cap":  # nothing is wrong with the record: it is the first of the next batch
                    self._waiting.appendleft(self._in_turn.pop())
                    self._must_close = True
                    break
                refused.append((entry, error))
            else:
                events += [Recorded(body) for body in (entry.record, *entry.leg_pages)]
                accepted.append((entry, receipt))
                receipts.append(receipt)
                self._may_crank |= entry.record[0] == records.REPORT
        return accepted, refused

    def _crank_markets(self, events: list[Event], receipts: list[Receipt]) -> None:
        """Give every market its crank that is due; those there is no room for now get it in the next turn or batch."""
        exchange = self.exchange
        if not (exchange.is_open and self._may_crank):
            return
        for market in exchange.due_cranks(exchange.machine.regs.time):
            if exchange.is_full or exchange.is_busy or self._must_close:
                return
            self._crank(market, events, receipts)
        self._may_crank = False

    def _crank(self, market: int, events: list[Event], receipts: list[Receipt]) -> None:
        """Let time pass on a market, or (0) the machine go on with its work."""
        crank = records.encode_crank(market)
        try:
            receipts.append(self.exchange.offer(crank))
        except InputError as error:
            if error.reason != "step_cap":
                raise
            self._must_close = True  # the next batch begins with it
        else:
            events.append(Recorded(crank))

    def _is_crank_overdue(self) -> bool:
        """Whether a market's crank alone is worth a batch: it has waited for long, and what is closed reaches L1."""
        if not self._may_crank or self.obstacle() is not None:
            return False
        self._may_crank = False  # until L1's time has moved on
        time = max(self.l1_time, self.exchange.machine.regs.time)
        return bool(self.exchange.due_cranks(time, self._settings.crank_interval or NEVER))

    def _is_due(self) -> bool:
        exchange = self.exchange
        if exchange.is_full or self._must_close:
            return True
        is_beat = exchange.inputs == 0  # opened only to show L1 that the operator lives
        age = time.monotonic() - self._opened_at
        return (is_beat or age >= self._settings.batch_interval) and not exchange.is_busy

    def _pending_messages(self) -> tuple[bytes, ...]:
        """L1 messages that no batch has consumed; only meaningful between two batches."""
        consumed = self.exchange.cursor.messages - self._view_first
        if self._view is None or consumed < 0:
            return ()
        return tuple(self._view.messages[consumed:])

    def _count_due(self) -> int:
        """How many of the pending messages the next batch has to consume."""
        consumed = self.exchange.cursor.messages - self._view_first
        if self._view is None or consumed < 0:
            return 0
        return self._view.count_due(max(self.l1_time, self.exchange.machine.regs.time), consumed)

    def _tell(self, forced: Sequence[NumberedFill], receipts: Sequence[Receipt]) -> None:
        """Tell the fills of forced records, then each record with its own."""
        for fill in forced:
            self.feed.publish("fills", partial(views.show_fill, fill))
        for receipt in receipts:
            self.feed.publish("records", partial(views.show_receipt, receipt))
            for fill in receipt.fills:
                self.feed.publish("fills", partial(views.show_fill, fill))

    async def _hand_over(self, sealed: SealedBatch) -> None:
        """Put a closed batch into the outbox; now and then cut the journal. The machine is between two batches here."""
        await asyncio.to_thread(self._outbox.put, sealed)
        self._unposted += 1
        self.feed.publish("batches", partial(views.show_batch, sealed, None))
        if self._candidate is not None and self._candidate.cursor.number <= self._on_l1:
            await self._journal.write_snapshot(self._candidate)
            self._candidate = None
        cursor = self.exchange.cursor
        if self._candidate is None and cursor.number % self._settings.snapshot_batches == 0:
            snapshot = self.exchange.machine.snapshot()
            self._candidate = Snapshot(self._journal.commit, replace(cursor), snapshot, sealed.end)

    # --- recovery --------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Build the exchange from snapshot and journal, and hand over again what may not have arrived."""
        self._adopt(await self._recovery.recover())

    def _adopt(self, exchange: Exchange) -> None:
        """Go on with another exchange than before."""
        self.exchange = exchange
        self._opened_at = self._closed_at = time.monotonic()
        self._must_close = False
        self._may_crank = True
        self._candidate = None
        self._reset_reason = ""
        self._divergences = self._contradictions = 0
        self._stuck = None
        self._oldest = None
        log.info(
            "at batch %d, record %d, commit %d", exchange.cursor.number, exchange.cursor.records, self._journal.commit
        )

    async def _try_recover(self) -> bool:
        """Read the journal again as soon as the store answers; returns whether it did."""
        self.status = Status.RECOVERING
        self._refuse_all("the store failed")
        deadline = time.monotonic() + STORE_PATIENCE
        delay = 0.1
        while self.status is Status.RECOVERING:
            try:
                await self._recover()
            except _STORE_ERRORS as error:
                if time.monotonic() > deadline:
                    self._give_up(error)
                    return False
                await asyncio.sleep(delay)
                delay = min(2 * delay, 2.0)
            except Exception as error:
                self._give_up(error)
                return False
            else:
                if self.status is Status.RECOVERING:
                    self.status = Status.READY
        return True

    def _give_up(self, error: Exception) -> None:
        log.critical("the sequencer gives up: %s", error, exc_info=not isinstance(error, SetoffError))
        self.failure = error
        self.status = Status.FAILED
        self._refuse_all("the sequencer has failed")
        self.failed.set()

    def _refuse_all(self, detail: str) -> None:
        """Answer everyone who waits; of a turn that failed nobody knows whether it was written."""
        for entry in self._in_turn:
            entry.refuse(StateError("not_ready", f"{detail}; whether the record was taken is unknown"))
        for entry in self._waiting:
            entry.refuse(StateError("not_ready", detail))
        self._in_turn.clear()
        self._waiting.clear()

    # --- reset -----------------------------------------------------------------------------------------------------

    async def _reset(self) -> bool:
        """Run what L1 does not hold again, on top of what it holds; returns whether that is done.

        Nothing has changed if L1 cannot be read. Raises DataError if it is at odds with itself or the store again and
        again.
        """
        log.warning("what L1 does not hold is made anew: %s", self._reset_reason)
        before, self.status = self.status, Status.RECOVERING
        try:
            reset, remade, exchange = await self._remake()
        except (ChainError, _OddError) as error:
            is_done = False
            log.warning("not yet: %s", error)
            if isinstance(error, _OddError):
                self._reset_tries += 1
                if self._reset_tries >= RESET_TRIES:
                    raise DataError(error.reason, error.detail) from error
        else:
            is_done = True
            self._reset_tries = 0
            await self._journal.append([reset, *remade.events])
            await asyncio.to_thread(self._replace_batches, reset.number, remade.sealed, exchange.cursor.proven)
            self._adopt(exchange)
            self._reset_at = time.monotonic()
            self.feed.restart()
        self._reset_reason = ""  # the next look finds out whether it is still to be done
        if self.status is Status.RECOVERING:
            self.status = before
        return is_done

    async def _remake(self) -> tuple[Reset, Remade, Exchange]:
        """A reset, what follows from it, and the exchange after that; nothing of this is in force yet."""
        posted = self._posted
        standing = await asyncio.to_thread(self._compare)
        unposted: list[Unposted] = []
        for number in range(standing.common, self.exchange.cursor.number):
            own = await asyncio.to_thread(self._outbox.get, number)
            if own is None:
                raise DataError("data_mismatch", f"the outbox has lost batch {number}")
            header = own.batch.header
            before = header.first_message + header.message_count
            unposted += [Unposted(header.timestamp, record, before) for record in own.batch.records]
        if (opened := self.exchange.opened) is not None:
            before = self.exchange.cursor.messages + len(opened.messages)
            unposted += [Unposted(opened.timestamp, record, before) for record in self.exchange.records]
        exchange = await self._recovery.go_back(standing.common)
        made = Remade([], [])
        try:
            numbers = range(standing.common, standing.count)
            batches = [await asyncio.to_thread(posted.batch, number) for number in numbers]
            unposted = skip_posted(unposted, batches)
            for batch in batches:
                made += await asyncio.to_thread(adopt, exchange, batch)
        except (DataError, InputError) as error:
            raise _OddError("data_mismatch", error.detail) from error
        try:
            view = await self._look(exchange)
        except DataError as error:  # it contradicts the batches that it holds: it is between two chains, or lies
            raise ChainError(error.reason, error.detail) from error
        oldest = view.time - posted.max_skew // SKEW_KEPT
        made += await asyncio.to_thread(run_again, exchange, unposted, view, oldest)
        return Reset(standing.common), made, exchange

    def _replace_batches(self, first: int, sealed: Sequence[SealedBatch], proven: int) -> None:
        """Put a reset's batches into the outbox, in place of those that it took back."""
        self._outbox.cut(first)
        self._outbox.drop_proofs(proven)
        for batch in sealed:
            self._outbox.put(batch)

    def _compare(self) -> Standing:
        """Where our batches stand on L1; what L1 holds by now was closed before."""
        count = self._posted.batch_count()
        return compare(self._posted, self._outbox, count, self.exchange.cursor.number)

    # --- L1 ----------------------------------------------------------------------------------------------------------

    async def _follow_l1(self) -> None:
        while self.status not in (Status.STOPPED, Status.FAILED):
            await asyncio.sleep(self._settings.l1_poll)
            try:
                await self._look_at_l1()
            except (ChainError, *_STORE_ERRORS) as error:
                log.warning("L1 or the outbox cannot be read: %s", error)
            except Exception as error:
                self._give_up(error)

    async def _look_at_l1(self, *, is_first: bool = False) -> None:
        """See which batches L1 holds, what keeps the next one from it, what time it is there and which messages wait.

        At the first look of all, what L1 shows is believed at once. Raises DataError if L1 goes on contradicting what
        was consumed, also in batches that it has itself.
        """
        patience = DIVERGENCES if not is_first else 1
        await self._look_at_batches(patience)
        exchange = self.exchange
        try:
            view = await self._look(exchange)
        except DataError as error:
            if self.exchange is exchange and not self._reset_reason:
                self._contradict(error, patience)
            self._wake.set()
            return
        self._contradictions = 0
        is_late = self._oldest is not None and self._is_too_old(self._oldest, view.time)
        if is_late and time.monotonic() - self._reset_at >= RESET_PAUSE:
            self._reset_reason = self._reset_reason or f"the batch of {self._oldest} will soon be too old for L1"
        if not self._reset_reason:
            self._reset_tries = 0
        self._wake.set()

    def _contradict(self, error: DataError, patience: int) -> None:
        """L1 has other messages than were consumed. Where it does not hold their batches, these can be made anew."""
        if time.monotonic() - self._reset_at < RESET_PAUSE:
            return
        self._contradictions += 1
        log.error("L1 contradicts what was consumed: %s", error)
        if self._contradictions >= CONTRADICTIONS:
            raise error
        if self._contradictions >= patience:
            self._reset_reason = f"L1 has other messages than were consumed: {error.detail}"

    async def _look(self, exchange: Exchange) -> L1View:
        """The messages that `exchange` has not consumed, and L1's time."""
        async with self._looking:
            first = exchange.cursor.messages
            view = await self._source.look(first, exchange.cursor.chain)
            self._may_crank |= self.l1_time != view.time
            self._view, self._view_first = view, first
            self._seen_at = time.monotonic()
            return view

    async def _look_at_batches(self, patience: int) -> None:
        exchange = self.exchange
        standing = await asyncio.to_thread(self._compare)
        ours = self.exchange.cursor.number
        self._unposted = ours - await asyncio.to_thread(self._outbox.posted)
        self._on_l1 = standing.common
        header = await asyncio.to_thread(self._outbox.header, standing.common)
        opened = self.exchange.opened
        stuck = await asyncio.to_thread(self._outbox.stuck)
        if self.exchange is not exchange:
            return  # a reset came between: what was seen is past
        self._oldest = header.timestamp if header else opened.timestamp if opened else None
        if stuck is None or header is None or stuck.batch != header.hash().hex():
            self._stuck = None
        elif stuck == self._stuck:
            self._stuck_looks += 1
        else:
            self._stuck, self._stuck_at, self._stuck_looks = stuck, time.monotonic(), 1
        self._divergences = self._divergences + 1 if standing.is_diverged(ours) else 0
        if time.monotonic() - self._reset_at < RESET_PAUSE:
            return
        if self._divergences >= patience:
            self._reset_reason = f"L1 holds another batch {standing.common}"
        elif self._stuck is not None and self._stuck.is_final and self._stuck_looks >= patience:
            self._reset_reason = f"L1 refuses batch {self._stuck.number}: {self._stuck.reason}"

    def _is_too_old(self, timestamp: int, now: int) -> bool:
        skew = self._posted.max_skew
        return now - timestamp > skew - skew // SKEW_LEFT
