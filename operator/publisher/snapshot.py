"""Where the publisher begins after a restart: the start of the first epoch that it still needs, kept in Redis; and
whether it still believes its fast paths."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from redis import Redis

from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.sequencer.kept_start import HASH, MACHINE, start_key
from setoff.operator.sequencer.outbox import publisher_alarm
from setoff.shared.errors import WitnessError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import EVERY_STEP, Machine

MakeEpochs = Callable[[Machine, int, bytes], ClaimedEpochs]
"""(machine, number, queue hash) at the start of the first epoch to the epochs from there on, none run yet."""

log = logging.getLogger(__name__)


class EpochSnapshot:
    """`{namespace}:publisher`: a hash of epoch, queue hash and machine at its start (with its hash); `…:alarm` beside
    it. All but this is on L1 and in the outbox."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace
        self.alarm = publisher_alarm(redis, namespace)

    def save(self, epochs: ClaimedEpochs) -> None:
        """Keep the start of the first of these."""
        first = epochs.first
        write_start(self._redis, self._namespace, first, epochs.queue_hash(first), epochs.start(first))

    def load(self, chain: ChainReader, make_epochs: MakeEpochs = ClaimedEpochs) -> ClaimedEpochs:
        """The epochs from there on, if L1 has confirmed that start, else from genesis; every step of them is taken if a
        fast path was ever wrong."""
        machine, epoch, queue_hash = self._load_start(chain)
        if alarm := self.alarm.read():
            log.critical("ALARM: %s; as before, every step is taken", alarm)
            machine.many_accounts = EVERY_STEP
        return make_epochs(machine, epoch, queue_hash)

    def _load_start(self, chain: ChainReader) -> tuple[Machine, int, bytes]:
        """Machine, number and queue hash at the start of the first epoch."""
        fields = read_start_fields(self._redis, self._namespace)
        if fields:
            epoch = int(fields[b"epoch"])
            try:
                machine = Machine.restore(fields[b"machine"])
            except WitnessError:
                log.warning("the snapshot is damaged: beginning from genesis")
            else:
                if ProvenCourt(chain.proven, chain.deployment.court).start_of(epoch) == machine.hash():
                    return machine, epoch, fields[b"queue_hash"]
        return Machine.genesis(*chain.deployment.genesis), 0, ZERO


def write_start(redis: Redis, namespace: str, epoch: int, queue_hash: bytes, machine: Machine) -> None:
    """Keep the start of an epoch that L1 has confirmed: the queue's hash before it, and the machine. Raises
    RedisError."""
    fields = {"epoch": epoch, "queue_hash": queue_hash, MACHINE: machine.snapshot(), HASH: machine.hash()}
    write_start_fields(redis, namespace, fields)


def write_start_fields(redis: Redis, namespace: str, fields: Mapping[Any, Any]) -> None:
    """The same, as it was read (`read_start_fields`)."""
    redis.hset(start_key(namespace), mapping=cast(Any, fields))


def read_start_fields(redis: Redis, namespace: str) -> dict[bytes, bytes]:
    """What is kept, as it is; empty if nothing is. Raises RedisError."""
    return cast("dict[bytes, bytes]", redis.hgetall(start_key(namespace)))
