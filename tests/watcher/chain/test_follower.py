"""The follower against a real chain and a real Redis: messages, batches, reorgs, restarts, a silent node."""

import dataclasses

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.errors import ChainError
from setoff.watcher.store import Store


def post_three(exchange: Exchange) -> None:
    """Batch 0 with a deposit, batch 1 with a forced record and two of its own, batch 2 with nothing."""
    traffic = SampleTraffic()
    exchange.deposit(1, 1000)
    exchange.post(0, 1)
    exchange.queue(traffic.transfer(1, 2, 5))
    exchange.post(1, 1, [traffic.withdraw(1, 7), traffic.withdraw(1, 8)])
    exchange.post(2, 0)


def batches_of(store: Store) -> list[bytes]:
    places = [store.batch_place(number) for number in range(store.batch_count())]
    return [place.hash for place in places if place is not None]


def test_assembles_batches_with_their_messages(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    assert desk.catch_up() == 3
    reader = desk.context.reader
    for number in range(3):
        batch = desk.archive.batch(number)
        assert batch == reader.batch(number)
        assert batch.header.hash() == reader.batch_hash(number)
    assert [len(desk.archive.batch(number).messages) for number in range(3)] == [1, 1, 0]
    assert [len(desk.archive.batch(number).records) for number in range(3)] == [0, 2, 0]


def test_messages_wait_for_a_later_batch(exchange: Exchange, desk: Desk) -> None:
    exchange.deposit(1, 1000)
    exchange.deposit(2, 1000)
    assert desk.catch_up() == 0
    exchange.post(0, 1)
    exchange.post(1, 1)
    assert desk.catch_up() == 2
    assert desk.archive.batch(1).messages[0] != desk.archive.batch(0).messages[0]


def test_damaged_messages_are_asked_for_again(exchange: Exchange, desk: Desk) -> None:
    exchange.deposit(1, 1000)
    exchange.deposit(2, 1000)
    desk.catch_up()
    key = desk.store.key("messages")
    damaged = bytearray(desk.store.redis.hget(key, "0"))
    damaged[40] ^= 1
    desk.store.redis.hset(key, "0", bytes(damaged))
    desk.store.redis.hdel(key, "1")
    exchange.post(0, 2)
    assert desk.catch_up() == 1
    assert desk.archive.batch(0) == desk.context.reader.batch(0)


def test_follows_a_reorg_to_other_batches(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    snapshot = exchange.anvil.l1.request("evm_snapshot")
    exchange.deposit(2, 50)
    exchange.post(3, 1)
    exchange.post(4, 0)
    assert desk.catch_up() == 5
    before = batches_of(desk.store)
    assert desk.execute(0) and desk.execute(1) and desk.execute(2) and desk.execute(3)

    exchange.anvil.l1.request("evm_revert", snapshot)
    exchange.reconnect()
    exchange.deposit(2, 51)
    exchange.anvil.advance(5)
    exchange.post(3, 1, [SampleTraffic().withdraw(1, 1)])
    assert desk.catch_up() == 4
    after = batches_of(desk.store)
    assert after[:3] == before[:3] and after[3] != before[3]
    assert desk.archive.batch(3) == desk.context.reader.batch(3)
    assert desk.store.epoch_count() == 3 and desk.execute(3)


def test_follows_a_reorg_that_only_takes_back(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    desk.catch_up()
    exchange.anvil.l1.request("anvil_rollback", 2)
    assert desk.catch_up() == 3, "an older head is a node's that is behind"
    exchange.anvil.mine(3)
    assert desk.catch_up() == 1
    assert desk.store.message(1) is not None, "it was queued in a block that is still there"


def test_follows_a_reorg_of_empty_blocks(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    exchange.anvil.mine(3)
    desk.catch_up()
    exchange.anvil.l1.request("anvil_reorg", 2, [])
    newest = desk.store.checkpoints()[0]
    assert desk.catch_up() == 3
    assert desk.store.checkpoints()[0] != newest


def test_reads_everything_again_when_no_checkpoint_is_left(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    exchange.anvil.mine()
    desk.catch_up()
    desk.store.redis.zremrangebyrank(desk.store.key("blocks"), 0, -2)
    exchange.anvil.l1.request("anvil_reorg", 1, [])
    assert desk.catch_up() == 3
    assert desk.archive.batch(1) == desk.context.reader.batch(1)


def test_restart_goes_on_where_it_stopped(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    desk.catch_up()
    before = desk.store.checkpoints()
    exchange.post(3, 0)
    again = Desk(desk.settings)
    assert again.catch_up() == 4
    assert again.store.checkpoints()[1:] == before


def test_empty_redis_starts_from_the_deployment(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    desk.catch_up()
    before = batches_of(desk.store)
    desk.store.redis.flushall()
    assert desk.catch_up() == 3 and batches_of(desk.store) == before


def test_two_watchers_share_a_server(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    other = Desk(dataclasses.replace(desk.settings, name="other"))
    assert desk.catch_up() == 3 and other.store.batch_count() == 0
    assert other.catch_up() == 3


def test_damaged_lists_are_mended(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    desk.catch_up()
    for epoch in range(3):
        desk.execute(epoch)
    desk.store.redis.hdel(desk.store.key("epochs"), "1")
    desk.store.mend()
    assert desk.store.epoch_count() == 1
    desk.store.redis.hset(desk.store.key("batches"), "1", b"short")
    desk.store.mend()
    assert desk.store.batch_count() == 0 and desk.catch_up() == 3


def test_says_when_the_node_is_gone(exchange: Exchange, desk: Desk) -> None:
    post_three(exchange)
    desk.catch_up()
    exchange.anvil.stop()
    with pytest.raises(ChainError, match="rpc_unreachable"):
        desk.follower.step()
    assert desk.store.batch_count() == 3
