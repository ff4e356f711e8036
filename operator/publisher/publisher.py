"""The publisher: the operator's process that faces L1. It posts closed batches, claims their ends, and defends them.

Two threads: the poster keeps its beat while the player is busy with a dispute. The player is the watchers' own, with
the operator's line of epochs as its knowledge, and claims epochs ahead without waiting for confirmations. Nothing but a
snapshot of confirmed epochs is kept between two runs: the rest is on L1 and in the outbox.

Here an operator can lie about what batches end at (the setting `fault`); what the sequencer says stays true, but for
its two lies about receipts (`notary.py`).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import RedisError

from setoff.contracts.verification import check_deployment
from setoff.operator.publisher.bond import put_up_bond
from setoff.operator.publisher.claimed_epochs import SILENT, Lie, Line
from setoff.operator.publisher.poster import Poster
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.receipt_signer import RECEIPT_FAULTS
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.settings import OperatorSettings
from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.game import Court
from setoff.shared.dispute.knowledge import Epochs, Known
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.errors import SetoffError, WitnessError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.l1.sender import GWEI, Fees
from setoff.shared.machine.batch import Batch, epoch_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine

EPOCHS_A_ROUND: Final = 8
"""Epochs run between two rounds of the player, so that catching up never makes it miss a clock."""
EPOCHS_KEPT: Final = 16
"""Confirmed epochs kept, in case a reorg takes confirmations back; so many more before they are let go together."""
POST_SECONDS: Final = 0.3

log = logging.getLogger(__name__)


class LineEpochs:
    """The line as the player's knowledge."""

    def __init__(self, line: Line, epoch_batches: int) -> None:
        self._line = line
        self._epoch_batches = epoch_batches

    def known(self, epoch: int) -> Known | None:
        """An epoch of the line, None if it is not run yet or let go."""
        if not self._line.first <= epoch < self._line.next:
            return None
        entry = self._line[epoch]
        last = entry.batches[-1].header
        return Known(epoch_hash(epoch, self._epoch_batches, last.hash()), last.timestamp, entry.run)


class SilentPlayer(Player):
    """Claims and joins like any other, and never moves."""

    def choose(self, court: Court, epochs: Epochs, now: int) -> list[Action]:
        """What a player would do, without the moves."""
        moves = (actions.Move, actions.Timeout, actions.Prove)
        return [action for action in super().choose(court, epochs, now) if not isinstance(action, moves)]


class Publisher:
    """The player's side: `step` brings the line up to date with L1 and plays a round."""

    def __init__(self, l1: L1, chain: ChainReader, outbox: Outbox, store: Store, lie: Lie | None) -> None:
        """`l1` has the operator's key."""
        deployment = chain.deployment
        self._chain = chain
        self._outbox = outbox
        self._store = store
        self._epoch_batches = deployment.epoch_batches
        self.line = store.load(chain, lie)
        self.player = CourtPlayer(
            l1,
            deployment.court,
            LineEpochs(self.line, self._epoch_batches),
            Policy(claim_after=0),
            first_block=deployment.block,
        )
        if lie is not None and lie.name == SILENT:
            self.player.player = SilentPlayer(l1.address, Policy(claim_after=0))

    def step(self) -> None:
        """One round. Raises ChainError, DataError or RedisError; the next round begins anew."""
        self.player.reader.poll()
        self._follow()
        self._correct()
        self.player.step()
        self._forget()

    def _follow(self) -> None:
        """Drop epochs whose batches a reorg replaced, run those that are posted."""
        line, count = self.line, self._epoch_batches
        while line.next > line.first:
            header = line[line.next - 1].batches[-1].header
            if self._chain.batch_hash(header.number) == header.hash():
                break
            log.warning("a reorg replaced batch %d", header.number)
            line.cut(line.next - 1)
        posted = self._chain.batch_count() // count
        for epoch in range(line.next, min(posted, line.next + EPOCHS_A_ROUND)):
            batches = [self._read(number) for number in range(epoch * count, (epoch + 1) * count)]
            line.extend(batches, is_confirmed=epoch + 1 in self.player.reader.court.start_of)
            if line[epoch].is_lie:
                log.warning("lying about epoch %d", epoch)

    def _read(self, number: int) -> Batch:
        """A posted batch: our own copy if that is what L1 holds, else L1's."""
        sealed = self._outbox.get(number)
        if sealed is not None and sealed.batch.header.hash() == self._chain.batch_hash(number):
            return sealed.batch
        return self._chain.batch(number)

    def _correct(self) -> None:
        """Go back to the truth where L1 has confirmed it."""
        confirmed = self.player.reader.court.start_of
        for epoch in range(self.line.first + 1, self.line.next + 1):
            if epoch in confirmed and self.line.correct(epoch, confirmed[epoch]):
                log.warning("epoch %d starts elsewhere than was claimed: claiming again from there", epoch)
                return

    def _forget(self) -> None:
        """Let go of what is confirmed and settled, and keep a snapshot to begin from next time."""
        court = self.player.reader.court
        open_epochs = [claim.epoch for claim in court.unfinished() if not court.is_false_start(claim)]
        needed = min([court.confirmed, *open_epochs]) - EPOCHS_KEPT
        if needed - self.line.first >= EPOCHS_KEPT:
            self.line.forget(min(needed, self.line.next))
            self._store.save(self.line)


