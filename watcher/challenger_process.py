"""The process with the key: plays at the court, shows L1 what the operator broke, and keeps the exchange going.

An account's nonces have one owner, so whatever this watcher sends is sent from here.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import RedisError

from setoff.shared import advice
from setoff.shared.errors import SetoffError
from setoff.shared.l1.account import open_account
from setoff.shared.l1.patience import try_until
from setoff.shared.l1.survey import Survey
from setoff.watcher.context import Context
from setoff.watcher.dispute.capital_watch import CapitalWatch
from setoff.watcher.dispute.challenger import OpenEpochs, describe, make_player, open_epochs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.liveness.liveness_keeper import LivenessKeeper, run_liveness_keeper
from setoff.watcher.preflight import check_preflight
from setoff.watcher.pulse import Pulse
from setoff.watcher.receipts.prosecutor import Prosecutor
from setoff.watcher.settings import WatcherSettings

FAREWELL: Final = 3.0
"""Seconds that a liveness keeper has to end its round when the challenger stops. Cutting it short does no harm."""

log = logging.getLogger(__name__)


def run_challenger(settings: WatcherSettings, stop: threading.Event, open_epochs: OpenEpochs = open_epochs) -> None:
    """Play until `stop` is set. Whatever fails is tried again in the next round, `settings.l1_poll` seconds later."""
    account = try_until(lambda: open_account(settings), stop, advice.SIGNER)
    if account is None:
        return
    context = Context.open(settings, key=account)
    try_until(lambda: check_preflight(settings, context.l1), stop)
    player = make_player(settings, context, open_epochs)
    capital_watch = CapitalWatch(player, is_liveness_keeper=settings.liveness_keeper)
    prosecutor = Prosecutor(context)
    survey = Survey(context.l1, settings.confirmations)
    with Pulse(context.store, "challenger").beating() as pulse, keeping_alive(settings, context, stop):
        pulse.tell(account="0x" + context.l1.address.hex(), sent=0)
        sent: Counter[str] = Counter()
        while not stop.is_set():
            pulse.tell(endpoints=survey.look())
            try:
                result = player.step()
                sent.update(type(action).__name__.lower() for action, _ in result.sent)
                pulse.tell(error="", **describe(player, result), sent=sent.total(), actions=dict(sent))
                pulse.tell(**capital_watch.look())
                prosecutor.step()
                pulse.tell(charges=dict(prosecutor.counts), spending=context.l1.sender.spending.to_json())
            except (SetoffError, RedisError) as error:
                log.warning("the round was broken off: %s", error)
                pulse.tell(error=str(error))
            stop.wait(settings.l1_poll)


@contextmanager
def keeping_alive(settings: WatcherSettings, context: Context, stop: threading.Event) -> Iterator[None]:
    """A liveness keeper in a thread of its own as long as the block runs, if the settings ask for one.

    It shares the challenger's connection, since an account's nonces have one owner. Set `stop` before the block ends.
    """
    if not settings.liveness_keeper:
        yield
        return
    liveness_keeper = LivenessKeeper(context.l1, Archive.of(context), settings.liveness_keeper_pace)
    with Pulse(context.store, "liveness_keeper").beating() as pulse:
        arguments = (liveness_keeper, pulse, stop, settings.l1_poll)
        thread = threading.Thread(target=run_liveness_keeper, args=arguments, name="liveness_keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join(FAREWELL)
