"""What has to be sent to L1 so that everybody gets their money when nobody else sees to it: the end of an exchange that
has lost its operator for good, and the end of a single market whose time is over.

Of the exchange first the wind-down itself, once it is due; then a crank for every market that still has to be settled,
as a forced record, until none is left. A market may take more than one: the first brings its mark to the last index, so
that whoever cannot pay is liquidated, the next settles it. And as long as the machine has holders left to visit, or
parked records to take, cranks of no market, each of which lets it go on; those of markets, which would do no more, come
later.

Each parked record has cost somebody a message, and costs one more here. So that nobody can make that many more, with
batches so full of work that cranks are lost in them, no more cranks wait at first than are sure to count in one batch,
and more only while all that were sent have let a record go.

Without a wind-down a market is over when it expires, or when its oracle is dead. Its cranks are the operator's business
first, and ours once it has left the market alone for a while, whether it is there otherwise or not: no batch of its own
may leave out a forced record for long.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.l1.contracts import QUEUE
from setoff.shared.l1.inbox import Inbox
from setoff.shared.rules.phases import BATCH_STEP_CAP, INPUT_STEP_BOUND, ORACLE_DEATH, RETURN_TIME, SAMPLE_INTERVAL
from setoff.shared.state.leaves import Market
from setoff.watcher.execution.archive import Archive
from setoff.watcher.liveness.permissionless_calls import PermissionlessCall

PATIENCE: Final = 3600
"""Seconds for which a market whose time is over is left to the operator; and between two looks for one that is."""


SURE_CRANKS: Final = BATCH_STEP_CAP // INPUT_STEP_BOUND
"""So many of a batch have room in it, whatever work they let go on."""
MOST_CRANKS: Final = 128
"""For the machine's work that wait at once, 10 million gas."""
CRANKS_AT_ONCE: Final = 16
"""In one round: nodes keep so many transactions of an account."""


class Times(NamedTuple):
    """Of a market that is not settled, unix seconds."""

    crankable: int
    """From when on a crank may change it again."""
    over: int
    """From when on a crank brings it to its end, without a wind-down."""


class Unsettled(NamedTuple):
    """The markets that are not settled after the epochs executed so far."""

    last: bytes
    """Hash of the last of them, so of all the batches up to there; empty if there are none."""
    messages: int
    """Consumed in them."""
    time: int
    """Unix seconds, of the last batch."""
    work: int
    """Cranks that the machine needs before it looks at a record again: one for each that is parked, and one for work of
    its own, though that may take more."""
    unparked: int
    """Parked records that were let go in all these epochs."""
    markets: dict[int, Times]

    @property
    def all_due(self) -> dict[int, int]:
        """Market to when a crank of it is due while winding down."""
        return {market: times.crankable for market, times in self.markets.items()}

    def over_due(self, *, is_open: bool) -> dict[int, int]:
        """Market to when a crank of it is due without a wind-down; `is_open`: whether anybody may post.

        While the operator posts, the machine's time has to be past the end too, or its next batch might come too early
        for the crank.
        """
        return {
            market: max(times.crankable, times.over + PATIENCE)
            for market, times in self.markets.items()
            if is_open or times.over <= self.time
        }


