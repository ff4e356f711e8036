"""A reset: what did not reach L1 is made anew on top of what L1 holds (`rerun.py`), and takes the place of what was
closed before, under one commit of the journal."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NamedTuple

from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal_events import JournalEvent, Reset
from setoff.operator.sequencer.l1_monitor import L1Monitor
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import PostedBatches
from setoff.operator.sequencer.recovery import Recovery
from setoff.operator.sequencer.rerun import Remade, adopt, read_unposted, run_again, skip_posted
from setoff.shared.errors import ChainError, DataError, InputError, SetoffError

SKEW_KEPT: Final = 2
"""A batch that is made anew keeps its timestamp if no more than this part of the time in which L1 takes it has
passed."""
RESET_TRIES: Final = 5
"""Tries in a row that find L1 at odds with itself, or with the store, before the sequencer gives up."""

log = logging.getLogger(__name__)


class _OddError(SetoffError):
    """What was read from L1 does not fit together: it changed in between, or it errs, or the store is not its own."""


class Remake(NamedTuple):
    """All batches from `first` on made anew, and the exchange after them; nothing of this is in force yet."""

    first: int
    remade: Remade
    exchange: Exchange

    @property
    def events(self) -> list[JournalEvent]:
        """For one commit."""
        return [Reset(self.first), *self.remade.events]


class Resetter:
    """Makes batches anew for one deployment."""

    def __init__(self, recovery: Recovery, outbox: Outbox, posted: PostedBatches, monitor: L1Monitor) -> None:
        self._recovery = recovery
        self._outbox = outbox
        self._posted = posted
        self._monitor = monitor
        self._tries = 0

    def calm(self) -> None:
        """L1 was seen to be at odds with nothing."""
        self._tries = 0

    async def remake(self, exchange: Exchange) -> Remake | None:
        """Run what L1 does not hold of `exchange` again; None if that has to wait, since L1 cannot be read or is at
        odds with itself. Raises DataError if it is so again and again, or with the store.
        """
        try:
            made = await self._remake(exchange)
        except ChainError as error:
            log.warning("not yet: %s", error)
            return None
        except _OddError as error:
            log.warning("not yet: %s", error)
            self._tries += 1
            if self._tries >= RESET_TRIES:
                raise DataError(error.reason, error.detail) from error
            return None
        self._tries = 0
        return made

    async def hand_over(self, made: Remake) -> None:
        """Put the batches into the outbox, in place of those that are taken back. Raises RedisError, OSError."""
        await asyncio.to_thread(self._replace_batches, made)

    def _replace_batches(self, made: Remake) -> None:
        self._outbox.cut(made.first)
        self._outbox.drop_proofs(made.exchange.cursor.proven)
        for batch in made.remade.sealed:
            self._outbox.put(batch)

    async def _remake(self, before: Exchange) -> Remake:
        standing = await asyncio.to_thread(self._monitor.compare, before)
        unposted = await asyncio.to_thread(read_unposted, self._outbox, before, standing.common)
        exchange = await self._recovery.go_back(standing.common)
        made = Remade([], [])
        try:
            numbers = range(standing.common, standing.count)
            batches = [await asyncio.to_thread(self._posted.batch, number) for number in numbers]
            unposted = skip_posted(unposted, batches)
            for batch in batches:
                made += await asyncio.to_thread(adopt, exchange, batch)
        except (DataError, InputError) as error:
            raise _OddError("data_mismatch", error.detail) from error
        try:
            view = await self._monitor.read(exchange)
        except DataError as error:  # it contradicts the batches that it holds: it is between two chains, or errs
            raise ChainError(error.reason, error.detail) from error
        oldest = view.time - self._posted.max_skew // SKEW_KEPT
        made += await asyncio.to_thread(run_again, exchange, unposted, view, oldest)
        return Remake(standing.common, made, exchange)
