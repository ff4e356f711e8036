"""The process that looks after the evidence, and says how much of it there is."""

from __future__ import annotations

import logging
import threading
from typing import Final

from redis.exceptions import RedisError

from setoff.shared.errors import SetoffError
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.watcher.context import Context
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.archivist import Archivist
from setoff.watcher.execution.histories import Histories
from setoff.watcher.pulse import Pulse
from setoff.watcher.settings import WatcherSettings

EVERY: Final = 10.0
"""Seconds between two rounds."""

log = logging.getLogger(__name__)


def run_archivist(settings: WatcherSettings, stop: threading.Event) -> None:
    """Keep what is needed and let go of the rest, until `stop` is set."""
    context = Context.open(settings)
    court = CourtReader(CourtContract(context.l1, context.deployment.court), context.deployment.block)
    histories = Histories.of(settings, context.deployment)
    archivist = Archivist(Archive.of(context), court, histories, settings.redis_limit * 10**6)
    with Pulse(context.store, "archivist").beating() as pulse:
        while not stop.is_set():
            try:
                kept = archivist.step()
                megabytes = {f"{name}_MB": round(size / 1e6, 2) for name, size in kept.bytes.items()}
                alarm = context.store.alarm()
                pulse.tell(error="", kept_epochs=kept.epochs, **megabytes, **({"ALARM": alarm} if alarm else {}))
            except (SetoffError, RedisError) as error:
                log.warning("the round was broken off: %s", error)
                pulse.tell(error=str(error))
            stop.wait(EVERY)
