"""The sequencer as a process, on a real chain with every contract: from a deposit on L1 to a withdrawal paid there."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.left_over import stop_redis
from tests.support.processes.sequencer_process import Process
from tests.support.waiting import until

from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.operator.api.service import choose_batch_interval, choose_data, run_sequencer
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import SetoffError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.params import DEMO, MAINNET, Params
from setoff.shared.sdk import KeySigner, Refusal, SetoffClient
from setoff.shared.sdk.vault import Vault
from setoff.shared.state.registers import machine_hash

TRADER = dev_keys()[2]
ANSWERING = "0x60005460005260206000f3"
"""Contract code that answers every call with the word in its storage place 0."""


@pytest.fixture
def chain() -> Iterator[Anvil]:
    with Anvil() as anvil:
        yield anvil


@pytest.fixture
def deployment(chain: Anvil) -> Deployment:
    l1 = chain.connect(0)
    return deploy(l1, DEMO, operator=l1.address, lister=l1.address, least_deposit=9_000)


def mint(l1: L1, deployment: Deployment) -> None:
    """Give the account of `l1` 10,000 units of the token."""
    data = keccak(b"mint(address,uint256)")[:4] + encode(["address", "uint256"], [l1.address, 10_000])
    l1.transact(deployment.token, data)


async def appears(client: SetoffClient) -> None:
    """Wait for the client's account."""

    async def has_account() -> bool:
        try:
            return bool(await client.account())
        except Refusal:
            return False

    await until(has_account, "the deposit does not arrive")


