"""The L1 queue read from a real chain: order, confirmations, reorgs, and lies of the node."""

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.sequencer.messages import L1View, QueueMessages
from setoff.shared.codec.records import RECORD_BYTES, stamp_message
from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import extend_queue_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.params import DEVNET


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    """The contracts alone, where other tests of this room have an operator that runs."""
    return Exchange(anvil)


def bodies_of(view: L1View) -> list[bytes]:
    return [message[:RECORD_BYTES] for message in view.messages]


def messages_of(exchange: Exchange, confirmations: int = 0) -> QueueMessages:
    return QueueMessages(ChainReader(exchange.operator, exchange.deployment), confirmations)


async def test_reads_deposits_and_forced_records(exchange: Exchange) -> None:
    traffic = SampleTraffic()
    source = messages_of(exchange)
    assert bodies_of(await source.look(0, ZERO)) == []
    exchange.deposit(1, 500)
    exchange.deposit(2, 700)
    view = await source.look(0, ZERO)
    assert bodies_of(view) == [traffic.deposit(1, 500), traffic.deposit(2, 700)]
    assert view.time == exchange.operator.head().timestamp
    forced = traffic.order(1, 0, 100, 1)
    exchange.anvil.advance(10)
    exchange.queue(forced)
    first = view.messages[0]
    queue_hash = extend_queue_hash(ZERO, first)
    assert bodies_of(await source.look(1, queue_hash)) == [view.messages[1][:RECORD_BYTES], forced]
    queue_hash = extend_queue_hash(queue_hash, view.messages[1])
    assert bodies_of(await source.look(2, queue_hash)) == [forced]
    before, _ = (await source.look(0, ZERO)).due[1:]
    view = await source.look(1, extend_queue_hash(ZERO, first))
    reader, head = ChainReader(exchange.operator, exchange.deployment), exchange.operator.head().number
    queued = [message.timestamp for message in reader.messages(0, head)]
    assert list(view.due) == [time + DEVNET.force_delay for time in queued[1:]] and before == view.due[0]
    assert [view.count_due(view.due[1] - late, consumed) for late, consumed in ((1, 1), (0, 1), (0, 2))] == [1, 2, 1]
    fresh = messages_of(exchange)
    assert bodies_of(await fresh.look(2, queue_hash)) == [forced]


async def test_waits_for_confirmations(exchange: Exchange) -> None:
    source = messages_of(exchange, confirmations=3)
    exchange.deposit(1, 500)
    for _ in range(3):
        assert bodies_of(await source.look(0, ZERO)) == []
        exchange.anvil.mine()
    assert len((await source.look(0, ZERO)).messages) == 1


async def test_forgets_what_a_reorg_took_back(exchange: Exchange) -> None:
    source = messages_of(exchange)
    snapshot = exchange.operator.request("evm_snapshot")
    exchange.deposit(1, 500)
    assert len((await source.look(0, ZERO)).messages) == 1
    exchange.operator.request("evm_revert", snapshot)
    exchange.anvil.mine(3)
    assert bodies_of(await source.look(0, ZERO)) == []


async def test_notices_that_what_was_consumed_is_gone(exchange: Exchange) -> None:
    source = messages_of(exchange)
    exchange.deposit(1, 500)
    exchange.deposit(1, 600)
    with pytest.raises(DataError):
        await source.look(1, extend_queue_hash(ZERO, stamp_message(SampleTraffic().deposit(1, 400), 1)))
    view = await source.look(0, ZERO)
    assert len(view.messages) == 2


@pytest.mark.parametrize("is_new", [False, True], ids=["the reader of before", "a new one"])
async def test_notices_that_the_last_message_consumed_was_replaced(exchange: Exchange, is_new: bool) -> None:
    """Though none is there that would have to continue it. One that is only gone is waited for."""
    source = messages_of(exchange)
    exchange.deposit(1, 500)
    snapshot = exchange.operator.request("evm_snapshot")
    exchange.deposit(1, 600)
    queue_hash = ChainReader(exchange.operator, exchange.deployment).queue_hash_at(2)
    assert bodies_of(await source.look(2, queue_hash)) == []
    exchange.operator.request("evm_revert", snapshot)
    exchange.funder = exchange.anvil.connect(1)
    exchange.anvil.mine(3)
    source = messages_of(exchange) if is_new else source
    assert bodies_of(await source.look(2, queue_hash)) == []
    exchange.deposit(1, 700)
    with pytest.raises(DataError, match="before message 2"):
        await source.look(2, queue_hash)


async def test_time_is_l1s(exchange: Exchange) -> None:
    source = messages_of(exchange)
    exchange.anvil.advance(5000)
    head = exchange.operator.head().timestamp
    assert (await source.look(0, ZERO)).time == head


async def test_says_that_l1_is_gone(exchange: Exchange) -> None:
    exchange.operator.patience = 0.1
    source = messages_of(exchange)
    exchange.anvil.stop()
    with pytest.raises(ChainError):
        await source.look(0, ZERO)


async def test_shows_what_was_consumed_again_after_a_reset(exchange: Exchange) -> None:
    """Without any reorg: the batches that consumed it are made anew."""
    source, traffic = messages_of(exchange), SampleTraffic()
    bodies = [traffic.deposit(account, 500) for account in range(1, 5)]
    for account in range(1, 5):
        exchange.deposit(account, 500)
    reader = ChainReader(exchange.operator, exchange.deployment)
    queue_hashes = [reader.queue_hash_at(index) for index in range(5)]
    assert bodies_of(await source.look(0, ZERO)) == bodies
    for first in (4, 1, 3, 0):
        assert bodies_of(await source.look(first, queue_hashes[first])) == bodies[first:]
        exchange.anvil.mine()
    exchange.deposit(1, 70)
    assert bodies_of(await source.look(1, queue_hashes[1])) == [*bodies[1:], traffic.deposit(1, 70)]
