"""The sequencer: owns the machine, decides the order, and answers for nothing that is not on disk.

Records wait in a queue. A turn runs a small group of them through the machine (`batch_builder.py`), writes what was
accepted as one commit, and only then answers the whole group: the more wait, the larger the groups, the fewer the
syncs. While the store syncs one group the machine runs the next; one commit is on its way at a time, so that a later
one is never there without those before it. Beside the turns somebody looks at L1 (`l1_monitor.py`). When it shows that
what was closed will never be there, that is made anew (`reset.py`); until then no record is taken.

When the store fails, nobody knows whether the last commit was written. So everyone waiting is told "not_ready", the
machine in memory is thrown away, and the journal is read again, exactly as after `kill -9`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Final, TypeVar

from redis.exceptions import RedisError

from setoff.operator.sequencer.announcer import Announcer
from setoff.operator.sequencer.batch_builder import BatchBuilder, Turn
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange, SealedBatch, SubmitResult
from setoff.operator.sequencer.journal import Journal, JournalLost
from setoff.operator.sequencer.l1_monitor import L1Monitor
from setoff.operator.sequencer.messages import MessageSource
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import PostedBatches
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.operator.sequencer.recovery import Recovery, Snapshots
from setoff.operator.sequencer.reset import Resetter
from setoff.operator.sequencer.submissions import Answer, Submissions
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, DataError, SetoffError, StateError
from setoff.shared.l1.da.registry import find_module
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.wire.latency import Latency

STORE_PATIENCE: Final = 30.0
"""Seconds without a store before the process gives up and leaves it to its supervisor."""
_STORE_ERRORS: Final = (RedisError, OSError, TimeoutError)

log = logging.getLogger(__name__)

T = TypeVar("T")


OBSTRUCTED: Final = "obstructed"


class Status(Enum):
    """What the sequencer is doing."""

    STARTING = "starting"
    READY = "ready"
    RECOVERING = "recovering"
    STOPPED = "stopped"
    FAILED = "failed"


def name_status(status: Status, obstacle: StateError | None) -> str:
    """What is told of it: never "ready" while something keeps records from being taken."""
    return OBSTRUCTED if obstacle is not None and status is Status.READY else status.value


class Commits:
    """How many commits there were since this process was started, and how long they took together."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.count += 1
        self.seconds += seconds


