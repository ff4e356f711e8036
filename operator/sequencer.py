"""The sequencer: owns the machine, decides the order, and answers for nothing that is not on disk.

Records wait in a queue. A turn runs a small group of them through the machine, writes what was accepted as one commit,
and only then answers the whole group: the more wait, the larger the groups, the fewer the syncs. Batches open with the
L1 messages known then and close when they are full or old enough.

Ticks are the sequencer's own records: while the machine has work left they let it go on (what waits is taken after it),
and each market gets one when it is due, at the latest a while after the last even if nothing else happens.

When the store fails, nobody knows whether the last commit was written. So everyone waiting is told "not_ready", the
machine in memory is thrown away, and the log is read again, exactly as after `kill -9`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import Final

from redis.exceptions import RedisError

from setoff.operator import views
from setoff.operator.events import Event, Recorded
from setoff.operator.exchange import FILLS_KEPT, Exchange, NumberedFill, Receipt, SealedBatch
from setoff.operator.feed import Feed
from setoff.operator.log import Log
from setoff.operator.messages import L1View, MessageSource
from setoff.operator.notary import Notary
from setoff.operator.outbox import Outbox
from setoff.operator.tail import Tail
from setoff.shared.adapters.config import DATA, OperatorSettings
from setoff.shared.codec import records
from setoff.shared.errors import ChainError, DataError, InputError, SetoffError, StateError
from setoff.shared.machine.machine import Machine

log = logging.getLogger(__name__)

#: Records of one turn: bounds the time for which the machine keeps the event loop.
GROUP: Final = 64
#: Seconds without a store before the process gives up and leaves it to its supervisor.
STORE_PATIENCE: Final = 30.0
#: Looks at L1 in a row that contradict what was consumed, before it is believed.
CONTRADICTIONS: Final = 5
NEVER: Final = 2**62
_STORE_ERRORS: Final = (RedisError, OSError, TimeoutError)


class Status(Enum):
    """What the sequencer is doing."""

    STARTING = "starting"
    READY = "ready"
    RECOVERING = "recovering"
    STOPPED = "stopped"
    FAILED = "failed"


class _Waiting:
    """A record (with its pages) on its way, and who wants to hear of it."""

    __slots__ = ("answer", "pages", "record")

    def __init__(self, record: bytes, pages: Sequence[bytes]) -> None:
        self.record = record
        self.pages = pages
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

    def accept(self, receipt: Receipt) -> None:
        if not self.answer.done():
            self.answer.set_result(receipt)

    def refuse(self, error: SetoffError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Sequencer:
    """The one writer of a deployment's log.

    `feed` tells what happens; `exchange` is for reading, between two awaits; `failed` is set when the sequencer has
    given up for good, with the reason in `failure`.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        domain: bytes,
        store: Log,
        outbox: Outbox,
        source: MessageSource,
        epoch_batches: int = 1,
        notary: Notary | None = None,
    ) -> None:
        """`notary` signs the receipts; None: there are none."""
        self.feed = Feed()
        self.status = Status.STARTING
        self.failure: Exception | None = None
        self.failed = asyncio.Event()
        self.exchange = Exchange(Machine.genesis(domain), Tail(), epoch_batches)
        self._settings = settings
        self._domain = domain
        self._log = store
        self._outbox = outbox
        self._source = source
        self._notary = notary
        self._epoch_batches = epoch_batches
        self._module = DATA[settings.data]
        self._waiting: deque[_Waiting] = deque()
        self._in_turn: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._view: L1View | None = None
        self._view_first = 0  # queue index of the view's first message
        self._seen_at = 0.0  # when L1 last answered, monotonic
        self._opened_at = time.monotonic()
        self._closed_at = time.monotonic()
        self._unposted = 0
        self._must_close = False
        self._may_tick = False  # a market may be due since time or a price has changed
        self._tasks: list[asyncio.Task[None]] = []

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the log, take a first look at L1, and begin. Raises SetoffError or RedisError if that is impossible."""
        await self._recover()
        await self._look_at_l1()
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

    async def submit(self, record: bytes, pages: Sequence[bytes] = ()) -> Receipt:
        """Have a record of 124 bytes taken, with all the pages that it signs; returns once it is durable.

        Raises InputError with the machine's reason (nothing has changed), StateError("overloaded"), or
        StateError("not_ready"), after which the record may have been taken or not.
        """
        if (obstacle := self.obstacle()) is not None:
            raise obstacle
        if self._notary is not None and (lie := self._notary.omit(self.exchange, record)) is not None:
            return lie
        entry = _Waiting(record, pages)
        self._waiting.append(entry)
        self._wake.set()
        return await entry.answer

    def obstacle(self) -> StateError | None:
        """Why no record can be taken now, if so."""
        if self.status is not Status.READY:
            return StateError("not_ready", f"the sequencer is {self.status.value}")
        if time.monotonic() - self._seen_at > self._settings.l1_patience:
            return StateError("not_ready", "L1 does not answer")
        if len(self._waiting) >= self._settings.max_waiting:
            return StateError("overloaded", f"{len(self._waiting)} records are waiting")
        if self._unposted > self._settings.max_unposted:
            return StateError("overloaded", f"{self._unposted} batches are waiting for L1")
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
        """Number of the last commit of the log."""
        return self._log.commit

    # --- turns -----------------------------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """Take turns; go back to the log when the store fails, give up on anything else."""
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
            if delay > 0:
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
        if self._waiting or self._pending_messages() or self._is_tick_overdue():
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
            self._may_tick = True
            messages = self._pending_messages()
            if messages or not self._waiting or exchange.is_busy:
                events.append(exchange.open(self.l1_time, messages))
                forced = exchange.batch_fills
        receipts: list[Receipt] = []
        if exchange.is_busy and not exchange.is_full:
            self._tick(0, events, receipts)
        accepted, refused = self._run_group(events, receipts)
        self._tick_markets(events, receipts)
        sealed: SealedBatch | None = None
        if exchange.is_open and self._is_due():
            closed, sealed = exchange.close()
            events.append(closed)
            self._must_close = False
            self._closed_at = time.monotonic()
        if events:
            await self._log.append(events)
        for entry, receipt in accepted:
            entry.accept(receipt if self._notary is None else self._notary.attest(receipt))
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
                    receipt = exchange.offer(entry.record, entry.pages)
                else:
                    opened, receipt = exchange.offer_first(self.l1_time, entry.record, entry.pages)
                    events.append(opened)
            except InputError as error:
                if error.reason == "step_cap":  # not the record's fault: it is the first of the next batch
                    self._waiting.appendleft(self._in_turn.pop())
                    self._must_close = True
                    break
                refused.append((entry, error))
            else:
                events += [Recorded(body) for body in (entry.record, *entry.pages)]
                accepted.append((entry, receipt))
                receipts.append(receipt)
                self._may_tick |= entry.record[0] == records.REPORT
        return accepted, refused

    def _tick_markets(self, events: list[Event], receipts: list[Receipt]) -> None:
        """Give every market its tick that is due; those there is no room for now get it in the next turn or batch."""
        exchange = self.exchange
        if not (exchange.is_open and self._may_tick):
            return
        for market in exchange.due_ticks(exchange.machine.regs.time):
            if exchange.is_full or exchange.is_busy or self._must_close:
                return
            self._tick(market, events, receipts)
        self._may_tick = False

    def _tick(self, market: int, events: list[Event], receipts: list[Receipt]) -> None:
        """Let time pass on a market, or (0) the machine go on with its work."""
        tick = records.encode_tick(market)
        try:
            receipts.append(self.exchange.offer(tick))
        except InputError as error:
            if error.reason != "step_cap":
                raise
            self._must_close = True  # the next batch begins with it
        else:
            events.append(Recorded(tick))

    def _is_tick_overdue(self) -> bool:
        """Whether a market's tick alone is worth a batch: it has waited for long, and what is closed reaches L1."""
        if not self._may_tick or self.obstacle() is not None:
            return False
        self._may_tick = False  # until L1's time has moved on
        time = max(self.l1_time, self.exchange.machine.regs.time)
        return bool(self.exchange.due_ticks(time, self._settings.tick_interval or NEVER))

    def _is_due(self) -> bool:
        exchange = self.exchange
        if exchange.is_full or self._must_close:
            return True
        is_beat = exchange.inputs == 0  # opened only to show L1 that the operator lives
        age = time.monotonic() - self._opened_at
        return (is_beat or age >= self._settings.batch_interval) and not exchange.is_busy

    def _pending_messages(self) -> tuple[bytes, ...]:
        """L1 messages that no batch has consumed; only meaningful between two batches."""
        consumed = self.exchange.tail.messages - self._view_first
        if self._view is None or consumed < 0:
            return ()
        return tuple(self._view.messages[consumed:])

    def _tell(self, forced: Sequence[NumberedFill], receipts: Sequence[Receipt]) -> None:
        """Tell the fills of forced records, then each record with its own."""
        for fill in forced:
            self.feed.publish("fills", partial(views.show_fill, fill))
        for receipt in receipts:
            self.feed.publish("records", partial(views.show_receipt, receipt))
            for fill in receipt.fills:
                self.feed.publish("fills", partial(views.show_fill, fill))

    async def _hand_over(self, sealed: SealedBatch) -> None:
        """Put a closed batch into the outbox; now and then cut the log. The machine stands between two batches here."""
        await asyncio.to_thread(self._outbox.put, sealed)
        self._unposted += 1
        self.feed.publish("batches", partial(views.show_batch, sealed, None))
        tail = self.exchange.tail
        if tail.number % self._settings.snapshot_batches == 0:
            await self._log.write_snapshot(tail, self.exchange.machine.snapshot(), sealed.end)

    # --- recovery --------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Build the exchange from snapshot and log, and hand over again what may not have arrived."""
        snapshot = await self._log.read_snapshot()
        if snapshot is None:
            exchange = Exchange(Machine.genesis(self._domain), Tail(), self._epoch_batches, self._module)
        else:
            exchange = Exchange(snapshot.restore(), snapshot.tail, self._epoch_batches, self._module)
            exchange.fills.extend(await asyncio.to_thread(self._read_fills, snapshot.tail.number))
        async for events in self._log.replay():
            for event in events:
                sealed = exchange.apply(event)
                if sealed is not None:
                    await asyncio.to_thread(self._outbox.put, sealed)
            await asyncio.sleep(0)
        latest = await asyncio.to_thread(self._outbox.latest)
        if latest >= exchange.tail.number:
            raise DataError("data_mismatch", f"the outbox has batch {latest}, the log ends before it")
        self.exchange = exchange
        self._opened_at = self._closed_at = time.monotonic()
        self._must_close = False
        self._may_tick = True
        log.info("at batch %d, record %d, commit %d", exchange.tail.number, exchange.tail.records, self._log.commit)

    def _read_fills(self, number: int) -> list[NumberedFill]:
        """The last fills before batch `number`."""
        found: list[tuple[NumberedFill, ...]] = []
        count = 0
        while number > 0 and count < FILLS_KEPT:
            number -= 1
            sealed = self._outbox.get(number)
            if sealed is None:
                break
            found.append(sealed.fills)
            count += len(sealed.fills)
        return [fill for fills in reversed(found) for fill in fills]

    async def _try_recover(self) -> bool:
        """Read the log again as soon as the store answers; returns whether it did."""
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

    # --- L1 ----------------------------------------------------------------------------------------------------------

    async def _follow_l1(self) -> None:
        contradictions = 0
        while self.status not in (Status.STOPPED, Status.FAILED):
            await asyncio.sleep(self._settings.l1_poll)
            try:
                await self._look_at_l1()
                contradictions = 0
            except (ChainError, *_STORE_ERRORS) as error:
                log.warning("L1 or the outbox cannot be read: %s", error)
            except DataError as error:
                contradictions += 1
                log.error("L1 contradicts what was consumed: %s", error)
                if contradictions >= CONTRADICTIONS:
                    self._give_up(error)
            except Exception as error:
                self._give_up(error)

    async def _look_at_l1(self) -> None:
        tail = self.exchange.tail
        first = tail.messages
        view = await self._source.look(first, tail.chain)
        self._may_tick |= self.l1_time != view.time
        self._view, self._view_first = view, first
        self._seen_at = time.monotonic()
        posted = await asyncio.to_thread(self._outbox.posted)
        self._unposted = self.exchange.tail.number - posted
        self._wake.set()
