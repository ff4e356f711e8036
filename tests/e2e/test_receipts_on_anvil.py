"""Receipts with whole processes: operators that break them, the trader who notices, the watcher that takes the bond."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from tests.support.waiting import wait_until

from setoff.deploy.cli import main as cli
from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import FIRST_TRADER, Devnet
from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.lies import BROKEN_RECEIPT, OMITTED_RECORD
from setoff.deploy.simulation.processes import Processes
from setoff.shared.codec.records import BUY
from setoff.shared.errors import DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.params import DEMO
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.sdk.vault import Vault
from setoff.watcher.pulse import read_status
from setoff.watcher.receipts.docket import ReceiptDocket
from setoff.watcher.store import Store

pytestmark = pytest.mark.timeout(200)

SECONDS = 40.0
KEY = dev_keys()[FIRST_TRADER]
FUNDS = 10**11


class Stage:
    """A chain with a funded trader, processes, and the trader's receipts."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.devnet = devnet
        self.folder = folder
        self.processes = Processes(devnet, folder)
        deployment = devnet.deployment
        self.contract = ReceiptsContract(devnet.l1, deployment.receipts)
        self.kept = folder / "receipts"
        self._file = self.kept / f"{deployment.file_name}.jsonl"
        Faucet(devnet.chain.connect(FAUCET), deployment).give(KeySigner(KEY).address, 10 * FUNDS, 0)
        self.deposit()

    def deposit(self) -> None:
        Vault(self.devnet.chain.connect(FIRST_TRADER), self.devnet.deployment).deposit(FUNDS)

    def wait_until(self, holds: Callable[[], object]) -> None:
        wait_until(holds, SECONDS, meanwhile=self.processes.check, pause=0.2)

    def start_operator(self, lie: str = "") -> None:
        self.processes.start_operator(lie=lie, batch_interval=0.5)
        self.wait_until(lambda: self.contract.bond().stands)

    def start_watcher(self) -> str:
        """Start watcher 1; the address of its server."""
        self.processes.start_watcher(1)
        self.wait_until(self._server_url)
        return self._server_url()

    def trade(self, orders: int) -> int:
        """Report a price and place orders; returns how many receipts were told to be broken at once."""
        deployment = self.devnet.deployment
        receipt_store = ReceiptStore(self._file, deployment.domain, OperatorBond.read(self.devnet.l1, deployment))
        return asyncio.run(self._trade(receipt_store, orders))

    def setoff(self, words: str) -> int:
        """Run `setoff receipts …` as the trader; its exit code."""
        places = ["--receipts", str(self.kept), "--deployment", str(self.devnet.deployment_file)]
        return cli.main(["receipts", *words.split(), *places, "--rpc", self.devnet.chain.url])

    def cases(self) -> list[tuple[str, str]]:
        """What the watcher has charged, and what became of it."""
        return [(case.kind, case.state) for case in ReceiptDocket(self._store()).cases()]

    def counts(self) -> tuple[int, int]:
        """Receipts that wait at the watcher, and those kept."""
        return ReceiptDocket(self._store()).count()

    async def _trade(self, receipt_store: ReceiptStore, orders: int) -> int:
        broken = 0
        async with SetoffClient(self.processes.operator_url(), KeySigner(KEY), receipt_store=receipt_store) as client:
            while not (await client.status())["accounts"]:
                await asyncio.sleep(0.1)
            now = await client.now()
            for signer in (0, 1):
                await client.report(signer, now, 1, 50_000)
            for _ in range(orders):
                try:
                    await client.place(1, BUY, 49_500, 1)
                except DataError as error:
                    assert error.reason == "receipt_broken"
                    broken += 1
        return broken

    def _store(self) -> Store:
        return Store(Redis.from_url(self.devnet.redis_url(1)), f"{self.devnet.deployment.namespace}:watcher-1")

    def _server_url(self) -> str:
        return next((s.facts.get("url", "") for s in read_status(self._store()) if s.process == "server"), "")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    oracle = KeySigner(KEY).address
    with Devnet(tmp_path, DEMO, signers=[oracle, oracle], markets=1) as devnet:
        stage = Stage(devnet, tmp_path)
        try:
            yield stage
        finally:
            stage.processes.stop()


@pytest.mark.slow
def test_a_receipt_for_anothers_place_costs_the_bond(stage: Stage) -> None:
    stage.start_operator(BROKEN_RECEIPT)
    assert stage.trade(3) == 1
    assert stage.setoff("list") == stage.setoff("list --json") == 0
    url = stage.start_watcher()
    assert stage.setoff(f"hand-over {url}") == 0
    stage.wait_until(lambda: stage.contract.bond().held == 0)
    stage.wait_until(lambda: any(state == "won" for _, state in stage.cases()))
    assert {kind for kind, _ in stage.cases()} <= {"conflict", "contradiction"}
    assert stage.setoff("check") == 1
    assert stage.setoff(f"prosecute --key {KEY.hex()}") == 1  # there is no bond left
    assert stage.setoff("bond") == 1


@pytest.mark.slow
def test_a_record_that_is_never_posted_costs_the_bond(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.start_operator(OMITTED_RECORD)
    assert stage.trade(1) == 0
    assert stage.setoff("check") == 0
    reader = ChainReader(stage.devnet.l1, stage.devnet.deployment)
    stage.wait_until(reader.batch_count)
    # Long after the deadline the exchange goes on: with a deposit, in a batch that does not reach the record.
    stage.devnet.chain.advance(DEMO.receipt_horizon + 60)
    stage.deposit()
    stage.wait_until(lambda: stage.setoff("check") == 1)
    assert "after the deadline" in capsys.readouterr().out
    assert stage.setoff(f"prosecute --key {KEY.hex()} --dry-run") == 0
    assert stage.contract.bond().stands
    assert stage.setoff(f"prosecute --key {KEY.hex()}") == 0
    assert stage.contract.bond().held == 0 and stage.contract.owed(KeySigner(KEY).address) == 0


@pytest.mark.slow
def test_an_honest_operator_keeps_its_bond_through_kill_9(stage: Stage) -> None:
    stage.start_operator()
    url = stage.start_watcher()
    for life in range(2):
        assert stage.trade(2 + life) == 0
        for name in ("sequencer", "publisher"):
            stage.processes.running[name].kill()
        stage.start_operator()
    assert stage.trade(1) == 0
    assert stage.setoff(f"hand-over {url}") == 0
    stage.wait_until(lambda: stage.counts()[0] == 0)
    assert stage.counts()[1] == 3 * 2 + 2 + 3 + 1
    assert stage.cases() == [] and stage.contract.bond().stands
    assert stage.setoff("check") == 0
    assert stage.setoff("bond") == 0
