"""Following a node that lies in all that it does not have to prove, over a long way: nothing false comes in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.watching import Desk

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import extend_queue_hash
from setoff.shared.machine.data import ZERO
from setoff.watcher.settings import WatcherSettings

FAR = 100
"""Blocks: a way that is read through the node's filter."""


def conceal_a_batch(exchange: Exchange) -> faults.Fault:
    return faults.Conceals(exchange.post(1, 0).block_number)


def conceal_a_message(exchange: Exchange) -> faults.Fault:
    return faults.Conceals(exchange.deposit(1, 1000).block_number)


def forge_a_batch(exchange: Exchange) -> faults.Fault:
    """Of other records."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.post(1, 0, [traffic.withdraw(1, 7)])
    header = ChainReader(exchange.operator, exchange.deployment).find(1).header
    false = replace(header, data_root=keccak(b"other records"))
    return faults.Forges({header.data_root.hex(): false.data_root.hex(), header.hash().hex(): false.hash().hex()})


def forge_a_message(exchange: Exchange) -> faults.Fault:
    """Of another deposit."""
    return faults.Forges(_forge_first_message(exchange))


def forge_a_message_and_its_batch(exchange: Exchange) -> faults.Fault:
    exchange.post(1, 1)
    words = _forge_first_message(exchange)
    header = ChainReader(exchange.operator, exchange.deployment).find(1).header
    false = replace(header, queue_hash=bytes.fromhex(words[header.queue_hash.hex()]))
    return faults.Forges({**words, header.hash().hex(): false.hash().hex()})


def _forge_first_message(exchange: Exchange) -> dict[str, str]:
    (message,) = ChainReader(exchange.operator, exchange.deployment).messages(0, exchange.operator.head().number)
    false = message.body[:50] + keccak(message.body)[:16] + message.body[66:]
    return {
        message.body[:RECORD_BYTES].hex(): false[:RECORD_BYTES].hex(),
        message.queue_hash.hex(): extend_queue_hash(ZERO, false).hex(),
    }


LIES: Final[tuple[Callable[[Exchange], faults.Fault], ...]] = (
    conceal_a_batch,
    conceal_a_message,
    forge_a_batch,
    forge_a_message,
    forge_a_message_and_its_batch,
)


def tell(exchange: Exchange, lie: Callable[[Exchange], faults.Fault]) -> faults.Fault:
    exchange.deposit(1, 500)
    exchange.post(0, 0)
    fault = lie(exchange)
    exchange.anvil.mine(FAR)
    return fault


def open_desk(settings: WatcherSettings, *urls: str) -> Desk:
    return Desk(replace(settings, rpc_url=",".join(urls), l1_patience=1.0))


def is_true(desk: Desk, exchange: Exchange) -> bool:
    """Whether what is kept is what L1 has."""
    reader, store = ChainReader(exchange.operator, exchange.deployment), desk.store
    count = reader.batch_count()
    places = [store.batch_place(number) for number in range(store.batch_count())]
    messages = reader.messages(exchange.block, exchange.operator.head().number)
    kept = [store.message(message.index) for message in messages]
    return [place and place.hash for place in places] == [reader.batch_hash(number) for number in range(count)] and (
        kept == [message.body for message in messages]
    )


@pytest.mark.parametrize("lie", LIES)
def test_what_the_only_node_lies_about_is_read_where_it_cannot_lie(
    exchange: Exchange, settings: WatcherSettings, node: FaultyNode, lie: Callable[[Exchange], faults.Fault]
) -> None:
    node.faults = [tell(exchange, lie)]
    desk, complaints = open_desk(settings, node.url), 0
    for _ in range(5):
        try:
            desk.catch_up()
            break
        except ChainError as error:
            assert f"{node.url.removeprefix('http://')} does not show what L1 has" in str(error)
            complaints += 1
    assert complaints == 2 and is_true(desk, exchange)


@pytest.mark.parametrize("lie", LIES)
def test_the_liar_is_named_and_the_truth_had_from_another(
    exchange: Exchange, settings: WatcherSettings, node: FaultyNode, lie: Callable[[Exchange], faults.Fault]
) -> None:
    node.faults = [tell(exchange, lie)]
    honest = exchange.anvil.url
    desk = open_desk(settings, node.url, honest)
    with pytest.raises(ChainError, match="does not show what L1 has") as caught:
        desk.catch_up()
    assert node.url.removeprefix("http://") in str(caught.value)
    assert honest.removeprefix("http://") not in str(caught.value)
    asked = node.asked["eth_getLogs"]
    desk.catch_up()
    assert is_true(desk, exchange) and asked and node.asked["eth_getLogs"] == asked


@pytest.mark.parametrize("lie", [conceal_a_batch, conceal_a_message, forge_a_message])
def test_a_node_without_proofs_is_believed(
    exchange: Exchange, settings: WatcherSettings, node: FaultyNode, lie: Callable[[Exchange], faults.Fault]
) -> None:
    """As every node was: what the two above would come to without a proof."""
    node.faults = [faults.NoMethod("eth_getProof"), tell(exchange, lie)]
    desk = open_desk(settings, node.url)
    desk.catch_up()
    assert not is_true(desk, exchange)
