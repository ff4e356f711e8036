"""A publisher that has found a fast path to be wrong knows it after a kill: what it claims next is the truth."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange
from tests.support.machines.wrong_fast_path import SWEPT, draw, post_swept, spoil
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import Anvil
from setoff.operator.publisher.defender import Defender
from setoff.operator.publisher.proposer import Proposer
from setoff.operator.publisher.publisher import Publisher
from setoff.operator.publisher.snapshot import EpochSnapshot
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.machine.spot_checks import SpotChecks
from setoff.shared.params import DEMO
from setoff.watcher.execution.verify import verify_epoch


@pytest.fixture
def swept(anvil: Anvil) -> Exchange:
    exchange = Exchange(anvil, DEMO)
    post_swept(exchange)
    return exchange


@contextmanager
def publishing(exchange: Exchange, redis_url: str) -> Iterator[Publisher]:
    """A publisher as a process begins it."""
    deployment, l1 = exchange.deployment, exchange.anvil.connect(0)
    with Redis.from_url(redis_url) as redis:
        snapshot, chain = EpochSnapshot(redis, deployment.namespace), ChainReader(l1, deployment)
        proposer = Proposer(chain, Outbox(redis, deployment.namespace), snapshot.load(chain))
        yield Publisher(proposer, Defender(l1, deployment, proposer), snapshot)


def publish(exchange: Exchange, redis_url: str) -> None:
    """Until it is killed."""
    with publishing(exchange, redis_url) as publisher:
        while True:
            with suppress(DataError):
                publisher.step()
            time.sleep(0.1)


def alarm_of(exchange: Exchange, redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        return EpochSnapshot(redis, exchange.deployment.namespace).alarm.read()


def claimed_end(exchange: Exchange) -> bytes | None:
    reader = CourtReader(CourtContract(exchange.anvil.l1, exchange.deployment.court), exchange.block)
    reader.poll()
    return next((claim.end for claim in reader.court.claims.values() if claim.epoch == SWEPT), None)


@pytest.mark.parametrize("is_known", [True, False], ids=["after an alarm", "without one"])
def test_after_a_kill_every_step_is_taken_if_a_fast_path_was_wrong_before(
    swept: Exchange, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """The run before has drawn the input, the run after draws none: without the alarm it claims what is false."""
    truth = verify_epoch(ChainReader(swept.anvil.l1, swept.deployment), SWEPT)[0].end
    spoil(monkeypatch)
    if is_known:
        draw(monkeypatch, every=True)
        # Stakes and claims of the former run would only be in the way of what the next one claims.
        monkeypatch.setattr(Defender, "play", lambda defender: None)
        former = multiprocessing.get_context("fork").Process(target=publish, args=(swept, redis_server.url))
        former.start()
        wait_until(lambda: alarm_of(swept, redis_server.url) != "", 60)
        former.kill()
        former.join()
        monkeypatch.undo()
        spoil(monkeypatch)
    assert ("plain steps" in alarm_of(swept, redis_server.url)) == is_known
    draw(monkeypatch, every=False)
    monkeypatch.setattr(SpotChecks, "begin_epoch", lambda checks, inputs: None)
    with publishing(swept, redis_server.url) as publisher:
        for _ in range(60):
            publisher.step()
            swept.anvil.advance(2)
            if claimed_end(swept) is not None:
                break
    assert (claimed_end(swept) == truth) == is_known
