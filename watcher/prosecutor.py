"""Takes the operator's bond for receipts that it broke, from the challenger's account."""

from __future__ import annotations

import logging
from collections import Counter

from setoff.shared.adapters.l1 import Reverted
from setoff.shared.adapters.receipts import ReceiptsContract, collect
from setoff.shared.client.evidence import prosecute
from setoff.watcher.parts import Parts
from setoff.watcher.receipts import OPEN, ReceiptStore

#: Refusals that pass: there may be a bond again, or the batch that L1 does not know (a reorg) comes back.
PASSING = ("no_bond", "wrong_input", "too_early")

log = logging.getLogger(__name__)


class Prosecutor:
    """`counts`: charges by what became of them since the start."""

    def __init__(self, parts: Parts) -> None:
        """`parts` were opened with the key of the account that is rewarded."""
        self._l1 = parts.l1
        self._contract = ReceiptsContract(parts.l1, parts.deployment.receipts)
        self._store = ReceiptStore(parts.store)
        self.counts: Counter[str] = Counter()

    def step(self) -> None:
        """Show L1 every open charge that a dry run says it takes, and collect what that earns.

        Raises ChainError if L1 cannot be read, RedisError.
        """
        cases = [case for case in self._store.cases() if case.state == OPEN]
        if not cases or self._contract.bond().held == 0:
            return
        for case in cases:
            try:
                receipt = prosecute(self._l1, self._contract.address, case.charge)
            except Reverted as refusal:
                if refusal.reason not in PASSING:
                    log.warning("charge %s is refused: %s", case.name, refusal.reason)
                    self._store.close(case, refusal.reason)
                    self.counts["refused"] += 1
                continue
            log.warning("charge %s took the bond, in block %d", case.name, receipt.block_number)
            self._store.close(case, "won")
            self.counts["won"] += 1
            self._l1.transact(self._contract.address, collect(self._l1.address))
            return
