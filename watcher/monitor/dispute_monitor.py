"""`setoff watcher disputes`: a look at the disputes.

From L1 alone; what the watcher has executed is asked of its Redis if that is there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from redis.exceptions import RedisError

from setoff.shared.dispute.trace_provider import Epochs
from setoff.shared.errors import ConfigError
from setoff.shared.l1.account import find_address
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.succession import find_successor
from setoff.shared.l1.survey import Survey
from setoff.watcher.chain.withheld import find_withheld
from setoff.watcher.context import find_store, open_reader
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.histories import Histories
from setoff.watcher.liveness.presence import PresenceReader
from setoff.watcher.monitor.alerts import CRITICAL, Alert, alert_succession
from setoff.watcher.monitor.dispute_view import Overview, view_disputes
from setoff.watcher.monitor.history import PastDispute, describe_past, read_past
from setoff.watcher.monitor.status import find_problems
from setoff.watcher.monitor.work import look_at_work
from setoff.watcher.pulse import read_status
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

HISTORY_WAIT: Final = 2.0
"""Seconds to wait for a history; who is right is unknown until it is there."""

log = logging.getLogger(__name__)


class DisputeMonitor:
    """Looks at the court of a deployment."""

    def __init__(self, settings: WatcherSettings, low: int | None = None) -> None:
        """`low`: see `view_disputes`. Raises ConfigError if there is no such deployment."""
        deployment = settings.load_deployment()
        self._l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=settings.l1_patience)
        contract = CourtContract(self._l1, deployment.court)
        self._reader = CourtReader(contract, deployment.block)
        self._first_block = deployment.block
        self._low = low
        self._epochs: Epochs | None = None
        self._redis_refusal = ""
        self._store: Store | None = None
        try:
            self._store = find_store(settings, deployment)
        except ConfigError as error:
            self._redis_refusal = str(error)
        self._chain = open_reader(settings, self._l1, deployment, self._store)
        self._presence = PresenceReader(self._chain)
        self._survey = Survey(self._l1, settings.confirmations)
        self._operator = "0x" + Inbox(self._l1, deployment).operator().hex()
        account = find_address(settings)
        self._account = "" if account is None else "0x" + account.hex()
        if self._store is not None:
            histories = Histories.of(settings, deployment)
            self._epochs = ExecutedEpochs(Archive(self._store, self._chain), histories, wait=HISTORY_WAIT)

    @property
    def reader(self) -> CourtReader:
        """The court, as of the last look."""
        return self._reader

    @property
    def archive(self) -> Archive | None:
        """What the watcher has of batches and machines; None without its Redis."""
        return None if self._store is None else Archive(self._store, self._chain)

    def read_past(self) -> list[PastDispute]:
        """The disputes that are over. Raises ChainError."""
        account = bytes.fromhex(self._account.removeprefix("0x"))
        return read_past(self._reader.contract, self._first_block, self._l1.head().number, account)

    def describe_past(self, past: Iterable[PastDispute]) -> str:
        """The same for people."""
        return describe_past(past, bytes.fromhex(self._operator[2:]))

    def look(self) -> Overview:
        """The disputes now. Raises ChainError; without Redis who is right is unknown."""
        self._reader.poll()
        court, block, now = self._reader.court, self._reader.block, self._l1.now()
        operator = self._presence.look(now)
        try:
            withheld = find_withheld(self._store, self._chain, court) if self._store else []
            overview = view_disputes(court, self._epochs, block, now, self._low, withheld=withheld, operator=operator)
            if self._store:
                statuses = read_status(self._store)
                overview.work = look_at_work(self._store, statuses)
                problems = find_problems(statuses)
                overview.alerts += [Alert(CRITICAL, "", f"the watcher: {problem}") for problem in problems]
            if self._store and (alarm := self._store.alarm()):
                overview.alerts.append(Alert(CRITICAL, "", f"a fast path is wrong, every step is taken: {alarm}"))
        except RedisError as error:
            log.warning("Redis: %s", error)
            overview = view_disputes(court, None, block, now, self._low, operator=operator)
            overview.alerts.append(Alert(CRITICAL, "", f"the watcher's Redis does not answer: {error}"))
        if self._redis_refusal:
            overview.alerts.append(Alert(CRITICAL, "", self._redis_refusal))
        overview.alerts += [Alert(CRITICAL, "", f"L1: {complaint}") for complaint in self._survey.look()]
        if (successor := find_successor(self._l1, self._chain.deployment)) is not None:
            overview.alerts.append(alert_succession(successor, now))
        overview.operator_address, overview.account = self._operator, self._account
        return overview