async def test_from_deposit_to_withdrawal(chain: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    l1 = chain.connect(2)
    vault = Vault(l1, deployment)
    mint(l1, deployment)
    sequencer = Process(chain, deployment, tmp_path)
    try:
        url = sequencer.url()
        async with SetoffClient(url, KeySigner(TRADER)) as client:
            with pytest.raises(Refusal) as caught:
                await client.account()
            assert caught.value.reason == "not_found"
            assert vault.account() == 0
            assert vault.deposit(9_000) == 1 and vault.balance() == 1_000
            await appears(client)
            assert (await client.account())["collateral"] == "9000"
            await client.withdraw(4_000)
            while True:
                try:
                    proof = await client.withdrawal(0)
                    break
                except Refusal:
                    await asyncio.sleep(0.05)
        with pytest.raises(Reverted) as refused:
            vault.withdraw(proof)
        assert refused.value.reason == "not_confirmed"

        # The court is not this test's matter: one that has confirmed the epoch takes its place.
        end = machine_hash(proof.state_root, proof.registers_hash)
        chain.l1.request("anvil_setCode", deployment.court, ANSWERING)
        chain.l1.request("anvil_setStorageAt", deployment.court, "0x" + "00" * 32, "0x" + end.hex())
        assert not vault.is_paid(0)
        vault.withdraw(proof)
        assert vault.is_paid(0) and vault.balance() == 5_000
        with pytest.raises(Reverted) as refused:
            vault.withdraw(proof)
        assert refused.value.reason == "withdrawal_paid"
        code, said = sequencer.end()
        assert code == 0 and "Traceback" not in said
    finally:
        sequencer.process.kill()
        stop_redis(tmp_path / "redis")


async def test_a_forced_record_arrives(chain: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    l1 = chain.connect(2)
    vault = Vault(l1, deployment)
    mint(l1, deployment)
    vault.deposit(9_000)
    body = records.encode(records.WithdrawBody(1, 1, 77))
    vault.force(body + signatures.sign(eip712.digest(deployment.domain, body), TRADER))
    with pytest.raises(SetoffError):
        vault.force(bytes(124))
    sequencer = Process(chain, deployment, tmp_path)
    try:
        async with SetoffClient(sequencer.url(), KeySigner(TRADER)) as client:
            await appears(client)
            assert (await client.account())["collateral"] == "8923"
    finally:
        sequencer.end()
        stop_redis(tmp_path / "redis")


async def test_goes_on_after_kill_9_with_its_own_store(chain: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    """The embedded store outlives its killed owner, and the next one takes it over."""
    l1 = chain.connect(2)
    mint(l1, deployment)
    Vault(l1, deployment).deposit(9_000)
    sequencer = Process(chain, deployment, tmp_path)
    try:
        async with SetoffClient(sequencer.url(), KeySigner(TRADER)) as client:
            await appears(client)
            await client.withdraw(1)
            status = await client.status()
        sequencer.end(signal.SIGKILL)
        sequencer.start()
        async with SetoffClient(sequencer.url(), KeySigner(TRADER)) as client:
            assert (await client.status())["records"] == status["records"] == 1
            assert (await client.withdraw(1)).sequence == 1
        sequencer.end()
    finally:
        sequencer.process.kill()
        stop_redis(tmp_path / "redis")


def test_says_in_a_line_why_it_cannot_start(chain: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    process = Process(chain, deployment, tmp_path, SETOFF_REDIS_URL="redis://127.0.0.1:9").process
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 3 and said == ""
    assert "setoff: not_ready: redis_url" in complaint and "Traceback" not in complaint


def test_says_what_is_wrong(chain: Anvil, deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"

    def fails(reason: str, detail: str, on: Deployment = deployment, **changes: Any) -> None:
        on.save(path)
        good = {
            "deployment": path,
            "rpc_url": chain.url,
            "redis_dir": tmp_path / "redis",
            "l1_patience": 0.2,
            "listen": "127.0.0.1:0",
            "key": dev_keys()[0].hex(),
        }
        with pytest.raises(SetoffError, match=detail) as caught:
            run_sequencer(OperatorSettings(**(good | changes)))
        assert caught.value.reason == reason

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        fails("port_taken", "listen", listen=f"127.0.0.1:{other.getsockname()[1]}")
        fails("port_taken", "redis_port", redis_port=other.getsockname()[1])
    fails("rpc_unreachable", "127.0.0.1:9", rpc_url="http://127.0.0.1:9")
    fails("not_ready", "redis_url", redis_url="redis://127.0.0.1:9")
    fails("bad_config", "deployment", deployment=tmp_path / "nothing.json")
    fails("wrong_deployment", "queue", replace(deployment, queue=deployment.vault))
    fails("wrong_chain", "chain 31337", replace(deployment, chain_id=5))
    fails("bad_config", "operator.key", key="")
    fails("bad_config", "another operator", key=dev_keys()[1].hex())
    fails("wrong_deployment", "receipts", replace(deployment, receipts=deployment.court))
    with RedisServer.embed(tmp_path / "forgetful") as server, server.client() as redis:
        redis.config_set("appendfsync", "everysec")
        fails("bad_config", "appendfsync", redis_url=server.url)


@pytest.mark.parametrize(
    ("params", "wanted", "chosen", "warned"),
    [
        (MAINNET, 0.0, 120.0, False),
        (MAINNET, 2.0, 2.0, True),
        (MAINNET, 160.0, 160.0, False),
        (DEMO, 0.0, 2.0, False),
        (DEMO, 0.05, 0.05, False),
    ],
)
def test_batches_close_no_faster_than_epochs_can_be_claimed(
    caplog: pytest.LogCaptureFixture, params: Params, wanted: float, chosen: float, warned: bool
) -> None:
    claims = Terms(*params.terms())
    assert choose_batch_interval(wanted, claims) == chosen
    assert ("claims will fall behind" in caplog.text) == warned


def test_records_go_to_calldata_where_the_node_takes_no_blobs(chain: Anvil, caplog: pytest.LogCaptureFixture) -> None:
    settings = OperatorSettings(data="blobs")
    assert choose_data(settings, L1(chain.url)) is settings
    with FaultyNode(chain.url, faults.NoBlobTransactions()) as node:
        assert choose_data(settings, L1(node.url)).data == "calldata"
        assert "takes no blob transactions with cell proofs" in caplog.text
        asked = node.asked.total()
        calldata = OperatorSettings(data="calldata")
        assert choose_data(calldata, L1(node.url)) is calldata and node.asked.total() == asked
