"""A running operator for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.processes.running_operator import Running, open_market, operator
from tests.support.waiting import until

from setoff.shared.config.redis_server import RedisServer


@pytest.fixture
async def exchange(redis_server: RedisServer) -> AsyncIterator[Running]:
    """An operator with a market at price 100 and three funded accounts."""
    async with operator(redis_server.url) as running:
        await open_market(running)
        yield running


@pytest.fixture
async def historic(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Running]:
    """The same with a history, whose process follows already."""
    async with operator(redis_server.url, history_url="", history_dir=tmp_path) as running:
        await open_market(running)

        async def is_there() -> bool:
            return (await running.get("/v1/history/prices/1"))[1].get("prices", []) != []

        await until(is_there, "the history does not come")
        yield running
