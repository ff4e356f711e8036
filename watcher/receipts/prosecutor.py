"""Takes the operator's bond for receipts that it broke, from the challenger's account.

It sends no money but gas. A charge, or a collection, that goes out twice is refused the second time (`receipt_used`,
`nothing_owed`), most often in the trial before it is sent.
"""

from __future__ import annotations

import logging
from collections import Counter

from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.evidence import prosecute
from setoff.shared.l1.receipts import ReceiptsContract, collect
from setoff.watcher.context import Context
from setoff.watcher.receipts.docket import OPEN, Case, ReceiptDocket

PASSING = ("no_bond", "wrong_input", "too_early")
"""Refusals that pass: there may be a bond again, or the batch that L1 does not know (a reorg) comes back."""
USED = "receipt_used"
WON = "won"

log = logging.getLogger(__name__)


class Prosecutor:
    """`counts`: charges by what became of them since the start."""

    def __init__(self, context: Context) -> None:
        """`context` were opened with the key of the account that is rewarded."""
        self._l1 = context.l1
        self._contract = ReceiptsContract(context.l1, context.deployment.receipts)
        self._first = context.deployment.block
        self._store = ReceiptDocket(context.store)
        self.counts: Counter[str] = Counter()

    def step(self) -> None:
        """Show L1 every open charge that a dry run says it takes, and collect what that earns.

        One that a reorg has undone is open again. Raises ChainError if L1 cannot be read, RedisError.
        """
        reopened = self._store.reopen(self._l1.block)
        cases = self._store.cases()
        if not cases:
            return
        self._collect()
        if self._contract.bond().held == 0 and not reopened:
            return
        for case in cases:
            if case.state == OPEN and self._show(case):
                self._collect()
                return

    def _show(self, case: Case) -> bool:
        """Show L1 one charge; returns whether it took the bond."""
        head = self._l1.head()
        try:
            receipt = prosecute(self._l1, self._contract.address, case.charge)
        except Reverted as refusal:
            if refusal.reason in PASSING:
                return False
            is_ours = refusal.reason == USED and self._contract.has_won(self._l1.address, case.sequence, self._first)
            state = WON if is_ours else refusal.reason  # after a reorg our call may be in another block already
            log.warning("charge %s is refused: %s", case.name, refusal.reason)
            self._store.close(case, state, head.number, head.hash)
            self.counts[WON if is_ours else "refused"] += 1
            return False
        log.warning("charge %s took the bond, in block %d", case.name, receipt.block_number)
        self._store.close(case, WON, receipt.block_number, receipt.block_hash)
        self.counts[WON] += 1
        return True

    def _collect(self) -> None:
        if self._contract.owed(self._l1.address):
            self._l1.transact(self._contract.address, collect(self._l1.address))
