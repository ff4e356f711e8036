"""A running operator gives the machine at the last confirmed start to whoever verifies from there."""

import asyncio
import json
from pathlib import Path

import pytest
import requests
from tests.support.chains.exchange import Exchange
from tests.support.processes.operator_run import addresses, operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.operator.publisher.publisher import EPOCHS_KEPT
from setoff.shared.l1.court import CourtContract
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.signer import KeySigner

SETTINGS = {"SETOFF_OPERATOR_BATCH_INTERVAL": "1", "SETOFF_OPERATOR_HEARTBEAT": "1", "SETOFF_L1_POLL": "0.2"}
"""So that there are epochs without anybody: it keeps the start of one that is at least `EPOCHS_KEPT` back."""


async def name_agent(url: str, agent: int) -> None:
    async with SetoffClient(url, KeySigner(trader_key(1))) as client:
        while not (await client.status())["accounts"]:
            await asyncio.sleep(0.1)
        await client.set_agent(agent, bytes([agent] * 20), 2**40)


@pytest.mark.long  # some minutes; its parts: `tests/deploy/cli/test_verify_from.py`, `tests/operator/publisher/`
@pytest.mark.timeout(700)
def test_an_epoch_is_verified_from_the_machine_of_a_running_operator(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    court = CourtContract(exchange.operator, exchange.deployment.court)
    exchange.deposit(1, 10**12)
    with operator(exchange, tmp_path, **SETTINGS):
        wait_until(lambda: "publisher: 0x" in (tmp_path / "log").read_text(), 60)
        (url,) = addresses(tmp_path / "log")
        assert requests.get(f"{url}/v1/snapshots", timeout=10).json() == {"machines": []}
        asyncio.run(name_agent(url, 1))

        def is_served() -> bool:
            exchange.anvil.advance(20)
            return bool(requests.get(f"{url}/v1/snapshots", timeout=10).json()["machines"])

        wait_until(is_served, 400, pause=2.0, what="nothing is confirmed, or it is not kept")
        (served,) = requests.get(f"{url}/v1/snapshots", timeout=10).json()["machines"]
        where = ["--rpc", exchange.anvil.url, "--deployment", str(tmp_path / "deployment.json")]
        assert main(["verify", "--json", "--from", url, *where]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["epoch"] >= EPOCHS_KEPT and told["start"] == served and told["start_is"] == "confirmed"
        assert court.view("start_of", told["epoch"]).hex() == served[2:]
