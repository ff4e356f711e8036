"""The publisher: the operator's process that faces L1. It posts closed batches, claims their ends, and defends them.

Two threads: the batcher keeps its beat while the defender is busy with a dispute. Nothing but a snapshot of confirmed
epochs is kept between two runs, and that a fast path was wrong: the rest is on L1 and in the outbox.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from redis.exceptions import RedisError

from setoff.contracts.verification import check_deployment
from setoff.operator.publisher.batcher import Batcher
from setoff.operator.publisher.bond import put_up_bond
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.publisher.defender import Defender, MakePlayer
from setoff.operator.publisher.proposer import Proposer
from setoff.operator.publisher.snapshot import EpochSnapshot, MakeEpochs
from setoff.operator.publisher.vital_signs import VitalSigns
from setoff.operator.pulse import Pulse
from setoff.operator.sequencer import unfinished
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.settings import OperatorSettings
from setoff.shared import advice
from setoff.shared.config import readiness
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.dispute.strategy import Player
from setoff.shared.errors import ConfigError, SetoffError
from setoff.shared.l1.abilities import tell_lacks
from setoff.shared.l1.account import open_account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.patience import try_until
from setoff.shared.l1.sender import Fees
from setoff.shared.l1.stored_bids import StoredBids
from setoff.shared.l1.survey import Survey
from setoff.shared.machine.spot_checks import WrongFastPath
from setoff.shared.params import GWEI

EPOCHS_KEPT: Final = 16
"""Confirmed epochs kept, in case a reorg takes confirmations back; so many more before they are let go together."""
POST_SECONDS: Final = 0.3

log = logging.getLogger(__name__)


class Publisher:
    """Claims and their defence: `step` brings the claims up to date with L1 and plays a round."""

    def __init__(
        self, proposer: Proposer, defender: Defender, snapshot: EpochSnapshot, survey: Survey | None = None
    ) -> None:
        """`survey`: of the endpoints, if there are several."""
        self._proposer = proposer
        self._defender = defender
        self._snapshot = snapshot
        self._survey = survey
        self._alarm = ""  # what is still to be kept of a wrong fast path

    def step(self) -> None:
        """One round. Raises ChainError, DataError or RedisError; the next round begins anew."""
        self._keep_alarm()
        if self._survey is not None:
            self._survey.look()
        confirmed = self._defender.look()
        try:
            self._proposer.follow()
            self._proposer.check(confirmed)
            self._defender.play()
        except WrongFastPath as error:
            self._proposer.epochs.distrust(error)
            self._alarm = error.detail
            self._keep_alarm()
            raise
        self._forget()

    def _keep_alarm(self) -> None:
        """See to it that the next run knows of a wrong fast path. Raises RedisError; the next round tries it again."""
        if self._alarm:
            self._snapshot.alarm.ring(self._alarm)
            self._alarm = ""

    def _forget(self) -> None:
        """Let go of what is confirmed and settled, and keep a snapshot to begin from next time."""
        epochs = self._proposer.epochs
        needed = self._defender.first_needed - EPOCHS_KEPT
        if needed - epochs.first >= EPOCHS_KEPT:
            epochs.forget(min(needed, epochs.next))
            self._snapshot.save(epochs)


def run_publisher(
    settings: OperatorSettings, make_epochs: MakeEpochs = ClaimedEpochs, make_player: MakePlayer = Player
) -> None:
    """Publish until SIGTERM or SIGINT. Raises ConfigError if it cannot start, and whatever ended one of its threads:
    the process ends as a whole, for whoever started it to start it again."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deployment = settings.load_deployment()
    fees = Fees(blob_cap=settings.blob_fee_cap * GWEI)
    account = try_until(lambda: open_account(settings), stop, advice.SIGNER)
    if account is None:
        return
    l1 = L1(settings.rpc_url, account, chain_id=deployment.chain_id, fees=fees)
    try_until(lambda: check_deployment(l1, deployment), stop)
    try_until(lambda: check_operator(l1, deployment), stop)
    tell_lacks(l1)
    with RedisServer.open(settings) as server, server.client() as redis:
        unfinished.check(redis, deployment.namespace)
        l1.sender.journal = StoredBids(redis, deployment.namespace, l1.address)
        chain = ChainReader(l1, deployment, DataPlaces(settings.beacon_url))
        outbox = Outbox(redis, deployment.namespace)
        snapshot = EpochSnapshot(redis, deployment.namespace)
        proposer = Proposer(chain, outbox, snapshot.load(chain, make_epochs))
        survey = Survey(l1, settings.confirmations)
        defender = Defender(l1, deployment, proposer, make_player)
        publisher = Publisher(proposer, defender, snapshot, survey)
        batcher = Batcher(l1, chain, outbox)
        if settings.receipts:  # what can be wrong was found out before: this costs money
            put_up_bond(l1, deployment)
        failures: list[BaseException] = []
        with Pulse(redis, deployment, "publisher").beating() as pulse:
            signs = VitalSigns(pulse, chain, proposer, defender, outbox)
            repeating = (batcher.post_next, POST_SECONDS, stop, failures, partial(signs.report, "posting"))
            posting = threading.Thread(target=_repeat, args=repeating, name="batcher")
            posting.start()
            print(f"publisher: 0x{l1.address.hex()}", flush=True)
            readiness.tell(readiness.READY)

            def step() -> None:
                signs.look()
                publisher.step()

            _repeat(step, settings.l1_poll, stop, failures, partial(signs.report, "claims"))
            posting.join()
        for failure in failures:
            raise failure


def check_operator(l1: L1, deployment: Deployment) -> None:
    """Raises ConfigError unless the account of `l1` is the one whose batches the inbox takes, ChainError."""
    operator = Inbox(l1, deployment).operator()
    if l1.address != operator:
        raise ConfigError("bad_config", f"operator.key: the inbox has another operator, 0x{operator.hex()}")


def _repeat(
    action: Callable[[], object],
    seconds: float,
    stop: threading.Event,
    failures: list[BaseException],
    report: Callable[[str], object] = lambda failure: None,
) -> None:
    """Do it every so many seconds until `stop`; what fails is logged, once for each message, and tried again. `report`
    hears what keeps it, "" for nothing.

    What nobody foresaw ends the other thread, too: half a publisher would look like a whole one.
    """
    failure = ""
    while not stop.is_set():
        try:
            action()
            if failure:
                report("")
            failure = ""
        except (SetoffError, RedisError, OSError) as error:
            if str(error) != failure:
                failure = str(error)
                log.warning("%s: %s", threading.current_thread().name, failure)
                report(failure)
        except Exception as error:
            log.exception("%s ends, and the publisher with it", threading.current_thread().name)
            failures.append(error)
            stop.set()
        stop.wait(seconds)
