"""The player: compares every claim on L1 with what the workers executed, and plays against the false ones.

It decides and sends through the same `CourtPlayer` as the operator's publisher. It keeps nothing of its own: after a
restart in the middle of a game everything is read from L1 again, and what it knows from Redis.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis.exceptions import RedisError

from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import Epochs
from setoff.shared.errors import SetoffError
from setoff.shared.l1.player import CourtPlayer, Round
from setoff.watcher.context import Context
from setoff.watcher.dispute.capital import count_dispute_capital, count_keeper_capital, sum_locked, sum_staked
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.liveness.liveness_keeper import LivenessKeeper, run_liveness_keeper
from setoff.watcher.monitor.status import Pulse
from setoff.watcher.preflight import check_preflight
from setoff.watcher.receipts.prosecutor import Prosecutor
from setoff.watcher.settings import WatcherSettings

FAREWELL: Final = 3.0
"""Seconds that a liveness keeper has to end its round when the challenger stops. Cutting it short does no harm."""

HISTORY_WAIT: Final = 1.0
"""Seconds that a round waits for the history of one epoch. One that takes longer is built while the games go on."""

CAPITAL_EVERY: Final = 30.0
"""Seconds between two looks at the account's money."""

log = logging.getLogger(__name__)


OpenEpochs = Callable[[WatcherSettings, Context], Epochs]
"""Gives what a player goes by."""


def open_epochs(settings: WatcherSettings, context: Context) -> ExecutedEpochs:
    """What this watcher's workers have executed."""
    return ExecutedEpochs(context.archive, claims=settings.claims_after is not None, wait=HISTORY_WAIT)


def make_player(settings: WatcherSettings, context: Context, open_epochs: OpenEpochs = open_epochs) -> CourtPlayer:
    """The player that the settings ask for; `context` are opened with its key. Raises ConfigError, ChainError."""
    policy = Policy(claim_after=settings.claims_after, deference=settings.deference)
    epochs = open_epochs(settings, context)
    return CourtPlayer(context.l1, context.deployment.court, epochs, policy, first_block=context.deployment.block)


def run_challenger(settings: WatcherSettings, stop: threading.Event, open_epochs: OpenEpochs = open_epochs) -> None:
    """Play until `stop` is set. Whatever fails is tried again in the next round, `settings.l1_poll` seconds later."""
    context = Context.open(settings, key=settings.private_key())
    check_preflight(settings, context.l1)
    player = make_player(settings, context, open_epochs)
    capital_watch = CapitalWatch(player, is_liveness_keeper=settings.liveness_keeper)
    prosecutor = Prosecutor(context)
    with Pulse(context.store, "challenger").beating() as pulse, keeping_alive(settings, context, stop):
        pulse.tell(account="0x" + context.l1.address.hex(), sent=0)
        sent: Counter[str] = Counter()
        while not stop.is_set():
            try:
                result = player.step()
                sent.update(type(action).__name__.lower() for action, _ in result.sent)
                pulse.tell(error="", **describe(player, result), sent=sent.total(), actions=dict(sent))
                pulse.tell(**capital_watch.look())
                prosecutor.step()
                pulse.tell(charges=dict(prosecutor.counts))
            except (SetoffError, RedisError) as error:
                log.warning("the round was broken off: %s", error)
                pulse.tell(error=str(error))
            stop.wait(settings.l1_poll)


class CapitalWatch:
    """Looks at a player's money now and then, and warns when it gets too little."""

    def __init__(self, player: CourtPlayer, *, is_liveness_keeper: bool = False) -> None:
        self._player = player
        self._is_liveness_keeper = is_liveness_keeper
        self._next = 0.0
        self._was_short = False
        self._cannot_keep = False
        self._facts: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        """For the status, after a round: `capital` for people, and whether they are `short` of what attacks may take;
        of a liveness keeper also `keeper_capital`, and whether it is `short_of_stakes`.

        Raises ChainError if L1 does not answer.
        """
        if time.monotonic() < self._next:
            return self._facts
        self._next = time.monotonic() + CAPITAL_EVERY
        l1, court = self._player.l1, self._player.reader.court
        held = l1.balance(l1.address)
        capital = count_dispute_capital(court.terms, held, sum_locked(court, l1.address))
        if capital.is_short and not self._was_short:
            log.warning("the capital does not last if every claim is disputed: %s", capital.describe())
        self._was_short = capital.is_short
        self._facts = {"capital": capital.describe(), "short": capital.is_short}
        if self._is_liveness_keeper:
            keeper_capital = count_keeper_capital(court.terms, held, sum_staked(court, l1.address))
            if keeper_capital.cannot_begin and not self._cannot_keep:
                log.warning("what this liveness keeper posts it could not claim: %s", keeper_capital.describe())
            self._cannot_keep = keeper_capital.cannot_begin
            self._facts |= {"keeper_capital": keeper_capital.describe(), "short_of_stakes": keeper_capital.is_short}
        return self._facts


@contextmanager
def keeping_alive(settings: WatcherSettings, context: Context, stop: threading.Event) -> Iterator[None]:
    """A liveness keeper in a thread of its own as long as the block runs, if the settings ask for one.

    It shares the challenger's connection, since an account's nonces have one owner. Set `stop` before the block ends.
    """
    if not settings.liveness_keeper:
        yield
        return
    liveness_keeper = LivenessKeeper(context.l1, context.archive, settings.liveness_keeper_pace)
    with Pulse(context.store, "liveness_keeper").beating() as pulse:
        arguments = (liveness_keeper, pulse, stop, settings.l1_poll)
        thread = threading.Thread(target=run_liveness_keeper, args=arguments, name="liveness_keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join(FAREWELL)


def describe(player: CourtPlayer, result: Round) -> dict[str, Any]:
    """For the status: how far L1 was read and is confirmed, the open disputes, and what was refused just now."""
    court = player.reader.court
    disputes = [
        {"epoch": claim.epoch, "key": "0x" + claim.key.hex(), "standing": len(claim.standing())}
        for claim in court.unfinished()
        if claim.state.value == "disputed"
    ]
    return {
        "block": result.block,
        "confirmed": court.confirmed,
        "disputes": disputes,
        "refused": [f"{type(action).__name__.lower()}: {reason}" for action, reason in result.refused],
        "alarm": player.is_alarmed,
    }
