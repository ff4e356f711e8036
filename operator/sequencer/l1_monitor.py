"""What L1 shows, look by look: the messages that wait, the batches that it holds, what keeps the next one from it.

One look proves little, since a node may be between two chains. That L1 will not take a closed batch any more, holds
another one in its place, or after a reorg has other messages than were consumed, is believed once it was seen a few
times in a row; then `reset_reason` says why what is not on L1 has to be made anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final, Generic, NamedTuple, TypeVar

from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.messages import NOTHING_SEEN, L1View, MessageSource
from setoff.operator.sequencer.outbox import Outbox, Stuck
from setoff.operator.sequencer.pace import Pace
from setoff.operator.sequencer.posted_batches import PostedBatches, Standing, compare
from setoff.operator.settings import OperatorSettings
from setoff.shared.errors import DataError, StateError
from setoff.shared.machine.batch import Header
from setoff.shared.monotonic import LONG_AGO

DIVERGENCES: Final = 3
"""Looks in a row that show another batch in place of ours, or other messages than were consumed, or that L1 refuses a
batch for good, before it is believed."""
CONTRADICTIONS: Final = 5
"""Looks in a row with other messages than were consumed, also by what L1 has, before it gives up."""
SKEW_LEFT: Final = 8
"""A batch is made anew when less than this part of the time is left in which L1 takes it."""
RESET_PAUSE: Final = 10.0
"""Seconds between two resets: L1 has to see what the first one made."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Repeated(Generic[T]):
    """What the last looks have shown, how many in a row (`count`), and since when (`since`, monotonic seconds)."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.count = 0
        self.since = LONG_AGO

    def see(self, value: T | None) -> None:
        """What a look has shown; None for nothing of the kind."""
        if value is not None and value == self.value:
            self.count += 1
        else:
            self.value, self.count, self.since = value, int(value is not None), time.monotonic()


class _Batches(NamedTuple):
    """A look at the batches."""

    standing: Standing
    ours: int
    """Closed by us."""
    posted: int
    """On L1, as the publisher says."""
    pace: Pace
    next: Header | None
    """Of the first that L1 does not hold, if it is closed."""
    stuck: Stuck | None


class L1Monitor:
    """Looks at L1 for the exchange of one deployment, one look at a time."""

    def __init__(
        self, settings: OperatorSettings, source: MessageSource, posted: PostedBatches, outbox: Outbox
    ) -> None:
        self.view: L1View = NOTHING_SEEN
        self.reset_reason = ""
        self.unposted = 0
        """Closed batches that are not on L1 yet."""
        self.pace = Pace()
        """How fast L1 takes epochs."""
        self.on_l1 = 0
        """How many of our batches L1 holds."""
        self.silent = "L1"
        """Who keeps it from looking, if somebody does: L1 or the store."""
        self._settings = settings
        self._source = source
        self._posted = posted
        self._outbox = outbox
        self._looking = asyncio.Lock()
        self._seen_at = LONG_AGO  # when L1 last answered, monotonic
        self._reset_at = LONG_AGO
        self._exchanges = 0  # how many there have been
        self.begin_anew()

    def begin_anew(self, *, is_reset: bool = False) -> None:
        """The exchange is another one than before: what was seen is past."""
        self._exchanges += 1
        self.reset_reason = ""
        self._oldest: int | None = None  # timestamp of the first batch that L1 does not hold
        self._turn_at = 0  # when the pace lets it in
        self._stuck: Repeated[Stuck] = Repeated()
        self._diverged: Repeated[bool] = Repeated()
        self._contradicted: Repeated[bool] = Repeated()
        if is_reset:
            self._reset_at = time.monotonic()

    def obstacle(self, number: int) -> StateError | None:
        """Why no record can be taken now, if so; `number`: of the batch that it would come into."""
        now, patience, stuck = time.monotonic(), self._settings.l1_patience, self._stuck.value
        if now - self._seen_at > patience:
            return StateError("not_ready", f"{self.silent} does not answer")
        if self.reset_reason:
            return StateError("not_ready", f"the batches that L1 does not have are made anew: {self.reset_reason}")
        if stuck is not None and (stuck.is_final or now - self._stuck.since > patience):
            return StateError("not_ready", f"batch {stuck.number} does not reach L1: {stuck.reason}: {stuck.detail}")
        if self.unposted > self._settings.max_unposted:
            return StateError("overloaded", f"{self.unposted} batches are waiting for L1")
        if self.unposted > 0 and self._oldest is not None:
            age = self.view.time - max(self._oldest, self._turn_at)
            if age > self._settings.max_unposted_age:
                return StateError("overloaded", f"a batch has been waiting for L1 for {age} s")
        return self.pace.obstacle(number, self.view.time)

    async def look(self, exchange: Exchange, *, is_first: bool = False) -> bool:
        """See which batches L1 holds, what keeps the next one from it, what time it is there and which messages wait;
        returns whether all is well.

        At the first look of all, what L1 shows is believed at once. Raises ChainError if it cannot be read, DataError
        if it goes on contradicting what was consumed, also in batches that it has itself.
        """
        patience, number = 1 if is_first else DIVERGENCES, self._exchanges
        batches = await asyncio.to_thread(self._read_batches, exchange)
        if number != self._exchanges:
            return False
        self._judge_batches(batches, exchange, patience)
        try:
            view = await self.read(exchange)
        except DataError as error:
            if number == self._exchanges and not self.reset_reason:
                self._contradict(error, patience)
            return False
        self._contradicted.see(None)
        if self._is_too_old(view.time) and not self._is_pausing():
            self.reset_reason = self.reset_reason or f"the batch of {self._oldest} will soon be too old for L1"
        return not self.reset_reason

    async def read(self, exchange: Exchange) -> L1View:
        """The messages that `exchange` has not consumed, and L1's time. Raises ChainError, DataError."""
        async with self._looking:
            self.view = await self._source.look(exchange.cursor.messages, exchange.cursor.queue_hash)
            self._seen_at = time.monotonic()
            return self.view

    def compare(self, exchange: Exchange) -> Standing:
        """Where our batches stand on L1; what it holds by now was closed before."""
        count = self._posted.batch_count()
        return compare(self._posted, self._outbox, count, exchange.cursor.number)

    def _read_batches(self, exchange: Exchange) -> _Batches:
        pace = self._posted.pace()
        standing = self.compare(exchange)
        ours, posted = exchange.cursor.number, self._outbox.posted()
        return _Batches(standing, ours, posted, pace, self._outbox.header(standing.common), self._outbox.stuck())

    def _judge_batches(self, batches: _Batches, exchange: Exchange, patience: int) -> None:
        standing, following, stuck, opened = batches.standing, batches.next, batches.stuck, exchange.opened
        self.unposted = max(0, exchange.cursor.number - batches.posted)  # while we were away, others may have posted
        self.on_l1 = standing.common
        self._oldest = following.timestamp if following else opened.timestamp if opened else None
        self.pace, self._turn_at = batches.pace, batches.pace.postable_at(standing.common, 0)
        is_ours = stuck is not None and following is not None and stuck.batch == following.hash().hex()
        self._stuck.see(stuck if is_ours else None)
        self._diverged.see(True if standing.is_diverged(batches.ours) else None)
        if self._is_pausing():
            return
        if self._diverged.count >= patience:
            self.reset_reason = f"L1 holds another batch {standing.common}"
        elif stuck is not None and is_ours and stuck.is_final and self._stuck.count >= patience:
            self.reset_reason = f"L1 refuses batch {stuck.number}: {stuck.reason}"

    def _contradict(self, error: DataError, patience: int) -> None:
        """L1 has other messages than were consumed. Where it does not hold their batches, these can be made anew."""
        if self._is_pausing():
            return
        self._contradicted.see(True)
        log.error("L1 contradicts what was consumed: %s", error)
        if self._contradicted.count >= CONTRADICTIONS:
            raise error
        if self._contradicted.count >= patience:
            self.reset_reason = f"L1 has other messages than were consumed: {error.detail}"

    def _is_pausing(self) -> bool:
        return time.monotonic() - self._reset_at < RESET_PAUSE

    def _is_too_old(self, now: int) -> bool:
        skew = self._posted.max_skew
        return self._oldest is not None and now - self._oldest > skew - skew // SKEW_LEFT
