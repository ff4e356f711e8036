"""The poster before the real inbox: what L1 will never take is told to the sequencer, what it has of others is read."""

from collections.abc import Iterator

import pytest
from redis import Redis

from setoff.deploy.deployment import deploy
from setoff.operator.exchange import SealedBatch
from setoff.operator.outbox import Outbox
from setoff.operator.posted import PostedBatches, compare
from setoff.operator.poster import Poster
from setoff.shared.adapters.anvil import Anvil
from setoff.shared.adapters.chain import ChainReader
from setoff.shared.adapters.config import Deployment
from setoff.shared.adapters.l1 import Reverted
from setoff.shared.adapters.posting import encode_post
from setoff.shared.adapters.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.params import DEMO


@pytest.fixture
def chain() -> Iterator[Anvil]:
    with Anvil() as anvil:
        yield anvil


@pytest.fixture
def deployment(chain: Anvil) -> Deployment:
    l1 = chain.connect(0)
    return deploy(l1, DEMO, operator=l1.address, lister=l1.address)


@pytest.fixture
def outbox(redis_server: RedisServer) -> Iterator[Outbox]:
    with Redis.from_url(redis_server.url) as redis:
        yield Outbox(redis, "test")


def seal(number: int, timestamp: int, parent: bytes = ZERO) -> SealedBatch:
    """An empty batch."""
    return SealedBatch(Batch.seal(parent, number, timestamp, 0, 0, ZERO, (), ()), bytes(32), (), ())


def test_a_batch_that_comes_too_late_is_told_and_its_successor_posted(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    l1 = chain.connect(0)
    reader = ChainReader(l1, deployment)
    poster = Poster(l1, reader, outbox)
    now = l1.head().timestamp
    late = seal(0, now - DEMO.max_skew - 10)
    outbox.put(late)
    with pytest.raises(Reverted, match="batch_timestamp"):
        poster.post_next()
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final
    assert (stuck.number, stuck.reason, stuck.batch) == (0, "batch_timestamp", late.batch.header.hash().hex())
    outbox.cut(0)
    assert outbox.latest() == -1 and outbox.stuck() is None
    outbox.put(seal(0, now))
    poster.post_next()
    assert poster.post_next() == 1 and outbox.stuck() is None
    assert compare(PostedBatches(reader), outbox, 1, 1).common == 1


def test_a_batch_from_the_future_only_has_to_wait(chain: Anvil, deployment: Deployment, outbox: Outbox) -> None:
    l1 = chain.connect(0)
    poster = Poster(l1, ChainReader(l1, deployment), outbox)
    outbox.put(seal(0, l1.head().timestamp + 1000))
    assert poster.post_next() == 0
    assert outbox.stuck() is None


def test_a_strangers_batch_is_seen_and_read(chain: Anvil, deployment: Deployment, outbox: Outbox) -> None:
    l1, stranger = chain.connect(0), chain.connect(5)
    reader = ChainReader(l1, deployment)
    poster, posted = Poster(l1, reader, outbox), PostedBatches(reader)
    now = l1.head().timestamp
    chain.l1.request("evm_increaseTime", DEMO.silence + 10)
    chain.l1.request("evm_mine")
    theirs = seal(0, now + DEMO.silence).batch
    stranger.transact(deployment.inbox, encode_post(0, theirs.header.timestamp, 0))
    ours = seal(0, now)
    outbox.put(ours)
    outbox.put(seal(1, now, ours.batch.header.hash()))
    with pytest.raises(DataError):
        poster.post_next()
    with pytest.raises(Reverted, match="not_the_operator"):  # the returning operator has closed the inbox first
        stranger.transact(deployment.inbox, encode_post(1, l1.head().timestamp, 0))
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final and stuck.number == 1
    standing = compare(posted, outbox, posted.batch_count(), 2)
    assert (standing.count, standing.common, standing.is_diverged(2)) == (1, 0, True)
    assert posted.batch(0) == theirs and posted.max_skew == DEMO.max_skew
