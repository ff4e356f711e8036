"""The liveness keeper: keeps the exchange going on L1 while its operator is silent.

Once the inbox is open to everybody it posts what waits in the queue, forced withdrawals above all, and fills the epoch
up with empty batches, so that it can be claimed (the challenger does that) and confirmed, and the vault pays. It steps
back as soon as the operator posts again: the inbox takes nothing from others then. When the operator stays away for
good, it sends what the wind-down needs; and for a market whose time is over what its end needs, if the operator, there
or not, leaves it alone.

It runs beside the challenger, in the same process, since an account's nonces have one owner.
"""

from __future__ import annotations

import logging
import threading

from redis.exceptions import RedisError

from setoff.shared.errors import DataError, SetoffError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox, InboxState, encode_post
from setoff.shared.l1.player import SPREAD
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.watcher.execution.archive import Archive
from setoff.watcher.liveness.permissionless_calls import PermissionlessCall, PermissionlessCalls
from setoff.watcher.liveness.wind_down import WindDown
from setoff.watcher.pulse import Pulse

log = logging.getLogger(__name__)


class LivenessKeeper:
    """One account that keeps one deployment going. `step` is a round."""

    def __init__(self, l1: L1, archive: Archive, pace: int, spread: float = SPREAD) -> None:
        """`l1` has the key that pays; `pace`, `spread`: seconds, see `WatcherSettings.liveness_keeper_pace` and
        `PermissionlessCalls`.
        """
        self.calls = PermissionlessCalls(l1, spread)
        self._l1 = l1
        self._pace = pace
        self._archive = archive
        self._chain: ChainReader = archive.reader
        self._inbox = Inbox(l1, archive.reader.deployment)
        self._wind_down = WindDown(archive, self._inbox)

    def step(self) -> str:
        """One round; returns what it came to, for people.

        Raises ChainError, StateError or RedisError; the next round begins anew.
        """
        self._l1.tend()
        if name := self.calls.under_way():
            return f"{name}: under way"
        now, opens_at = self._l1.now(), self._inbox.opens_at()
        if now < opens_at:
            call = self._wind_down.next(now, is_open=False)
            said = f"the operator is there: others may post in {opens_at - now} s"
        else:
            state = self._inbox.state()
            call = self._next_open(state, now)
            said = f"the inbox is open to everybody: {state.waiting} messages wait"
            if (paced_until := self._inbox.paced_until()) > now:
                said += f" until {paced_until}, when an epoch may begin"
        if call is None:
            self.calls.rest()
            return said
        return self.calls.run(call)

    def _next_open(self, state: InboxState, now: int) -> PermissionlessCall | None:
        """What to send while anybody may post. Batches need nothing that was executed: they go on without it."""
        try:
            if call := self._wind_down.next(now, is_open=True):
                return call
        except (DataError, StateError):
            if call := self._next_batch(state, now):
                return call
            raise
        return self._next_batch(state, now)

    def _next_batch(self, state: InboxState, now: int) -> PermissionlessCall | None:
        """The batch to post now, if any. An epoch with something in it is filled without delay."""
        if self._inbox.paced_until() > now:
            return None
        messages = min(state.waiting, MAX_INPUTS)
        is_time = now >= state.timestamp + self._pace or messages == MAX_INPUTS
        if not self._is_begun(state) and not (messages and is_time):
            return None
        data = encode_post(self._inbox.next_header(state, self._l1.head().timestamp, messages))
        return PermissionlessCall(f"batch {state.count}", self._chain.deployment.inbox, data)

    def _is_begun(self, state: InboxState) -> bool:
        """Whether the epoch lacks batches and those it has hold messages or records."""
        first = state.count - state.count % self._chain.deployment.epoch_batches
        if first == state.count:
            return False
        header = self._archive.batch(first).header
        return header.first_message < state.messages_consumed or header.first_record < state.records_posted


def run_liveness_keeper(liveness_keeper: LivenessKeeper, pulse: Pulse, stop: threading.Event, interval: float) -> None:
    """Keep it going until `stop` is set. Whatever fails is told, and tried again `interval` seconds later."""
    said = ""
    while not stop.is_set():
        try:
            doing, error = liveness_keeper.step(), ""
        except (SetoffError, RedisError) as failure:
            doing, error = "", str(failure)
        except Exception as failure:
            log.exception("the round was broken off")  # a liveness keeper that stops is of no use to anybody
            doing, error = "", repr(failure)
        if error and error != said:
            log.warning("the round was broken off: %s", error)
        said = error
        calls = liveness_keeper.calls
        pulse.tell(doing=doing, error=error, sent=calls.sent, done_by_others=calls.done_by_others)
        stop.wait(interval)
