"""A running operator for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest
from tests.support.processes.running_operator import Running, open_market, operator

from setoff.shared.config.redis_server import RedisServer


@pytest.fixture
async def exchange(redis_server: RedisServer) -> AsyncIterator[Running]:
    """An operator with a market at price 100 and three funded accounts, and batches as quick as a user's patience."""
    async with operator(redis_server.url, batch_interval=0.2) as running:
        await open_market(running)
        yield running
