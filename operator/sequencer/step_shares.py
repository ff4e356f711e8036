"""Who makes the machine work: the steps of each account's records, so that nobody takes the machine from others.

A record is weighed by what it made the machine do, whatever became of it. While others wait, an account that has used
up its share of a window is told to come back; whoever is alone takes what there is.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from setoff.shared.codec import records
from setoff.shared.errors import StateError
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.rules import phases
from setoff.shared.state import keys

WINDOW: Final = 10.0
"""Seconds for which steps are counted together."""
SHARE: Final = phases.BATCH_STEP_CAP // 8
"""Steps of an account in a window, while others wait: some seconds of work."""


def get_sender(record: bytes) -> int:
    """The master account for which a record of 124 bytes is signed; 0 for others, which are not weighed."""
    if record[0] not in records.SIGNED or record[0] == records.REPORT:
        return 0
    return keys.get_master(records.get_head(record)[1])


class StepShares:
    """Counts steps by master account."""

    def __init__(self) -> None:
        self._used: Counter[int] = Counter()
        self._began_at = LONG_AGO

    def charge(self, sender: int, steps: int) -> None:
        """Note what the machine has done for a sender."""
        now = time.monotonic()
        if now >= self._began_at + WINDOW:
            self._used.clear()
            self._began_at = now
        if sender:
            self._used[sender] += steps

    def find_excess(self, sender: int) -> StateError | None:
        """Why a sender has to wait while others do, if so."""
        used = self._used.get(sender, 0)
        if used < SHARE or time.monotonic() >= self._began_at + WINDOW:
            return None
        return StateError("overloaded", f"account {sender} has used {used} steps in {WINDOW:g} s, and others wait")