class WindDown:
    """Knows what an exchange that winds down needs next, or a market that is over."""

    def __init__(self, archive: Archive, inbox: Inbox) -> None:
        self._archive = archive
        self._store = archive.store
        self._queue = archive.reader.deployment.queue
        self._inbox = inbox
        self._unsettled: Unsettled | None = None
        self._look_at = 0
        self._most_cranks = SURE_CRANKS

    def next(self, now: int, *, is_open: bool) -> PermissionlessCall | None:
        """What to send now, None if there is nothing or L1 is not read so far yet; `is_open`: whether anybody may post.

        Raises ChainError, StateError.
        """
        if is_open:
            if self._inbox.is_winding_down():
                unsettled = self._find_unsettled()
                return self._next_crank(unsettled.work, unsettled.all_due, now)
            if now >= self._inbox.operator_posted_at() + self._inbox.wind_down():
                return PermissionlessCall("wind-down", self._queue, QUEUE.encode("wind_down"))
        # A look may take a machine out of the store: not after every epoch of an operator that is there. Where it is
        # silent epochs are few, and what is parked waits for us.
        if now < self._look_at and not is_open:
            return None
        unsettled = self._find_unsettled()
        due = unsettled.over_due(is_open=is_open)
        # Until its work is done the machine looks at no withdrawal; while the operator posts, that is its business.
        work = unsettled.work if is_open else 0
        if work or any(when <= now for when in due.values()):
            return self._next_crank(work, due, now)
        self._look_at = min([now + PATIENCE, *due.values()])
        return None

    def _next_crank(self, work: int, due: dict[int, int], now: int) -> PermissionlessCall | None:
        """The cranks to send next: `work` of no market are needed first, then one for each market that is `due`."""
        consumed = self._find_unsettled().messages
        waiting = self._find_cranks(consumed, self._inbox.state().queued)
        if waiting is None:
            return None
        if (missing := min(work, self._most_cranks) - len(waiting)) > 0:
            return self._make_call(0, consumed, min(missing, CRANKS_AT_ONCE))
        if len(waiting) < work:
            return None
        for market, when in due.items():
            # The first cranks that wait are used up by the work, whatever market they name.
            if market not in waiting[work:] and when <= now:
                return self._make_call(market, consumed)
        return None

    def _make_call(self, market: int, consumed: int, times: int = 1) -> PermissionlessCall:
        data = QUEUE.encode("force", records.encode_crank(market))
        return PermissionlessCall(f"crank of market {market} after message {consumed}", self._queue, data, times)

    def _find_unsettled(self) -> Unsettled:
        epochs = self._store.epoch_count()
        result = self._store.epoch(epochs - 1) if epochs else None
        last = result.epoch_hash if result else b""
        if self._unsettled is None or self._unsettled.last != last:
            machine = self._archive.machine_before(epochs)
            found = {number: machine.state.market(number) for number in range(1, machine.regs.markets + 1)}
            # Without an index there was never a price to trade at.
            regs = machine.regs
            markets = {
                number: find_times(m, regs.winding_since, regs.last_gap_end)
                for number, m in found.items()
                if not m.settled and m.index
            }
            messages = 0
            if epochs:
                header = self._archive.batch(epochs * self._store.epoch_batches - 1).header
                messages = header.first_message + header.message_count
            work = regs.parked_end - regs.parked_first + (regs.has_work != 0)
            before = self._unsettled
            self._unsettled = Unsettled(last, messages, regs.time, work, regs.parked_first, markets)
            if before is not None:
                self._learn(before, self._unsettled)
        return self._unsettled

    def _learn(self, before: Unsettled, after: Unsettled) -> None:
        """Let more cranks wait if a full number of them has let a record go each, few again if some have not."""
        cranks = len(self._find_cranks(before.messages, after.messages) or ())
        if after.unparked - before.unparked < cranks:
            self._most_cranks = SURE_CRANKS
        elif cranks >= self._most_cranks:
            self._most_cranks = min(2 * self._most_cranks, MOST_CRANKS)

    def _find_cranks(self, first: int, end: int) -> list[int] | None:
        """Markets of the cranks among the messages from `first` to before `end`; None if one is not read yet."""
        markets = []
        for index in range(first, end):
            body = self._store.message(index)
            if body is None:
                return None
            # A malformed one is refused, and must not pass for the crank that is needed.
            if body[0] == records.CRANK and records.is_canonical(body):
                markets.append(records.decode_crank(body).market)
        return markets


def find_times(market: Market, winding_since: int = 0, last_gap_end: int = 0) -> Times:
    """See `Times`: a market is over after its expiry, when its last index has reached a certain age, and when (unix
    seconds, 0: not) the exchange began to wind down. After a silence that ended at `last_gap_end` its oracle has some
    time.
    """
    death = max(market.index_time + ORACLE_DEATH, last_gap_end + RETURN_TIME) + 1
    ends = [death, market.expiry, winding_since]
    return Times(market.sampled + SAMPLE_INTERVAL, min(end for end in ends if end))
