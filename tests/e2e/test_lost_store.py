"""An operator whose store is lost goes on from L1, and from what its traders kept: no promise is broken."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.operator_run import addresses, operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.operator.rescue.promises import read_known
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.settings import Settings
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.sdk.signer import KeySigner

SETTINGS = {"SETOFF_OPERATOR_BATCH_INTERVAL": "4", "SETOFF_L1_POLL": "0.2"}


class Trader:
    """Names agents, and keeps the receipts."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        deployment = exchange.deployment
        self.file = folder / "receipts" / f"{deployment.file_name}.jsonl"
        self._exchange = exchange

    def act(self, url: str, *agents: int) -> list[int]:
        """Name so many agents; the numbers of the records."""
        return asyncio.run(self._act(url, agents))

    async def _act(self, url: str, agents: tuple[int, ...]) -> list[int]:
        deployment = self._exchange.deployment
        kept = ReceiptStore(self.file, deployment.domain, OperatorBond.read(self._exchange.operator, deployment))
        async with SetoffClient(url, KeySigner(trader_key(1)), receipt_store=kept) as client:
            while not (await client.status())["accounts"]:
                await asyncio.sleep(0.1)
            return [(await client.set_agent(agent, bytes([agent] * 20), 2**40)).sequence for agent in agents]


@pytest.mark.long  # half a minute; its parts: `tests/operator/rescue/`
@pytest.mark.timeout(300)
def test_an_operator_without_its_store_goes_on_from_l1_and_from_what_traders_kept(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, trader, deployment = tmp_path / "log", Trader(exchange, tmp_path), exchange.deployment
    history = f"sqlite:///{tmp_path}/history"
    settings = SETTINGS | {"SETOFF_OPERATOR_HISTORY_URL": history}
    reader = ChainReader(exchange.operator, deployment)
    exchange.deposit(1, 10**12)
    with operator(exchange, tmp_path, **settings) as running:
        wait_until(lambda: "publisher: 0x" in log.read_text(), 60)
        first = trader.act(addresses(log)[0], 1, 2)
        wait_until(lambda: _count_records(reader) == len(first), 60)
        wait_until(lambda: len(read_known(history, 0) or ()) == len(first), 60)
        lost = trader.act(addresses(log)[0], 3, 4, 5)
        wait_until(lambda: len(read_known(history, 0) or ()) == lost[-1] + 1, 60, pause=0.02)
        running.kill()
        running.wait()
    assert lost == [2, 3, 4]
    wait_until(lambda: RedisServer.find(Settings(redis_dir=tmp_path / "redis")) is None, 30)
    (tmp_path / "redis").rename(tmp_path / "lost")  # who ends there may still be tidying up

    with operator(exchange, tmp_path, **settings) as running:
        assert running.wait(60) == 3
    assert "`setoff operator rebuild` makes it again from L1" in log.read_text()

    words = [
        f"--set=redis_dir={tmp_path / 'redis'}", f"--set=deployment={tmp_path / 'deployment.json'}",
        f"--set=rpc_url={exchange.anvil.url}", "--set=confirmations=0", f"--set=history_url={history}",
    ]  # fmt: skip
    assert main(["operator", "rebuild", "--dry-run", *words]) == 1
    told = capsys.readouterr().out
    assert "LOST: 3 records that were acknowledged are on L1 nowhere: numbers 2 to 4" in told
    assert "SetAgent of account 1, nonce 3" in told and "AT STAKE: the bond of 1 ETH" in told
    assert "nothing was changed" in told
    assert main(["operator", "rebuild", "--dry-run", "--from-history", "--json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lost"] == [] and found["given"] == 3 and found["held"] == 2, "the history has all of it"
    assert main(["operator", "rebuild", "--given", str(trader.file), "--json", *words]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["lost"] == [] and made["given"] == 3 and made["held"] == 2 and made["records"] == 5

    with operator(exchange, tmp_path, **settings) as running:
        wait_until(lambda: "publisher: 0x" in log.read_text(), 60)
        assert trader.act(addresses(log)[0], 6) == [5]
        wait_until(lambda: _count_records(reader) == 6, 60)
    kept = ReceiptStore(trader.file, deployment.domain, None)
    assert len(kept) == 6
    receipts = ["--receipts", str(tmp_path / "receipts"), "--deployment", str(tmp_path / "deployment.json")]
    assert main(["receipts", "check", *receipts, "--rpc", exchange.anvil.url]) == 0
    assert "6 receipts, none broken" in capsys.readouterr().out
    assert ReceiptsContract(exchange.operator, deployment.receipts).bond().stands


def _count_records(reader: ChainReader) -> int:
    found = reader.batches(reader.deployment.block, reader.l1.head().number)
    return sum(posted.header.record_count for posted in found)
