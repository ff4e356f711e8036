"""A node that began on another chain: what was read of it is given up once the right one is there, by every reader."""

from collections.abc import Callable

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange
from tests.support.nodes.faults import Balanced
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.nodes.other_chains import OnAnother
from tests.support.waiting import until

from setoff.deploy.devnet.anvil import Anvil
from setoff.operator.sequencer.messages import QueueMessages
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError
from setoff.shared.l1.block_logs import BlockLogs
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.stretch import is_of_another
from setoff.shared.machine.data import ZERO
from setoff.watcher.chain.follower import Follower
from setoff.watcher.store import Store

AHEAD = 200
"""Blocks by which the other chain is higher: the right one does not get there while a test looks."""


def begin_far_ahead(upstream: str) -> Anvil:
    other = Anvil(options=("--timestamp", "1600000000"))  # so it has another genesis
    other.mine(L1(upstream).head().number + AHEAD)
    return other


def connect(node: FaultyNode, exchange: Exchange) -> L1:
    return L1(node.url, chain_id=exchange.deployment.chain_id, patience=2.0)


async def try_for_a_while(step: Callable[[], object], is_done: Callable[[], bool]) -> None:
    def look() -> bool:
        try:
            step()
        except ChainError:
            return False
        return is_done()

    await until(look, "it stays on the other chain", 20)


def fail(step: Callable[[], object]) -> None:
    """Where there is nothing of ours it may say so, or see nothing."""
    for _ in range(2):
        try:
            step()
        except ChainError:
            continue


async def test_the_courts_reader_goes_over_to_the_right_chain(exchange: Exchange, node: FaultyNode) -> None:
    exchange.post(0, 0)
    contract = CourtContract(connect(node, exchange), exchange.deployment.court)
    reader = CourtReader(contract, exchange.deployment.block)
    node.faults = [OnAnother(node, begin_far_ahead)]
    fail(reader.poll)
    assert reader.block_hash(0) not in (None, exchange.anvil.l1.block(0).hash), "it has begun on the other chain"
    node.faults = []
    await try_for_a_while(reader.poll, lambda: reader.block == exchange.anvil.l1.head().number)


async def test_a_follower_goes_over_to_the_right_chain_also_when_it_is_started_again(
    exchange: Exchange, node: FaultyNode, redis_server: RedisServer
) -> None:
    exchange.post(0, 0)
    reader = ChainReader(connect(node, exchange), exchange.deployment)
    with Redis.from_url(redis_server.url) as redis:
        store = Store(redis, "watcher", exchange.deployment.epoch_batches)
        node.faults = [OnAnother(node, begin_far_ahead)]
        fail(Follower(reader, store).step)
        assert store.anchor() is not None
        node.faults = []
        follower = Follower(reader, store)
        await try_for_a_while(follower.step, lambda: store.batch_count() == 1)


async def test_an_operator_reads_the_queue_of_the_right_chain(exchange: Exchange, node: FaultyNode) -> None:
    exchange.deposit(1, 500)
    messages = QueueMessages(ChainReader(connect(node, exchange), exchange.deployment), 0)
    node.faults = [OnAnother(node, begin_far_ahead)]
    fail(lambda: messages._look(0, ZERO))
    assert messages._marks
    node.faults = []
    seen: list[int] = []
    await try_for_a_while(lambda: seen.append(len(messages._look(0, ZERO).messages)), lambda: seen[-1] == 1)


@pytest.mark.parametrize("every", [2, 3])
def test_a_backend_that_stays_on_another_chain_makes_nobody_forget(
    exchange: Exchange, node: FaultyNode, every: int
) -> None:
    l1, head = connect(node, exchange), exchange.anvil.l1.head()
    node.faults = [Balanced(OnAnother(node, begin_far_ahead), every)]
    court = BlockLogs(l1, [bytes.fromhex(exchange.deployment.court.removeprefix("0x"))])
    for known in ({0: exchange.anvil.l1.block(0).hash}, {0: exchange.anvil.l1.block(0).hash, head.number: head.hash}):
        assert not any(is_of_another(court, known) for _ in range(12))
