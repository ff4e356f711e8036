"""What a publisher says of itself, for its operator: what it has posted and run, what keeps it, what it has left."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from setoff.operator.publisher.batch_lag import measure_lag
from setoff.operator.publisher.defender import Defender
from setoff.operator.publisher.proposer import Proposer
from setoff.operator.pulse import Pulse
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.dispute.holdings import sum_locked, sum_staked
from setoff.shared.errors import SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.receipts import ReceiptsContract

EVERY: Final = 15.0
"""Seconds between two looks at L1 for this alone."""

log = logging.getLogger(__name__)


class VitalSigns:
    """Tells them by `pulse`; threads report what keeps them, "" for nothing."""

    def __init__(
        self, pulse: Pulse, chain: ChainReader, proposer: Proposer, defender: Defender, outbox: Outbox
    ) -> None:
        self._pulse = pulse
        self._chain = chain
        self._proposer = proposer
        self._defender = defender
        self._outbox = outbox
        self._inbox = Inbox(chain.l1, chain.deployment)
        self._receipts = ReceiptsContract(chain.l1, chain.deployment.receipts)
        self._errors: dict[str, str] = {}
        self._next_look = 0.0

    def report(self, thread: str, error: str) -> None:
        """What keeps a thread from its work."""
        self._errors[thread] = error
        self._pulse.tell(error="; ".join(f"{name}: {text}" for name, text in self._errors.items() if text))

    def look(self) -> None:
        """Look at L1, if it is time, and tell. A look that fails is for the next time: others say that L1 is silent."""
        spending = self._chain.l1.sender.spending.to_json()
        self._pulse.tell(executed_epochs=self._proposer.epochs.next, spending=spending)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + EVERY
        try:
            self._pulse.tell(**self._describe())
        except SetoffError as error:
            log.debug("no vital signs: %s", error)

    def _describe(self) -> dict[str, Any]:
        l1, now, bond = self._chain.l1, self._chain.l1.now(), self._receipts.bond()
        court, batches = self._defender.court, self._chain.deployment.epoch_batches
        return {
            "account": "0x" + l1.address.hex(),
            "balance_wei": l1.balance(l1.address),
            "posted_batches": self._chain.batch_count(),
            "silent_for": max(now - self._inbox.operator_posted_at(), 0),
            "opens_in": max(self._inbox.opens_at() - now, 0),
            "messages_waiting": self._inbox.state().waiting,
            "bond_stands": bond.stands,
            "bond_wei": bond.held,
            "staked_wei": sum_staked(court, l1.address),
            "locked_wei": sum_locked(court, l1.address),
            **measure_lag(self._outbox, court, l1.address, batches, now),
        }
