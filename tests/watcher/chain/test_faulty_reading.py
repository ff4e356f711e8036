"""Following a node that does not tell everything: what it leaves out is read again, and nothing read before is lost."""

import time

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.errors import ChainError
from setoff.shared.l1.inbox import BATCH_POSTED
from setoff.watcher.settings import WatcherSettings

POSTED = "0x" + BATCH_POSTED.topic.hex()


@pytest.fixture
def desk(settings: WatcherSettings, node: FaultyNode) -> Desk:
    return Desk(WatcherSettings(**{**settings.__dict__, "rpc_url": node.url, "l1_patience": 1.0}))


def follow(desk: Desk, tries: int = 12) -> int:
    """Catch up as the follower's process does: what fails is tried again."""
    for _ in range(tries):
        try:
            return desk.catch_up()
        except ChainError:
            continue
    raise AssertionError("never caught up")


def test_a_batch_that_one_answer_left_out_is_read(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    exchange.post(0, 0)
    assert follow(desk) == 1
    node.faults = [faults.LogGaps()]
    exchange.post(1, 0)
    assert follow(desk) == 2, "new blocks do not depend on the node's filter"


@pytest.mark.parametrize("what", ["batches", "messages"])
def test_what_a_long_way_left_out_is_found_by_the_storage(
    exchange: Exchange, desk: Desk, node: FaultyNode, what: str
) -> None:
    exchange.deposit(1, 1000)
    exchange.post(0, 1)
    exchange.deposit(1, 1000)
    exchange.post(1, 1)
    exchange.anvil.mine(100)
    node.faults = [gaps := faults.LogGaps(lambda entry: (entry["topics"][0] == POSTED) == (what == "batches"))]
    assert follow(desk) == 2 and gaps.left_out >= 2
    assert [len(desk.archive.batch(number).messages) for number in range(2)] == [1, 1]
    assert desk.store.next_message() == 2


def test_a_gap_of_before_is_mended(exchange: Exchange, desk: Desk) -> None:
    """Of a store that was filled by somebody who believed the node."""
    for number in range(4):
        exchange.post(number, 0)
    assert desk.catch_up() == 4
    places = [desk.store.batch_place(number) for number in range(4)]
    for number in (2, 3):
        desk.store.redis.hdel(desk.store.key("batches"), str(number))
    again = Desk(desk.settings)
    exchange.post(4, 0)
    assert follow(again) == 5
    assert [again.store.batch_place(number) for number in range(4)] == places


def test_a_node_that_is_behind_takes_nothing_back(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    for number in range(4):
        exchange.post(number, 0)
    assert desk.execute_all() == 4
    newest = desk.store.checkpoints()[0]
    node.faults = [faults.Lagging(3)]
    assert desk.catch_up() == 4
    assert desk.store.checkpoints()[0] == newest and desk.store.epoch_count() == 4
    node.faults = []
    exchange.post(4, 0)
    assert desk.execute_all() == 5


def test_another_chain_of_the_same_number_takes_nothing_back(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    for number in range(4):
        exchange.post(number, 0)
    assert desk.execute_all() == 4
    while time.time() < exchange.anvil.l1.block(0).timestamp + 1:
        time.sleep(0.05)  # chains of one second begin with the same block
    with Anvil() as other:
        other.advance(1000)
        other.mine(exchange.anvil.l1.head().number + 5)
        node.faults = [faults.Elsewhere(node, other.url)]
        for _ in range(2):
            with pytest.raises(ChainError, match="another chain"):
                desk.follower.step()
        assert desk.store.epoch_count() == 4
        node.faults = []
    exchange.post(4, 0)
    assert desk.execute_all() == 5


def test_balanced_over_a_backend_that_is_behind(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    """As load balancers do: every third answer is of three blocks ago."""
    node.faults = [balanced := faults.Balanced(faults.Lagging(3), 3)]
    for number in range(6):
        exchange.deposit(1, 1000)
        exchange.post(number, 1)
        exchange.anvil.mine()
        follow(desk)
    for _ in range(6):
        follow(desk)
    assert desk.store.batch_count() == 6 and desk.store.next_message() == 6 and balanced.served > 10


@pytest.mark.parametrize(
    "fault",
    [
        faults.Flaky(faults.Null(), 0.3, 1, (*faults.BLOCK_NULLS, *faults.RECEIPT_NULLS, "eth_getTransactionByHash")),
        faults.Flaky(faults.Malformed(5), 0.3, 2),
        faults.Flaky(faults.Reset(), 0.3, 3),
        faults.Flaky(faults.RateLimit("unheard of"), 0.3, 4),
        faults.Unindexed(1),
        faults.RangeLimit(10, "413"),
        faults.FirstTopicOnly(),
    ],
    ids=lambda fault: type(getattr(fault, "fault", fault)).__name__,
)
def test_reads_all_through(exchange: Exchange, desk: Desk, node: FaultyNode, fault: faults.Fault) -> None:
    exchange.deposit(1, 1000)
    exchange.post(0, 1)
    exchange.anvil.mine(100)
    exchange.post(1, 0)
    node.faults = [fault]
    assert follow(desk) == 2
    assert len(desk.archive.batch(0).messages) == 1


def test_what_was_executed_is_found_again_when_its_batches_come_again(exchange: Exchange, desk: Desk) -> None:
    """As after a way back: the same batches need no second execution."""
    for number in range(4):
        exchange.post(number, 0)
    assert desk.execute_all() == 4
    ends = [desk.store.epoch(epoch) for epoch in range(4)]
    desk.store.rollback(-1)
    assert desk.store.epoch_count() == desk.store.batch_count() == 0
    assert desk.catch_up() == 4 and desk.store.epoch_count() == 4
    assert [desk.store.epoch(epoch) for epoch in range(4)] == ends
