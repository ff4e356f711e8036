"""A false branch of the same genesis that was higher: every reader goes back to the true one, not at once, and not for
one backend."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange
from tests.support.nodes.faults import Balanced, Lagging
from tests.support.nodes.faulty_node import Fault, FaultyNode
from tests.support.nodes.other_chains import OnAnother, begin_branch
from tests.support.waiting import until

from setoff.operator.sequencer.messages import QueueMessages
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError
from setoff.shared.l1 import lower
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.stretch import NEAR
from setoff.shared.machine.data import ZERO
from setoff.watcher.chain.follower import Follower
from setoff.watcher.store import Store

WAIT = 0.5
"""Seconds, in place of a minute."""
FAR = NEAR + 200
"""Blocks that the false branch is ahead: a long way, of which few are remembered."""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lower, "PATIENCE", WAIT)


def connect(node: FaultyNode, exchange: Exchange, *others: str) -> L1:
    return L1([node.url, *others], chain_id=exchange.deployment.chain_id, patience=2.0)


def read_court(exchange: Exchange, l1: L1) -> CourtReader:
    reader = CourtReader(CourtContract(l1, exchange.deployment.court), exchange.deployment.block)
    reader.poll()
    return reader


def follow(step: Callable[[], object]) -> None:
    """A false branch that is far ahead proves nothing, and is read all the same."""
    with suppress(ChainError):
        step()


async def come_back(step: Callable[[], object], is_back: Callable[[], bool]) -> None:
    """It waits, and then is there."""
    began = time.monotonic()
    step()
    assert not is_back(), "one look is not enough"

    def look() -> bool:
        step()
        return is_back()

    await until(look, "it stays on the false branch", 20)
    assert time.monotonic() - began >= WAIT


@pytest.mark.parametrize("ahead", [9, pytest.param(FAR, marks=pytest.mark.slow)])
async def test_the_courts_reader_comes_back(exchange: Exchange, node: FaultyNode, ahead: int) -> None:
    exchange.anvil.mine(20)
    reader = read_court(exchange, connect(node, exchange))
    node.faults = [OnAnother(node, begin_branch(5, ahead))]
    follow(reader.poll)
    head = exchange.anvil.l1.head()
    assert reader.block == head.number + ahead
    node.faults = []
    await come_back(reader.poll, lambda: (reader.block, reader.block_hash(head.number)) == (head.number, head.hash))
    assert "of another branch" in " ".join(reader.contract.l1.list_splits())
    exchange.anvil.mine(1)
    reader.poll()
    assert reader.block == head.number + 1


async def test_a_follower_comes_back_to_what_the_false_branch_had_not(
    exchange: Exchange, node: FaultyNode, redis_server: RedisServer
) -> None:
    exchange.anvil.mine(20)
    on_branch = OnAnother(node, begin_branch(2, 9))
    with Redis.from_url(redis_server.url) as redis:
        store = Store(redis, "watcher", exchange.deployment.epoch_batches)
        follower = Follower(ChainReader(connect(node, exchange), exchange.deployment), store)
        while not follower.step().is_current:
            pass
        exchange.post(0, 0)
        node.faults = [on_branch]
        progress = follower.step()
        assert progress.block > exchange.anvil.l1.head().number and store.batch_count() == 0
        node.faults = []
        await come_back(follower.step, lambda: store.batch_count() == 1)
        assert follower.step().block == exchange.anvil.l1.head().number


async def test_an_operator_comes_back_to_the_true_queue(exchange: Exchange, node: FaultyNode) -> None:
    exchange.anvil.mine(20)
    on_branch = OnAnother(node, begin_branch(2, 9))
    messages = QueueMessages(ChainReader(connect(node, exchange), exchange.deployment), 0)
    exchange.deposit(1, 500)
    node.faults = [on_branch]
    assert not messages._look(0, ZERO).messages
    node.faults = []
    seen: list[int] = []
    await come_back(lambda: seen.append(len(messages._look(0, ZERO).messages)), lambda: seen[-1] == 1)


@pytest.mark.parametrize("fresh", [-1e9, 3600.0])
def test_a_node_that_is_far_behind_is_told_from_another_branch_by_the_age_of_its_head(
    exchange: Exchange, node: FaultyNode, fresh: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lower, "PATIENCE", 0.0)
    monkeypatch.setattr(lower, "FRESH", fresh)
    exchange.anvil.mine(3 * NEAR)
    reader = read_court(exchange, connect(node, exchange))
    node.faults = [Lagging(2 * NEAR)]
    head = reader.block
    assert reader.block_hash(head - 2 * NEAR) is None
    reader.poll()
    assert reader.reorgs == (fresh > 0)
    node.faults = []
    reader.poll()
    assert reader.block == head


FAULTS: dict[str, Callable[[FaultyNode], Fault]] = {
    "behind": lambda node: Lagging(5),
    "every second answer": lambda node: Balanced(OnAnother(node, begin_branch(5, -3)), 2),
    "every third answer": lambda node: Balanced(OnAnother(node, begin_branch(5, -3)), 3),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_node_that_is_behind_or_one_backend_on_a_branch_of_its_own_makes_nobody_go_back(
    exchange: Exchange, node: FaultyNode, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lower, "PATIENCE", 0.0)
    exchange.anvil.mine(20)
    reader = read_court(exchange, connect(node, exchange))
    head = reader.block
    node.faults = [FAULTS[name](node)]
    for _ in range(12):
        reader.poll()
    assert reader.block == head and not reader.reorgs


def test_a_while_is_counted_from_the_last_time_that_somebody_had_what_was_read(
    exchange: Exchange, node: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lower, "PATIENCE", 3600.0)
    exchange.anvil.mine(20)
    reader = read_court(exchange, connect(node, exchange))
    on_branch = OnAnother(node, begin_branch(5, -3))
    node.faults = [on_branch]
    reader.poll()
    node.faults = []
    reader.poll()
    monkeypatch.setattr(lower, "PATIENCE", 0.0)
    assert reader._lower._since is None and reader.block_hash(reader.block) == exchange.anvil.l1.head().hash
    node.faults = [on_branch]
    reader.poll()
    assert reader.reorgs == 1, "it goes back to where they part"


@pytest.mark.parametrize(("others", "goes"), [(1, False), (2, True)])
def test_of_several_endpoints_less_than_half_have_to_have_what_was_read(
    exchange: Exchange, node: FaultyNode, others: int, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has it, and so many have another."""
    monkeypatch.setattr(lower, "PATIENCE", 0.0)
    exchange.anvil.mine(20)
    true = exchange.anvil.url
    with ExitStack() as stack:
        elsewhere = [stack.enter_context(begin_branch(5, -3)(true)).url for _ in range(others - 1)]
        reader = read_court(exchange, connect(node, exchange, *elsewhere, true))
        node.faults = [OnAnother(node, begin_branch(5, -3))]
        reader.poll()
        assert bool(reader.reorgs) is goes
