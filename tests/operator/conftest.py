"""Stores and operators for the tests of this folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.processes.running_operator import Running, open_market, operator, store

from setoff.shared.config.redis_server import RedisServer


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty store."""
    with store(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def exchange(redis_server: RedisServer) -> AsyncIterator[Running]:
    """An operator with a market at price 100 and three funded accounts."""
    async with operator(redis_server.url) as running:
        await open_market(running)
        yield running
