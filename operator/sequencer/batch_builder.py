"""One turn: a small group of waiting records through the machine, in batches that open and close as they should.

Batches open with the L1 messages known then and close when they are full or old enough. Cranks are the sequencer's own
records: while the machine has work left they let it go on (what waits is taken after it), and each market gets one when
it is due, at the latest a while after the last even if nothing else happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from setoff.operator.sequencer.exchange import Exchange, NumberedFill, SealedBatch, SubmitResult
from setoff.operator.sequencer.journal_events import JournalEvent, Recorded
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.step_shares import StepShares
from setoff.operator.sequencer.submissions import Submission, Submissions
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import records
from setoff.shared.errors import InputError, SetoffError

GROUP: Final = 64
"""Records of one turn: with TURN_STEPS it bounds the time for which the machine keeps the event loop."""
TURN_STEPS: Final = 2**13
"""Steps from which on a turn takes no more records."""
NEVER: Final = 2**62
IDLE_SECONDS: Final = 3600.0
"""How long to sleep where nothing is to come by itself."""


@dataclass(slots=True)
class Turn:
    """What one turn came to: what the journal has to hold before anybody is answered, and then the answers."""

    events: list[JournalEvent] = field(default_factory=list)
    accepted: list[tuple[Submission, SubmitResult]] = field(default_factory=list)
    refused: list[tuple[Submission, SetoffError]] = field(default_factory=list)
    taken: list[SubmitResult] = field(default_factory=list)
    """All records that were taken, in their order, the sequencer's own among them."""
    forced: Sequence[NumberedFill] = ()
    """Fills of the messages that opened the batch."""
    sealed: SealedBatch | None = None
    """The batch that it closed."""


class BatchBuilder:
    """Takes turns on `exchange`. No I/O."""

    def __init__(self, settings: OperatorSettings, submissions: Submissions, exchange: Exchange) -> None:
        self._settings = settings
        self._submissions = submissions
        self._shares = StepShares()
        self.adopt(exchange)

    def adopt(self, exchange: Exchange) -> None:
        """Go on with another exchange than before."""
        self.exchange = exchange
        self._opened_at = self._closed_at = time.monotonic()
        self._must_close = False
        self._may_crank = True  # a market may be due since time or a price has changed
        self._l1_time = 0

    def get_delay(self, view: L1View, is_obstructed: Callable[[], bool], *, is_paced: bool = False) -> float:
        """Seconds until there is something to do, 0 for now. `is_obstructed`: whether what is closed stays here;
        `is_paced`: whether another batch would wait for its turn on L1 for too long, so that none is opened."""
        exchange, now = self.exchange, time.monotonic()
        self._note_time(view)
        if exchange.is_open:
            if self._submissions or exchange.is_full or exchange.is_busy:
                return 0
            return max(0, self._opened_at + self._settings.batch_interval - now)
        if is_paced:
            return IDLE_SECONDS  # until a look at L1 shows that time has moved on
        if self._submissions or view.pending(exchange.cursor.messages) or self._is_crank_overdue(view, is_obstructed):
            return 0
        if exchange.is_busy and not is_obstructed():
            return 0
        if self._settings.heartbeat:
            return max(0, self._closed_at + self._settings.heartbeat - now)
        return IDLE_SECONDS

    def take_turn(self, view: L1View) -> Turn:
        """Run one group."""
        exchange, turn = self.exchange, Turn()
        self._note_time(view)
        if not exchange.is_open:
            self._opened_at = time.monotonic()
            self._may_crank = True
            consumed = exchange.cursor.messages
            messages = view.pending(consumed)
            if messages or not self._submissions or exchange.is_busy:
                due = view.count_due(max(view.time, exchange.machine.regs.time), consumed)
                turn.events.append(exchange.open(view.time, messages, due))
                turn.forced = exchange.batch_fills
        if exchange.is_busy and not exchange.is_full:
            self._crank(0, turn)
        self._run_group(view.time, turn)
        self._crank_markets(turn)
        if exchange.is_open and self._is_due():
            closed, turn.sealed = exchange.close()
            turn.events.append(closed)
            self._must_close = False
            self._closed_at = time.monotonic()
        return turn

    def _run_group(self, l1_time: int, turn: Turn) -> None:
        exchange, submissions = self.exchange, self._submissions
        began_at = exchange.worked
        for _ in range(min(GROUP, len(submissions))):
            if exchange.is_full or exchange.is_busy or exchange.worked - began_at >= TURN_STEPS:
                break
            submission = submissions.take()
            record, leg_pages, sender = submission.record, submission.leg_pages, submission.sender
            excess = self._shares.find_excess(sender)
            if excess is not None and submissions.has_others(sender):
                turn.refused.append((submission, excess))
                continue
            before = exchange.worked
            try:
                if exchange.is_open:
                    result = exchange.offer(record, leg_pages)
                else:
                    opened, result = exchange.offer_first(l1_time, record, leg_pages)
                    turn.events.append(opened)
            except InputError as error:
                if error.reason == "step_cap":  # nothing is wrong with the record: it is the first of the next batch
                    submissions.put_back()
                    self._must_close = True
                    break
                turn.refused.append((submission, error))
            else:
                turn.events += [Recorded(body) for body in (record, *leg_pages[: result.leg_pages])]
                turn.accepted.append((submission, result))
                turn.taken.append(result)
                self._may_crank |= record[0] == records.REPORT
            self._shares.charge(sender, exchange.worked - before)

    def _crank_markets(self, turn: Turn) -> None:
        """Give every market its crank that is due; those there is no room for now get it in the next turn or batch."""
        exchange = self.exchange
        if not (exchange.is_open and self._may_crank):
            return
        for market in exchange.due_cranks(exchange.machine.regs.time):
            if exchange.is_full or exchange.is_busy or self._must_close:
                return
            self._crank(market, turn)
        self._may_crank = False

    def _crank(self, market: int, turn: Turn) -> None:
        """Let time pass on a market, or (0) the machine go on with its work."""
        crank = records.encode_crank(market)
        try:
            turn.taken.append(self.exchange.offer(crank))
        except InputError as error:
            if error.reason != "step_cap":
                raise
            self._must_close = True  # the next batch begins with it
        else:
            turn.events.append(Recorded(crank))

    def _note_time(self, view: L1View) -> None:
        if view.time != self._l1_time:
            self._l1_time = view.time
            self._may_crank = True

    def _is_crank_overdue(self, view: L1View, is_obstructed: Callable[[], bool]) -> bool:
        """Whether a market's crank alone is worth a batch: it has waited for long, and what is closed reaches L1."""
        if not self._may_crank or is_obstructed():
            return False
        self._may_crank = False  # until L1's time has moved on
        now = max(view.time, self.exchange.machine.regs.time)
        return bool(self.exchange.due_cranks(now, self._settings.crank_interval or NEVER))

    def _is_due(self) -> bool:
        """Whether the open batch is to be closed."""
        exchange = self.exchange
        if exchange.is_full or self._must_close:
            return True
        is_beat = exchange.inputs == 0  # opened only to show L1 that the operator lives
        age = time.monotonic() - self._opened_at
        return (is_beat or age >= self._settings.batch_interval) and not exchange.is_busy
