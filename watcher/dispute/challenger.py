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

from setoff.shared.dispute.knowledge import Epochs
from setoff.shared.dispute.strategy import Policy
from setoff.shared.errors import SetoffError
from setoff.shared.l1.player import CourtPlayer, Round
from setoff.watcher.context import Parts
from setoff.watcher.dispute.capital import count_care, count_funds, sum_locked, sum_staked
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.liveness.liveness_keeper import Caretaker, run_caretaker
from setoff.watcher.monitor.status import Pulse
from setoff.watcher.preflight import check_start
from setoff.watcher.receipts.prosecutor import Prosecutor
from setoff.watcher.settings import WatcherSettings

FAREWELL: Final = 3.0
"""Seconds that a caretaker has to end its round when the challenger stops. Cutting it short does no harm."""

HISTORY_WAIT: Final = 1.0
"""Seconds that a round waits for the history of one epoch. One that takes longer is built while the games go on."""

FUNDS_EVERY: Final = 30.0
"""Seconds between two looks at the account's money."""

log = logging.getLogger(__name__)


OpenEpochs = Callable[[WatcherSettings, Parts], Epochs]
"""Gives what a player goes by."""


def open_epochs(settings: WatcherSettings, parts: Parts) -> ExecutedEpochs:
    """What this watcher's workers have executed."""
    return ExecutedEpochs(parts.archive, claims=settings.claims_after is not None, wait=HISTORY_WAIT)


def make_player(settings: WatcherSettings, parts: Parts, open_epochs: OpenEpochs = open_epochs) -> CourtPlayer:
    """The player that the settings ask for; `parts` are opened with its key. Raises ConfigError, ChainError."""
    policy = Policy(claim_after=settings.claims_after, deference=settings.deference)
    epochs = open_epochs(settings, parts)
    return CourtPlayer(parts.l1, parts.deployment.court, epochs, policy, first_block=parts.deployment.block)


def run_challenger(settings: WatcherSettings, stop: threading.Event, open_epochs: OpenEpochs = open_epochs) -> None:
    """Play until `stop` is set. Whatever fails is tried again in the next round, `settings.l1_poll` seconds later."""
    parts = Parts.open(settings, key=settings.private_key())
    check_start(settings, parts.l1)
    player = make_player(settings, parts, open_epochs)
    treasurer = Treasurer(player, is_caretaker=settings.caretaker)
    prosecutor = Prosecutor(parts)
    with Pulse(parts.store, "challenger").beating() as pulse, caring(settings, parts, stop):
        pulse.tell(account="0x" + parts.l1.address.hex(), sent=0)
        sent: Counter[str] = Counter()
        while not stop.is_set():
            try:
                result = player.step()
                sent.update(type(action).__name__.lower() for action, _ in result.sent)
                pulse.tell(error="", **describe(player, result), sent=sent.total(), actions=dict(sent))
                pulse.tell(**treasurer.look())
                prosecutor.step()
                pulse.tell(charges=dict(prosecutor.counts))
            except (SetoffError, RedisError) as error:
                log.warning("the round was broken off: %s", error)
                pulse.tell(error=str(error))
            stop.wait(settings.l1_poll)


class Treasurer:
    """Looks at a player's money now and then, and warns when it gets too little."""

    def __init__(self, player: CourtPlayer, *, is_caretaker: bool = False) -> None:
        self._player = player
        self._is_caretaker = is_caretaker
        self._next = 0.0
        self._was_short = False
        self._cannot_care = False
        self._facts: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        """For the status, after a round: `funds` for people, and whether they are `short` of what attacks may take; of
        a caretaker also `care`, and whether it is `short_of_stakes`.

        Raises ChainError if L1 does not answer.
        """
        if time.monotonic() < self._next:
            return self._facts
        self._next = time.monotonic() + FUNDS_EVERY
        l1, court = self._player.l1, self._player.reader.court
        held = l1.balance(l1.address)
        funds = count_funds(court.terms, held, sum_locked(court, l1.address))
        if funds.is_short and not self._was_short:
            log.warning("the funds do not last if every claim is disputed: %s", funds.describe())
        self._was_short = funds.is_short
        self._facts = {"funds": funds.describe(), "short": funds.is_short}
        if self._is_caretaker:
            care = count_care(court.terms, held, sum_staked(court, l1.address))
            if care.cannot_begin and not self._cannot_care:
                log.warning("what this caretaker posts it could not claim: %s", care.describe())
            self._cannot_care = care.cannot_begin
            self._facts |= {"care": care.describe(), "short_of_stakes": care.is_short}
        return self._facts


@contextmanager
def caring(settings: WatcherSettings, parts: Parts, stop: threading.Event) -> Iterator[None]:
    """A caretaker in a thread of its own as long as the block runs, if the settings ask for one.

    It shares the challenger's connection, since an account's nonces have one owner. Set `stop` before the block ends.
    """
    if not settings.caretaker:
        yield
        return
    caretaker = Caretaker(parts.l1, parts.archive, settings.caretaker_pace)
    with Pulse(parts.store, "caretaker").beating() as pulse:
        arguments = (caretaker, pulse, stop, settings.l1_poll)
        thread = threading.Thread(target=run_caretaker, args=arguments, name="caretaker", daemon=True)
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