class Sequencer:
    """The one writer of a deployment's journal.

    `exchange` is for reading, between two awaits; `failed` is set when the sequencer has given up for good, with the
    reason in `failure`.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        deployment: Deployment,
        journal: Journal,
        outbox: Outbox,
        source: MessageSource,
        posted: PostedBatches,
        announcer: Announcer,
        signer: ReceiptSigner | None = None,
    ) -> None:
        """`announcer` is told what is durable; `signer` signs the receipts, None: there are none."""
        self.status = Status.STARTING
        self.failure: Exception | None = None
        self.failed = asyncio.Event()
        self.signer = signer
        self._settings = settings
        self._journal = journal
        self._outbox = outbox
        self._announcer = announcer
        self._posted = posted
        self._recovery = Recovery(journal, outbox, deployment, find_module(settings.data).number)
        self._snapshots = Snapshots(journal, settings.snapshot_batches, self._trim)
        self._monitor = L1Monitor(settings, source, posted, outbox)
        self._resetter = Resetter(self._recovery, outbox, posted, self._monitor)
        self._submissions = Submissions()
        nothing = Exchange(Machine.genesis(*deployment.genesis), BatchCursor(), deployment.epoch_batches)
        self._builder = BatchBuilder(settings, self._submissions, nothing)
        self._wake = asyncio.Event()
        self._commit: asyncio.Task[None] | None = None  # of the turn before, on its way to the store
        self._turns = 0
        self.refused = 0
        """Records that the machine refused, since this process was started."""
        self.commits = Commits()
        self.acknowledging = Latency()
        """How long records wait here, until they are durable, signed for and answered."""
        self._tasks: list[asyncio.Task[None]] = []

    # --- for others --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the journal, take a first look at L1, and begin. Raises SetoffError or RedisError if that cannot be."""
        await self._recover()
        await self._refuse_empty()
        await self._ask_first(lambda: self._look(is_first=True))
        while self._monitor.reset_reason and not await self._reset():
            await asyncio.sleep(self._settings.l1_poll)
            await self._ask_first(lambda: self._look(is_first=True))
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
        self._snapshots.drop()
        self._submissions.refuse_all("the operator is stopping")
        self._announcer.close()

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> SubmitResult:
        """Have a record of 124 bytes taken, with all the leg pages that it signs; returns once it is durable.

        Raises InputError with the machine's reason (nothing has changed), StateError("overloaded"), or
        StateError("not_ready"), and StateError("pending"), after which the record may have been taken or not.
        """
        if (obstacle := self.obstacle()) is not None:
            raise obstacle
        answered: asyncio.Future[SubmitResult | SetoffError] = asyncio.get_running_loop().create_future()
        self.enter(record, leg_pages, lambda answer: None if answered.done() else answered.set_result(answer))
        answer = await answered
        if isinstance(answer, SetoffError):
            raise answer
        return answer

    def enter(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer, signed: object = None) -> None:
        """As `submit`, for many at once, where `obstacle` was asked before; `answer` is called with what comes of it.

        `signed`: who has signed it, known here already (`recover_ahead`)."""
        self._submissions.add(record, leg_pages, answer)
        self._wake.set()

    def obstacle(self) -> StateError | None:
        """Why no record can be taken now, if so."""
        if self.status is not Status.READY:
            return StateError("not_ready", f"the sequencer is {self.status.value}")
        obstacle = self._monitor.obstacle(self.exchange.cursor.number)
        if obstacle is None and len(self._submissions) >= self._settings.max_waiting:
            return StateError("overloaded", f"{len(self._submissions)} records are waiting")
        return obstacle

    @property
    def exchange(self) -> Exchange:
        """The exchange as it is in memory: durable but for the turn under way."""
        return self._builder.exchange

    @property
    def l1_time(self) -> int:
        """Timestamp of L1 at the last look, unix seconds; 0 before the first."""
        return self._monitor.view.time

    @property
    def unposted(self) -> int:
        """Closed batches that are not on L1 yet."""
        return self._monitor.unposted

    @property
    def paced_until(self) -> int:
        """When L1 takes the next batch (unix seconds), where that has to wait for the pace of epochs; 0: it has not."""
        pace, now = self._monitor.pace, self.l1_time
        turn = pace.postable_at(pace.posted, now)
        return turn if turn > now else 0

    @property
    def waiting(self) -> int:
        """Records in the queue."""
        return len(self._submissions)

    @property
    def commit(self) -> int:
        """Number of the last commit of the journal."""
        return self._journal.commit

    @property
    def turns(self) -> int:
        """How many turns there were: the exchange is the same as long as this is."""
        return self._turns

    @property
    def is_copy(self) -> bool:
        """Whether `exchange` is only a copy: it is not."""
        return False

    @property
    def is_fresh(self) -> bool:
        """Whether `exchange` has all that was acknowledged: always."""
        return True

    async def refresh(self) -> None:
        """Until `exchange` has all that has happened: it has."""

    # --- turns -------------------------------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """Take turns; go back to the journal when the store fails, give up on anything else."""
        while self.status is Status.READY:
            try:
                await self._run()
                await self._settle()
            except _STORE_ERRORS as error:
                log.error("the store failed: %s", error)
                if not await self._try_recover():
                    return
            except Exception as error:
                self._give_up(error)
                return

    async def _run(self) -> None:
        while self.status is Status.READY:
            paced = self._monitor.pace.obstacle(self.exchange.cursor.number, self.l1_time)
            if paced is not None:
                self._submissions.refuse_waiting(paced)
            delay = self._builder.get_delay(self._monitor.view, self._is_obstructed, is_paced=paced is not None)
            if self._monitor.reset_reason:
                await self._settle()
                await self._reset()
            elif delay > 0:
                await self._wait(delay)
            else:
                await self._take_turn()

    async def _wait(self, delay: float) -> None:
        """Until something happens, at most `delay` seconds."""
        if self._commit is not None and self._commit.done():
            await self._settle()
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), delay)

    def _is_obstructed(self) -> bool:
        return self.obstacle() is not None

    async def _take_turn(self) -> None:
        """One group: run it while the one before is written, then write it, and answer."""
        turn = self._builder.take_turn(self._monitor.view)
        self._turns += 1
        await self._settle()
        self._commit = asyncio.create_task(self._write(turn))
        self._commit.add_done_callback(lambda _: self._wake.set())
        if turn.sealed is not None:
            await self._settle()
            await self._hand_over(turn.sealed)
        await asyncio.sleep(0)  # what is to be written goes out before the machine keeps the loop again

    async def _settle(self) -> None:
        """Until the turn before is durable and answered. Raises what its writing has raised."""
        commit, self._commit = self._commit, None
        if commit is not None:
            await commit

    async def _write(self, turn: Turn) -> None:
        """Write what a turn has come to, and only then answer."""
        if turn.events:
            begun = time.monotonic()
            await self._journal.append(turn.events)
            self.commits.add(time.monotonic() - begun)
        self.refused += len(turn.refused)
        results = [result for _, result in turn.accepted]
        if self.signer is not None:
            results = self.signer.attest(results)
        for (submission, _), result in zip(turn.accepted, results, strict=True):
            submission.answer(result)
            self.acknowledging.add(time.monotonic() - submission.came_at)
        for submission, error in turn.refused:
            submission.answer(error)
        self._submissions.end_turn(len(turn.accepted) + len(turn.refused))
        self._announce(turn)

    def _announce(self, turn: Turn) -> None:
        """Tell the fills of forced records, then each record with its own."""
        for fill in turn.forced:
            self._announcer.tell_fill(fill)
        for result in turn.taken:
            self._announcer.tell_record(result)
            for fill in result.fills:
                self._announcer.tell_fill(fill)

    async def _hand_over(self, sealed: SealedBatch) -> None:
        """Put a closed batch into the outbox. The machine is between two batches here."""
        await asyncio.to_thread(self._outbox.put, sealed)
        self._monitor.unposted += 1
        self._announcer.tell_batch(sealed)
        self._snapshots.keep(self.exchange, sealed.end, self._monitor.on_l1)

    async def _trim(self, written: int) -> None:
        """A snapshot stands for the batches before this one."""
        await asyncio.to_thread(self._outbox.trim, written, self.l1_time - self._settings.batches_kept)

    # --- recovery ----------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Build the exchange from snapshot and journal, and hand over again what may not have arrived."""
        before = self._journal.commit
        exchange = await self._recovery.recover()
        if self._journal.commit < before:
            raise JournalLost("data_mismatch", f"the store has lost commits up to {before} of the journal")
        self._adopt(exchange)

    async def _refuse_empty(self) -> None:
        """Raises DataError for an empty store of an exchange that has begun: what was promised is not known here."""
        if self._journal.commit:
            return
        if count := await self._ask_first(lambda: asyncio.to_thread(self._posted.batch_count)):
            what = f"the store is empty, and L1 holds {count} batches: `setoff operator rebuild` makes it again from L1"
            raise DataError("data_mismatch", what)

    def _adopt(self, exchange: Exchange, *, is_reset: bool = False) -> None:
        """Go on with another exchange than before."""
        self._turns += 1
        self._builder.adopt(exchange)
        self._monitor.begin_anew(is_reset=is_reset)
        self._snapshots.drop()
        cursor = exchange.cursor
        log.info("at batch %d, record %d, commit %d", cursor.number, cursor.records, self._journal.commit)

    async def _try_recover(self) -> bool:
        """Read the journal again as soon as the store answers; returns whether it did."""
        self.status = Status.RECOVERING
        self._submissions.refuse_all("the store failed")
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
        log.critical("the sequencer gives up: %s", error, exc_info=not isinstance(error, (SetoffError, *_STORE_ERRORS)))
        self.failure = error
        self.status = Status.FAILED
        self._submissions.refuse_all("the sequencer has failed")
        self.failed.set()

    # --- L1 ----------------------------------------------------------------------------------------------------------

    async def _follow_l1(self) -> None:
        while self.status not in (Status.STOPPED, Status.FAILED):
            await asyncio.sleep(self._settings.l1_poll)
            try:
                await self._look()
            except (ChainError, *_STORE_ERRORS) as error:
                self._monitor.silent = "L1" if isinstance(error, ChainError) else "the store"
                log.warning("%s cannot be read: %s", self._monitor.silent, error)
            except Exception as error:
                self._give_up(error)

    async def _heed_alarm(self) -> None:
        """Take every step from now on if the publisher has found a fast path to be wrong. Raises RedisError."""
        machine = self.exchange.machine
        if machine.many_accounts != EVERY_STEP and (alarm := await asyncio.to_thread(self._outbox.alarm.read)):
            log.critical("ALARM: %s; from now on every step is taken", alarm)
            machine.many_accounts = EVERY_STEP

    async def _look(self, *, is_first: bool = False) -> None:
        await self._heed_alarm()
        if await self._monitor.look(self.exchange, is_first=is_first):
            self._resetter.calm()
        self._wake.set()

    async def _ask_first(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What L1 answers, asked again and again for as long as it may be silent: one refusal ends no start. Raises
        ChainError."""
        deadline = time.monotonic() + self._settings.l1_patience
        while True:
            try:
                return await ask()
            except ChainError as error:
                if error.reason != "rpc_unreachable" or time.monotonic() > deadline:
                    raise
                log.warning("L1 cannot be read yet, trying again: %s", error.detail)
            await asyncio.sleep(self._settings.l1_poll)

    async def _reset(self) -> bool:
        """Make anew what L1 does not hold; returns whether that is done. Nothing has changed if L1 cannot be read.

        Raises DataError if it is at odds with itself or the store again and again.
        """
        log.warning("what L1 does not hold is made anew: %s", self._monitor.reset_reason)
        before, self.status = self.status, Status.RECOVERING
        made = await self._resetter.remake(self.exchange)
        if made is not None:
            await self._journal.append(made.events)
            await self._resetter.hand_over(made)
            self._adopt(made.exchange, is_reset=True)
            self._announcer.restart()
        self._monitor.reset_reason = ""  # the next look finds out whether it is still to be done
        if self.status is Status.RECOVERING:
            self.status = before
        return made is not None
