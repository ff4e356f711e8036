"""The feeder: asks the sources, makes one price of them, and reports it when it is due, the one way or the other.

Nothing that is away, and nothing that it answers, ends it: a source, the operator and L1 are each asked again, later
and later, and what is missing is told (`status`). What goes wrong with one market is that market's. It keeps nothing on
disk: after a restart it reads L1, and reports at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from setoff.shared.config.pause import Pause
from setoff.shared.errors import OUTCOMES, STALE_REPORT, SetoffError, is_known_reason
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.oracle.aggregate import Verdict, aggregate, show, to_ticks
from setoff.shared.oracle.aside import call_aside
from setoff.shared.oracle.chain_view import ChainView
from setoff.shared.oracle.decision import Outage, Reported, choose_time, find_reason, is_to_force
from setoff.shared.oracle.settings import OracleSettings
from setoff.shared.oracle.sources import Sources
from setoff.shared.oracle.status import L1_WAY, OPERATOR, FeederStatus, MarketStatus, tell_stranger
from setoff.shared.oracle.ways import Ways

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds for which the operator, or L1, is left alone after it failed: at first, and at most."""

MOST_TEXT: Final = 200
"""Characters that are told of what went wrong: others write the text."""
OTHER: Final = "other"
"""How a failure is counted whose reason is none of the shared list: else who answers makes as many counts as he may."""

log = logging.getLogger(__name__)


@dataclass
class _Market:
    """What is known of one market."""

    named: str
    status: MarketStatus
    last: dict[int, Reported] = field(default_factory=dict)
    """By the signer's number: what the operator took last, or L1."""
    outage: Outage | None = None
    rest: Pause | None = None
    forced_at: dict[int, float] = field(default_factory=dict)
    """When a report was last sent through L1, monotonic seconds; by number."""


