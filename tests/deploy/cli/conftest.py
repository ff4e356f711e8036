"""A running exchange, and the command that traders talk to it with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.processes.commands import Command
from tests.support.processes.running_operator import Running, open_market, operator, store

from setoff.deploy.cli import main as cli
from setoff.deploy.simulation.sample_traffic import trader_key


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Running]:
    with store(tmp_path / "redis") as server:
        async with operator(server.url) as running:
            await open_market(running)
            yield running


@pytest.fixture
def setoff(exchange: Running, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command with the key of a trader (1 by default); its output. It must succeed."""

    async def run(line: str, key: bytes = trader_key(1), code: int = 0) -> str:
        words = [*line.split(), "--exchange", exchange.url, "--key", key.hex()]
        assert await asyncio.to_thread(cli.main, words) == code
        captured = capsys.readouterr()
        return captured.out if code == 0 else captured.err

    return run
