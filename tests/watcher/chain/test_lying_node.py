"""Following a node that says what is not so: what its block's hash does not bind is not believed, and whoever else is
asked is heard."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes.faulty_node import Answer, Fault, FaultyNode, Next, Question
from tests.support.processes.watching import Desk

from setoff.shared.errors import ChainError
from setoff.watcher.settings import WatcherSettings

RECEIPTS = ("eth_getBlockReceipts", "eth_getTransactionReceipt")
BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")


def retell(methods: tuple[str, ...], change: Callable[[Any], None]) -> Fault:
    """A node that changes each object of its answers to these."""

    def lie(asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        if asked.method in methods and answer.get("result"):
            found = answer["result"]
            for entry in found if isinstance(found, list) else [found]:
                change(entry)
        return answer

    return lie


def place_elsewhere(receipt: dict[str, Any]) -> None:
    for entry in (receipt, *receipt["logs"]):
        entry |= {"blockNumber": "0xffffffff", "blockHash": "0x" + "ab" * 32}


def empty_bloom(block: dict[str, Any]) -> None:
    block |= {"logsBloom": "0x" + "00" * 256, "newField": "0x1"}


@pytest.fixture
def desk(settings: WatcherSettings, node: FaultyNode) -> Desk:
    return Desk(WatcherSettings(**{**settings.__dict__, "rpc_url": node.url, "l1_patience": 1.0}))


def test_where_an_event_was_is_what_the_block_says(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    node.faults = [retell(RECEIPTS, place_elsewhere)]
    receipt = exchange.post(0, 0)
    assert desk.catch_up() == 1
    place = desk.store.batch_place(0)
    assert place is not None and place.block == receipt.block_number
    node.faults = []
    exchange.post(1, 0)
    assert desk.catch_up() == 2


def test_a_bloom_that_the_hash_does_not_bind_hides_nothing(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    desk.catch_up()
    node.faults = [retell(BLOCKS, empty_bloom)]
    exchange.post(0, 0)
    assert desk.catch_up() == 1


def test_another_block_than_the_one_asked_for_is_no_answer(exchange: Exchange, desk: Desk, node: FaultyNode) -> None:
    desk.catch_up()
    grandparent = exchange.anvil.l1.head()
    exchange.post(0, 0)
    exchange.anvil.mine()

    def skip(asked: Question, go_on: Next) -> Answer:
        is_by_hash = asked.method == "eth_getBlockByHash"
        return go_on(asked.ask("0x" + grandparent.hash.hex(), False) if is_by_hash else asked)

    node.faults = [skip]
    with pytest.raises(ChainError, match="instead of the one asked for"):
        desk.catch_up()
    node.faults = []
    assert desk.catch_up() == 1
