"""A feeder tells a webhook what is wrong with it, while it feeds."""

import asyncio
from pathlib import Path

import pytest
from tests.support.processes.webhook_receiver import receiving
from tests.support.waiting import until

from setoff.shared.config import webhooks
from setoff.shared.oracle import service
from setoff.shared.oracle.service import tell_webhooks
from setoff.shared.oracle.settings import OracleSettings
from setoff.shared.oracle.status import FeederStatus


async def test_it_tells_when_l1_goes_away_and_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("STARTS", 0.0), ("HOLDS", 0.1), ("GONE", 0.2)):
        monkeypatch.setattr(webhooks, name, seconds)
    monkeypatch.setattr(service, "ALERTS_EVERY", 0.05)
    status = FeederStatus("0xab", rounds=1, numbers=[1])
    with receiving() as taken:
        settings = OracleSettings(webhook=taken.url, webhook_dir=tmp_path)
        telling = asyncio.create_task(tell_webhooks(settings, status))
        await until(lambda: not telling.done())
        status.l1_problem = "it does not answer"
        await until(lambda: taken.texts == ["oracle: L1: it does not answer"])
        status.l1_problem = ""
        await until(lambda: taken.texts[1:] == ["oracle: over: L1: it does not answer"])
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    await tell_webhooks(OracleSettings(), status)  # without one it has nothing to do