class Store:
    """The publisher's snapshot in Redis: `{namespace}:publisher`, a hash of epoch, chain and machine at its start."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._key = f"{namespace}:publisher"

    def save(self, line: Line) -> None:
        """Keep the beginning of the line."""
        snapshot = line.start(line.first).snapshot()
        fields = {"epoch": line.first, "chain": line.chain(line.first), "machine": snapshot}
        self._redis.hset(self._key, mapping=cast(Any, fields))

    def load(self, chain: ChainReader, lie: Lie | None) -> Line:
        """A line from the snapshot, if it is what L1 has confirmed, else from genesis."""
        fields = cast("dict[bytes, bytes]", self._redis.hgetall(self._key))
        if fields:
            epoch = int(fields[b"epoch"])
            try:
                machine = Machine.restore(fields[b"machine"])
            except WitnessError:
                log.warning("the snapshot is damaged: beginning from genesis")
            else:
                court = CourtContract(chain.l1, chain.deployment.court)
                if court.view("start_of", epoch) == machine.hash():
                    return Line(machine, epoch, fields[b"chain"], lie)
        return Line(Machine.genesis(chain.deployment.domain), 0, ZERO, lie)


def run_publisher(settings: OperatorSettings) -> None:
    """Publish until SIGTERM or SIGINT. Raises ConfigError or ChainError if it cannot start."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deployment = settings.load_deployment()
    fees = Fees(blob_cap=settings.blob_fee_cap * GWEI)
    l1 = L1(settings.rpc_url, settings.private_key(), chain_id=deployment.chain_id, fees=fees)
    check_deployment(l1, deployment)
    is_lie = settings.fault and settings.fault not in RECEIPT_FAULTS
    lie = Lie(settings.fault, settings.fault_batch, l1.chain_id) if is_lie else None
    if settings.receipts:
        put_up_bond(l1, deployment)
    with RedisServer.open(settings) as server, server.client() as redis:
        chain = ChainReader(l1, deployment, DataPlaces(settings.beacon_url))
        outbox = Outbox(redis, deployment.namespace)
        publisher = Publisher(l1, chain, outbox, Store(redis, deployment.namespace), lie)
        poster = Poster(l1, chain, outbox)
        posting = threading.Thread(target=_repeat, args=(poster.post_next, POST_SECONDS, stop), name="poster")
        posting.start()
        print(f"publisher: 0x{l1.address.hex()}", flush=True)
        _repeat(publisher.step, settings.l1_poll, stop)
        posting.join()


def _repeat(action: Callable[[], object], seconds: float, stop: threading.Event) -> None:
    """Do it every so many seconds until `stop`; what fails is logged, once for each message, and tried again."""
    failure = ""
    while not stop.is_set():
        try:
            action()
            failure = ""
        except (SetoffError, RedisError, OSError) as error:
            if str(error) != failure:
                failure = str(error)
                log.warning("%s: %s", threading.current_thread().name, failure)
        stop.wait(seconds)
