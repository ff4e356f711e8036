"""An operator that breaks its receipts: two lies, each told once. All else is an ordinary sequencer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from setoff.deploy.simulation.faults import check_lie, refuse_mainnet
from setoff.deploy.simulation.lies import BROKEN_RECEIPT, RECEIPT_LIES
from setoff.operator.api.service import run_sequencer
from setoff.operator.sequencer.exchange import Link, SubmitResult
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.operator.sequencer.sequencer import Sequencer
from setoff.operator.sequencer.submissions import Answer
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import receipts, records
from setoff.shared.codec.hashing import keccak

log = logging.getLogger(__name__)


class BrokenSigner(ReceiptSigner):
    """Signs one receipt for another record's place."""

    def __init__(self, *arguments: Any, from_batch: int = 0) -> None:
        """`arguments`: those of `ReceiptSigner`."""
        super().__init__(*arguments)
        self._from_batch = from_batch
        self._was_told = False

    def attest(self, results: Sequence[SubmitResult]) -> list[SubmitResult]:
        """See `ReceiptSigner`."""
        attested = super().attest(results)
        for place, result in enumerate(results):
            is_time = result.record[0] == records.ORDER and result.batch >= self._from_batch and result.sequence > 0
            if is_time and not self._was_told:
                self._was_told = True
                log.warning("lying about the place of record %d", result.sequence)
                (lie,) = super().attest([replace(result, sequence=result.sequence - 1)])
                attested[place] = replace(result, signed=lie.signed)
        return attested


class OmittingSequencer(Sequencer):
    """Throws one record away that it gives a receipt for."""

    def __init__(self, *arguments: Any, from_batch: int = 0) -> None:
        """`arguments`: those of `Sequencer`; it has a signer."""
        super().__init__(*arguments)
        self._from_batch = from_batch
        self._was_told = False

    def enter(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer, signed: object = None) -> None:
        """See `Sequencer`."""
        cursor, signer = self.exchange.cursor, self.signer
        is_time = record[0] == records.ORDER and cursor.number >= self._from_batch and self.obstacle() is None
        if self._was_told or not is_time or signer is None:
            super().enter(record, leg_pages, answer, signed)
            return
        self._was_told = True
        log.warning("omitting record %d", cursor.records)
        hashed = keccak(record)
        link = Link(hashed, receipts.extend(cursor.running, hashed))
        time = self.exchange.machine.regs.time
        place = cursor.records, cursor.number, self.exchange.inputs
        answer(signer.attest([SubmitResult(*place, record, (), 0, time=time, links=(link,))])[0])


def run_lying_sequencer(settings: OperatorSettings, lie: str, from_batch: int = 0) -> None:
    """Run the sequencer and its API until SIGTERM or SIGINT, and tell a lie of RECEIPT_LIES.

    Raises ConfigError if there is no such lie, and on mainnet.
    """
    check_lie(lie, RECEIPT_LIES)
    refuse_mainnet(settings)
    if lie == BROKEN_RECEIPT:
        run_sequencer(settings, make_signer=partial(BrokenSigner, from_batch=from_batch))
    else:
        run_sequencer(settings, make_sequencer=partial(OmittingSequencer, from_batch=from_batch))
