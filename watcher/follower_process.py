"""The process that follows L1, and keeps the workers supplied with epochs."""

from __future__ import annotations

import logging
import threading

from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.survey import Survey
from setoff.watcher.chain.follower import Follower
from setoff.watcher.chain.withheld import Withheld
from setoff.watcher.context import Context
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.scout import Scout
from setoff.watcher.pulse import Pulse
from setoff.watcher.settings import WatcherSettings

log = logging.getLogger(__name__)


def run_follower(settings: WatcherSettings, stop: threading.Event) -> None:
    """Follow L1 and keep the queue of jobs supplied, until `stop` is set."""
    context = Context.open(settings)
    context.store.mend()
    follower = Follower(context.reader, context.store)
    withheld = Withheld(context.l1, context.deployment.court)
    jobs = Jobs(context.store)
    survey = Survey(context.l1, settings.confirmations)
    scout = Scout(settings, context.store)
    with Pulse(context.store, "follower").beating() as pulse, scout.running(stop):
        is_current = False
        while not stop.wait(settings.l1_poll if is_current else 0.0):
            pulse.tell(endpoints=survey.look())
            try:
                progress = follower.step()
            except (ChainError, DataError) as error:
                log.warning("L1: %s", error)
                pulse.tell(error=_tell(follower, withheld) or str(error))
                is_current = True
                continue
            jobs.enqueue_next()
            is_current = progress.is_current
            executed = context.store.epoch_count()
            pulse.tell(block=progress.block, head=progress.head, batches=progress.batches, executed=executed, error="")
            poisoned = [attempt.describe() for attempt in jobs.attempts.poisoned()]
            pulse.tell(ahead=jobs.ahead.count(), poisoned=poisoned)


def _tell(follower: Follower, withheld: Withheld) -> str:
    """What to say, and to log, of data that is withheld; empty if none is."""
    if follower.withheld is None:
        return ""
    try:
        is_alarm, text = withheld.describe(follower.withheld)
    except ChainError:
        return ""
    log.log(logging.CRITICAL if is_alarm else logging.WARNING, "%s", text)
    return f"ALARM: {text}" if is_alarm else text
