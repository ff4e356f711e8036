"""An operator that claims a false end of an epoch, and all that follows from it. All else is an ordinary publisher."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from setoff.deploy.simulation.faults import check_lie, plan_fault, refuse_mainnet
from setoff.deploy.simulation.lies import CLAIM_LIES, SILENT
from setoff.deploy.simulation.silent_player import SilentPlayer
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.publisher.publisher import run_publisher
from setoff.operator.settings import OperatorSettings
from setoff.shared.dispute.strategy import Player
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine

WRONG_ROOT: Final = "wrong-root"
"""What a silent liar claims."""

log = logging.getLogger(__name__)


class FalseEpochs(ClaimedEpochs):
    """The truth up to a lie, which is told once, and false from there on, for it builds on what it claimed.

    When L1 confirms another start than these have, they are cut there and go on from the truth.
    """

    def __init__(
        self,
        machine: Machine,
        first: int = 0,
        queue_hash: bytes = ZERO,
        *,
        fault: str,
        from_batch: int,
        is_confirmed: Callable[[int], bool] = lambda _: False,
    ) -> None:
        """`fault` of `FAULTS` is told in the first epoch from batch `from_batch` on that it fits, and whose end L1 has
        not confirmed."""
        super().__init__(machine, first, queue_hash)
        self.told: int | None = None
        """The epoch that it was told about."""
        self._fault = fault
        self._from_batch = from_batch
        self._is_confirmed = is_confirmed

    def execute(self, start: Machine, batches: Sequence[Batch], queue_hash: bytes) -> EpochRun:
        """The run of an epoch, by the rules or not."""
        is_time = self.told is None and batches[-1].header.number >= self._from_batch
        stepper = plan_fault(self._fault, start, batches) if is_time and not self._is_confirmed(self.next) else None
        if stepper is None:
            return super().execute(start, batches, queue_hash)
        self.told = self.next
        log.warning("lying about epoch %d", self.told)
        return EpochRun(start, batches, queue_hash, stepper)

    def check(self, number: int, confirmed: bytes) -> None:
        """Go back to the truth where L1 has confirmed it."""
        if self.told is not None and self.told < number <= self.next and self.start_hash(number) != confirmed:
            log.warning("epoch %d starts elsewhere than was claimed: claiming again from there", number)
            batches = self[number - 1].batches
            self.cut(number - 1)
            self.extend(batches)
        super().check(number, confirmed)


def run_lying_publisher(settings: OperatorSettings, lie: str, from_batch: int = 0) -> None:
    """Publish until SIGTERM or SIGINT, and tell a lie of CLAIM_LIES about the first epoch from `from_batch` on.

    Raises ConfigError if there is no such lie, and on mainnet.
    """
    check_lie(lie, CLAIM_LIES)
    refuse_mainnet(settings)
    deployment = settings.load_deployment()
    court = CourtContract(L1(settings.rpc_url, chain_id=deployment.chain_id), deployment.court)
    make_epochs = partial(
        FalseEpochs,
        fault=WRONG_ROOT if lie == SILENT else lie,
        from_batch=from_batch,
        is_confirmed=lambda epoch: court.view("start_of", epoch + 1) != ZERO,
    )
    run_publisher(settings, make_epochs, SilentPlayer if lie == SILENT else Player)
