"""A reorg of a real chain, deeper than the confirmations, under a running operator and under one that is down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange
from tests.support.processes.running_operator import SETTINGS
from tests.support.waiting import until

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.api.service import serve
from setoff.operator.publisher.batcher import Batcher
from setoff.operator.sequencer import l1_monitor
from setoff.operator.sequencer.messages import QueueMessages
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches
from setoff.operator.sequencer.sequencer import Sequencer
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEMO

CONFIRMATIONS = 1


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    """The contracts alone, where other tests of this room have an operator that runs."""
    return Exchange(anvil, DEMO)


@asynccontextmanager
async def sequencer(exchange: Exchange, redis_url: str) -> AsyncIterator[Sequencer]:
    reader = ChainReader(L1(exchange.anvil.url), exchange.deployment)
    settings = OperatorSettings(**(SETTINGS | {"batch_interval": 0.1, "l1_poll": 0.1}))
    source = QueueMessages(reader, CONFIRMATIONS)
    async with serve(settings, exchange.deployment, redis_url, source, InboxBatches(reader)) as (running, _):
        yield running


def account(running: Sequencer, number: int) -> int:
    return running.exchange.machine.state.account(number).collateral


async def reaches(running: Sequencer, number: int, collateral: int, batcher: Batcher, l1: L1) -> None:
    """Post and make blocks until the account has so much and everything that is closed is on L1."""
    posted = -1

    def has_posted() -> bool:
        nonlocal posted
        l1.tend()
        try:
            posted = batcher.post_next()
        except SetoffError:
            posted = -1  # told to the sequencer
        done = running.exchange.machine.regs.accounts >= number and account(running, number) == collateral
        if done and not running.exchange.is_open and posted == running.exchange.cursor.number:
            return True
        l1.request("anvil_mine", "0x1")
        return False

    await until(
        has_posted, lambda: f"{posted} batches are posted of {running.exchange.cursor.number}: {running.obstacle()}"
    )


@pytest.mark.parametrize("is_down", [False, True], ids=["running", "restarted"])
async def test_a_deep_reorg_replaces_a_deposit_that_was_consumed_and_posted(
    exchange: Exchange, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, is_down: bool
) -> None:
    """Its batch is gone from L1, its posting comes back from the pool, and the queue has another deposit there."""
    monkeypatch.setattr(l1_monitor, "RESET_PAUSE", 0.0)
    traffic, l1 = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes), exchange.operator
    reader = ChainReader(l1, exchange.deployment)
    record = traffic.withdraw(1, 77)
    with Redis.from_url(redis_server.url) as redis:
        outbox = Outbox(redis, exchange.deployment.namespace)
        batcher = Batcher(l1, reader, outbox)
        exchange.deposit(1, 500)
        async with sequencer(exchange, redis_server.url) as running:
            await reaches(running, 1, 500, batcher, l1)
            before = l1.request("evm_snapshot")
            exchange.deposit(2, 600)
            await reaches(running, 2, 600, batcher, l1)
            sequence = (await running.submit(record)).sequence
            await reaches(running, 1, 423, batcher, l1)
            if not is_down:
                reorganise(exchange, before)
                await reaches(running, 3, 900, batcher, l1)
        if is_down:
            reorganise(exchange, before)
        async with sequencer(exchange, redis_server.url) as running:
            await reaches(running, 3, 900, batcher, l1)
            assert [account(running, number) for number in (1, 2, 3)] == [423, 800, 900]
            assert running.failure is None
            end = running.exchange.machine.hash()
        machine, posted = Machine.genesis(exchange.deployment.domain, exchange.deployment.backstop_delay), []
        for number in range(reader.batch_count()):
            batch = reader.batch(number)
            machine.run_batch(batch)
            posted += batch.records
        assert machine.hash() == end
        assert posted.index(record) == sequence and posted.count(record) == 1


def reorganise(exchange: Exchange, snapshot: str) -> None:
    """Go back, and let other deposits be made there: of the same account another amount, and of one more."""
    exchange.anvil.l1.request("evm_revert", snapshot)
    exchange.funder = exchange.anvil.connect(1)
    exchange.deposit(2, 800)
    exchange.deposit(3, 900)
    exchange.anvil.mine(CONFIRMATIONS)