class Feeder:
    """One key's feeder over `sources`, which are open."""

    def __init__(self, settings: OracleSettings, view: ChainView, sources: Sources, ways: Ways, address: bytes) -> None:
        self.status: Final = FeederStatus("0x" + address.hex())
        self._settings = settings
        self._view = view
        self._sources = sources
        self._ways = ways
        self._markets = [_Market(named, MarketStatus(named)) for named in settings.sources]
        self.status.markets = {market.named: market.status for market in self._markets}
        self._looking: asyncio.Task[None] | None = None
        self._look_rest: Pause | None = None
        self._looked_at = LONG_AGO
        self._forcing: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until `stop` is set; then at once, in the middle of a round, too."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stopped.done():
                begun = time.monotonic()
                step = asyncio.create_task(self.step())
                await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    step.cancel()
                    return
                if (error := step.exception()) is not None:
                    log.error("a round failed", exc_info=error)
                left = self._settings.poll - (time.monotonic() - begun)
                await asyncio.wait({stopped}, timeout=max(left, 0.01))
        finally:
            stopped.cancel()

    async def step(self) -> None:
        """One round over all markets. L1 is asked beside it: an L1 that is slow or away delays no report."""
        self._begin_look()
        if not self.status.rounds and self._looking is not None:
            await self._looking
        await asyncio.gather(*map(self._feed_safely, self._markets))
        problems = [market.outage.reason for market in self._markets if market.outage]
        self.status.operator_problem = problems[0] if problems else ""
        self.status.failures = self._sources.failures()
        self.status.rounds += 1

    # --- L1 ----------------------------------------------------------------------------------------------------------

    def _begin_look(self) -> None:
        """Have L1 read, if it is time to."""
        now = time.monotonic()
        is_busy = self._looking is not None and not self._looking.done()
        rests = self._look_rest is not None and not self._look_rest.is_over
        if not is_busy and not rests and now - self._looked_at >= self._settings.l1_poll:
            self._looked_at = now
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        view, status = self._view, self.status
        try:
            await call_aside(view.look)
        except Exception as error:  # whatever it answers: it is as if it were away
            if not status.l1_problem:
                log.warning("L1 cannot be read: %s", tell(error))
            status.l1_problem = tell(error)
            self._look_rest = self._look_rest or Pause(FIRST_PAUSE, LONGEST_PAUSE)
            self._look_rest.begin()
            return
        if status.l1_problem:
            log.warning("L1 can be read again")
        status.l1_problem, self._look_rest = "", None
        if not view.numbers and (status.numbers or not status.l1_time):  # it is told once
            log.warning("%s; nothing is reported with it", tell_stranger(status.address))
        status.numbers, status.quorum, status.balance_wei = view.numbers, view.quorum, view.balance
        status.waiting, status.l1_time = len(view.waiting), view.clock.now()

    # --- a market ----------------------------------------------------------------------------------------------------

    async def _feed_safely(self, market: _Market) -> None:
        """Whatever goes wrong with it, the other markets go on, and it is tried again in the next round."""
        try:
            await self._feed(market)
        except Exception as error:
            log.exception("%s: its round failed", market.named)
            market.status.problem = tell(error)

    async def _feed(self, market: _Market) -> None:
        verdict = await ask_price(self._settings, self._sources, market.named)
        status = market.status
        status.sources, status.used = describe_verdict(verdict), len(verdict.used)
        self.status.rejected += len(verdict.rejected)
        status.price = "" if verdict.price is None else show(verdict.price)
        status.problem = ""
        if verdict.price is None:
            status.problem = describe_shortage(verdict, self._settings)
        elif self._view.numbers:  # else that is what is told: L1 was not read yet, or names no such signer
            try:
                number = self._view.find_market(market.named)
                status.ticks = to_ticks(verdict.price, self._view.get_scale(number).tick.size)
            except SetoffError as error:
                status.problem = str(error)
                return
            status.problem = self._view.find_end(number)
            for signer in () if status.problem else self._view.numbers:
                await self._report(market, signer, number, status.ticks)

    async def _report(self, market: _Market, signer: int, number: int, ticks: int) -> None:
        """Report for one of the key's numbers, if it is due."""
        settings, now = self._settings, self._view.clock.now()
        last = market.last.get(signer)
        if not find_reason(ticks, now, last, change=settings.report_change, age=settings.report_age):
            return
        report = Reported(ticks, choose_time(now, last))
        record = self._ways.sign(signer, report.time, number, ticks)
        if market.rest is None or market.rest.is_over:
            await self._submit(market, signer, report, record)
        if is_to_force(
            market.outage,
            time.monotonic(),
            patience=settings.operator_patience,
            forced_at=market.forced_at.get(signer),
            interval=settings.force_interval,
        ):
            market.forced_at[signer] = time.monotonic()
            task = asyncio.create_task(self._force(market, signer, report, record))
            self._forcing.add(task)
            task.add_done_callback(self._forcing.discard)

    async def _submit(self, market: _Market, signer: int, report: Reported, record: bytes) -> None:
        try:
            await self._ways.submit(record)
        except Exception as error:  # whatever it answers: an operator that does not take it is one that is not there
            count(self.status.refusals, get_reason(error))
            if market.outage is None:
                log.warning("%s: the operator does not take it: %s", market.named, tell(error))
            since = market.outage.since if market.outage else time.monotonic()
            market.outage = Outage(since, tell(error))
            if get_reason(error) == OUTCOMES[STALE_REPORT]:
                # Somebody has reported with this key, with a later time: the next one is later.
                market.last[signer] = Reported(0, report.time)
            market.rest = market.rest or Pause(FIRST_PAUSE, LONGEST_PAUSE)
            market.rest.begin()
            return
        if market.outage is not None:
            log.warning("%s: the operator takes it again", market.named)
        market.outage, market.rest = None, None
        self._note(market, signer, report, OPERATOR)

    async def _force(self, market: _Market, signer: int, report: Reported, record: bytes) -> None:
        try:
            async with self._one:
                forced = await self._ways.force(record)
        except Exception as error:
            count(self.status.refusals, get_reason(error))
            # The next one has not to wait for the whole interval: nothing was spent.
            market.forced_at[signer] = time.monotonic() - self._settings.force_interval + LONGEST_PAUSE
            market.status.l1_problem = f"its report does not get through L1 either: {tell(error)}"
            log.warning("%s: %s", market.named, market.status.l1_problem)
            return
        market.status.l1_problem = ""
        log.warning("%s: %d ticks went through L1, message %d: no batch may leave it out from %d on",
                    market.named, report.ticks, forced.index, forced.due)  # fmt: skip
        self._note(market, signer, report, L1_WAY)

    def _note(self, market: _Market, signer: int, report: Reported, way: str) -> None:
        market.last[signer] = report
        market.status.reported_ticks, market.status.reported_at = report.ticks, report.time
        market.status.way = way
        count(self.status.reports, way)
        log.info("%s: %d ticks, to %s", market.named, report.ticks, way)


def count(counts: dict[str, int], name: str) -> None:
    """One more of it."""
    counts[name] = counts.get(name, 0) + 1


def get_reason(error: Exception) -> str:
    """The reason of the shared list, OTHER if there is none."""
    reason = error.reason if isinstance(error, SetoffError) else OTHER
    return reason if is_known_reason(reason) else OTHER


def tell(error: Exception) -> str:
    """What went wrong, in one line."""
    text = " ".join(str(error).split())
    return (text if isinstance(error, SetoffError) else f"{type(error).__name__}: {text}")[:MOST_TEXT]


async def ask_price(settings: OracleSettings, sources: Sources, market: str) -> Verdict:
    """What the sources of a market come to now."""
    observations = await sources.ask(market)
    return aggregate(
        observations,
        time.time(),
        max_age=settings.source_age,
        max_distance=settings.max_distance,
        least=settings.min_sources,
    )


def describe_shortage(verdict: Verdict, settings: OracleSettings) -> str:
    """Why there is no price."""
    return f"{len(verdict.used)} of its sources can be used, {settings.min_sources} are needed"


def describe_verdict(verdict: Verdict) -> dict[str, str]:
    """What each source said, and what was not used and why."""
    said = {each.source: show(each.price) for each in verdict.used if each.price is not None}
    for rejected in verdict.rejected:
        price = rejected.observation.price
        said[rejected.observation.source] = ("" if price is None else f"{show(price)}, ") + f"not used: {rejected.why}"
    return said
