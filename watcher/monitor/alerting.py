"""The process that tells webhooks what a watcher's monitor sees: disputes, withheld data, an operator that is away, and
what is wrong with the watcher itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.config.webhooks import name_alert
from setoff.shared.errors import ChainError, SetoffError
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.settings import WatcherSettings

EVERY: Final = 2.0
"""Seconds between two looks."""
NO_L1: Final = "L1 does not answer, so what happens there is not seen; clocks run all the same"

log = logging.getLogger(__name__)


def run_alerting(settings: WatcherSettings, stop: threading.Event) -> None:
    """Until `stop` is set."""
    webhooks = settings.open_webhooks(f"watcher {settings.name}")
    if webhooks is None:
        return
    monitor: DisputeMonitor | None = None
    with webhooks:
        while not stop.wait(EVERY):
            try:
                monitor = monitor or DisputeMonitor(settings)
                alerts = list_alerts(monitor.look())
            except ChainError as error:
                alerts = {NO_L1: f"{NO_L1}: {error.detail}"}
            except SetoffError as error:
                alerts = {error.reason: f"its monitor cannot look: {error}"}
            webhooks.see(alerts)


def list_alerts(overview: Overview) -> dict[str, str]:
    """What there is to tell, in words, by what it is."""
    found = {f"{alert.key} {name_alert(alert.text)}": f"{alert.level}: {alert.text}" for alert in overview.alerts}
    return found | (_list_lacks(overview.work.challenger) if overview.work else {})


def _list_lacks(challenger: Mapping[str, Any]) -> dict[str, str]:
    """What its account lacks of money."""
    found = {}
    if challenger.get("short"):
        found["capital"] = f"warning: its money does not last if every claim is disputed: {challenger['capital']}"
    if challenger.get("short_of_stakes"):
        found["stakes"] = f"warning: its money does not last to claim what it posts: {challenger['keeper_capital']}"
    return found
