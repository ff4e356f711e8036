"""Looks at a player's money now and then, and warns when it gets too little."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from setoff.shared.dispute.holdings import sum_locked, sum_staked
from setoff.shared.l1.player import CourtPlayer
from setoff.watcher.dispute.capital import count_dispute_capital, count_keeper_capital

CAPITAL_EVERY: Final = 30.0
"""Seconds between two looks at the account's money."""

log = logging.getLogger(__name__)


class CapitalWatch:
    """Of one player. `look` may be called in every round."""

    def __init__(self, player: CourtPlayer, *, is_liveness_keeper: bool = False) -> None:
        self._player = player
        self._is_liveness_keeper = is_liveness_keeper
        self._next = 0.0
        self._was_short = False
        self._cannot_keep = False
        self._facts: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        """For the status, after a round: what the account has, in wei; `capital` for people, and whether that is
        `short` of what attacks may take; of a liveness keeper also `keeper_capital`, and if it is `short_of_stakes`.

        Raises ChainError if L1 does not answer.
        """
        if time.monotonic() < self._next:
            return self._facts
        self._next = time.monotonic() + CAPITAL_EVERY
        l1, court = self._player.l1, self._player.reader.court
        held = l1.balance(l1.address)
        locked, staked = sum_locked(court, l1.address), sum_staked(court, l1.address)
        capital = count_dispute_capital(court.terms, held, locked)
        if capital.is_short and not self._was_short:
            log.warning("the capital does not last if every claim is disputed: %s", capital.describe())
        self._was_short = capital.is_short
        self._facts = {"capital": capital.describe(), "short": capital.is_short}
        self._facts |= {"balance_wei": held, "locked_wei": locked, "staked_wei": staked}
        if self._is_liveness_keeper:
            keeper_capital = count_keeper_capital(court.terms, held, staked)
            if keeper_capital.cannot_begin and not self._cannot_keep:
                log.warning("what this liveness keeper posts it could not claim: %s", keeper_capital.describe())
            self._cannot_keep = keeper_capital.cannot_begin
            self._facts |= {"keeper_capital": keeper_capital.describe(), "short_of_stakes": keeper_capital.is_short}
        return self._facts
