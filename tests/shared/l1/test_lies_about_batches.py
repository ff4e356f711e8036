"""Of two endpoints the first lies in all that it does not have to prove: whoever verifies, replays or publishes comes
to what L1 holds all the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.publisher.proposer import Proposer
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import extend_queue_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEMO, Params
from setoff.shared.sdk.replay import Replay
from setoff.watcher.execution.verify import verify_epoch

LAST: Final = 1
"""The epoch that is lied about, of one batch."""


@pytest.fixture
def params() -> Params:
    return DEMO


def conceal_the_batch(exchange: Exchange) -> faults.Fault:
    posted = ChainReader(exchange.operator, exchange.deployment).find(LAST)
    return faults.Conceals(posted.block_number)


def forge_the_batch(exchange: Exchange) -> faults.Fault:
    """Of other records."""
    header = ChainReader(exchange.operator, exchange.deployment).find(LAST).header
    false = replace(header, data_root=keccak(b"other records"))
    return faults.Forges({header.data_root.hex(): false.data_root.hex(), header.hash().hex(): false.hash().hex()})


def forge_the_deposit(exchange: Exchange) -> faults.Fault:
    reader = ChainReader(exchange.operator, exchange.deployment)
    (message,) = reader.messages(0, exchange.operator.head().number)
    false = message.body[:50] + keccak(message.body)[:16] + message.body[66:]
    words = {message.body.hex(): false.hex(), message.queue_hash.hex(): extend_queue_hash(ZERO, false).hex()}
    return faults.Forges(words)


def forge_the_transaction(exchange: Exchange) -> faults.Fault:
    """The batch is said to have been posted in another transaction."""
    reader = ChainReader(exchange.operator, exchange.deployment)
    return faults.Forges({reader.find(LAST).transaction.hex(): reader.find(0).transaction.hex()})


def verify(reader: ChainReader) -> bytes:
    return verify_epoch(reader, LAST)[0].end


def replay(reader: ChainReader) -> bytes:
    replay = Replay(reader)
    replay.advance()
    return replay.machine.hash()


def propose(reader: ChainReader) -> bytes:
    """As a publisher whose outbox is lost."""
    with Redis() as nowhere:
        outbox = Outbox(nowhere, "none")
        outbox.get = lambda number: None  # type: ignore[method-assign]
        proposer = Proposer(
            reader, outbox, ClaimedEpochs(Machine.genesis(reader.deployment.domain, reader.deployment.backstop_delay))
        )
        proposer.follow()
    return proposer.epochs.start_hash(LAST + 1)


def compare(reader: ChainReader) -> bytes:
    """As a sequencer that looks whether its batches are there."""
    posted = InboxBatches(reader)
    return posted.batch_hash(posted.batch_count() - 1)


@pytest.mark.parametrize("read", [verify, replay, propose, compare])
@pytest.mark.parametrize("lie", [conceal_the_batch, forge_the_batch, forge_the_deposit, forge_the_transaction])
def test_the_other_endpoint_is_heard(
    exchange: Exchange,
    node: FaultyNode,
    lie: Callable[[Exchange], faults.Fault],
    read: Callable[[ChainReader], bytes],
) -> None:
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 500)
    exchange.post(0, 1)
    exchange.post(LAST, 0, [traffic.withdraw(1, 7)])
    exchange.anvil.mine(20)
    truth = read(ChainReader(L1(exchange.anvil.url), exchange.deployment))
    node.faults = [lie(exchange)]
    reader = ChainReader(L1(f"{node.url},{exchange.anvil.url}", patience=2.0), exchange.deployment)
    assert read(reader) == truth


def test_what_is_confirmed_is_not_taken_from_a_view(exchange: Exchange, node: FaultyNode) -> None:
    court = ProvenCourt(ChainReader(L1(exchange.anvil.url), exchange.deployment).proven, exchange.deployment.court)
    genesis = court.start_of(0)
    assert (
        genesis == Machine.genesis(exchange.deployment.domain, exchange.deployment.backstop_delay).hash()
        and court.start_of(1) == ZERO
    )
    node.faults = [faults.Forges({genesis.hex(): keccak(b"another").hex()})]
    told = ProvenCourt(ChainReader(L1(node.url), exchange.deployment).proven, exchange.deployment.court)
    assert told.start_of(0) == genesis


def test_where_the_only_endpoint_conceals_a_batch_nothing_is_concluded(exchange: Exchange, node: FaultyNode) -> None:
    exchange.post(0, 0)
    exchange.post(LAST, 0)
    exchange.anvil.mine(20)
    node.faults = [faults.Conceals(exchange.block)]
    with pytest.raises(ChainError, match="does not show what L1 has"):
        verify(ChainReader(L1(node.url, patience=1.0), exchange.deployment))
