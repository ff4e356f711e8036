"""The whole story on other nodes than anvil: deployed by the command line, traded, lied about, judged and paid out; and
what the doctor says of each node."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.nodes.ethereumjs import EthereumjsNode
from tests.support.nodes.hardhat import HardhatNode
from tests.support.processes.stories import assert_all_verified, play_on
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.chain import Chain
from setoff.deploy.devnet.devnet import DEPLOYER, OPERATOR, Devnet
from setoff.deploy.simulation.demo.play import list_signers
from setoff.deploy.simulation.processes import Processes
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.abilities import BLOCK_RECEIPTS, CARRIES_BLOBS, PENDING, REFUSING_ESTIMATES, TIPS
from setoff.shared.params import DEVNET

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

OVERRIDES = "state overrides"
NODES: dict[str, tuple[Callable[[], HardhatNode | EthereumjsNode], set[str]]] = {
    "hardhat": (HardhatNode, {BLOCK_RECEIPTS.name, CARRIES_BLOBS.name}),
    "ethereumjs": (
        EthereumjsNode,
        {PENDING.name, TIPS.name, BLOCK_RECEIPTS.name, REFUSING_ESTIMATES.name, CARRIES_BLOBS.name, OVERRIDES},
    ),
}
"""How each is started, and what it lacks."""


def deploy(chain: Chain, folder: Path) -> Deployment:
    """By the command line."""
    file, operator = folder / "deployed.json", chain.connect(OPERATOR).address
    words = ["deploy", "--rpc", chain.url, "--key", dev_keys()[DEPLOYER].hex(), "--operator", "0x" + operator.hex()]
    assert main([*words, "--preset", "devnet", "--out", str(file)]) == 0
    return Deployment.load(file)


def examine(devnet: Devnet, folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """What `watcher doctor` finds of a running watcher, by name."""
    processes = Processes(devnet, folder)
    try:
        processes.start_watcher(1)
        told = {
            "deployment": devnet.deployment_file,
            "rpc_url": devnet.chain.url,
            "redis_url": devnet.redis_url(1),
            "name": "watcher-1",
            "key": folder / "watcher-1.key",
            "evidence_dir": folder / "watcher-1",
        }
        words = [word for name, value in told.items() for word in ("--set", f"{name}={value}")]
        wait_until(lambda: main(["watcher", "status", *words]) == 0, 120)
        capsys.readouterr()
        main(["watcher", "doctor", "--json", "--steps", "1000", *words])
        found = json.loads(capsys.readouterr().out)["findings"]
        return {finding["what"]: finding for finding in found}
    finally:
        processes.stop()


@pytest.mark.parametrize("name", NODES)
def test_the_whole_story(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start, lacks = NODES[name]
    with start() as chain:
        deployment = deploy(chain, tmp_path)
        signers = list_signers(0)
        with Devnet(tmp_path, DEVNET, signers=signers, chain=chain, deployment=deployment) as devnet:
            summary = play_on(devnet, tmp_path, lie="wrong-fill", data="blobs", patience=300.0)
            assert_all_verified(summary)
            (dispute,) = summary.disputes
            assert dispute.eliminated == ["proof"] and dispute.installed_end != dispute.claimed_end
            gas = {item.kind: item for item in summary.gas}
            assert "inbox.post_data" not in gas, "neither takes blobs"
            assert gas["inbox.post"].failed == gas["court.claim"].failed == 0
            found = examine(devnet, tmp_path, capsys)
    assert [finding for finding in found.values() if finding["grade"] == "FAIL"] == []
    missing = {
        what.removeprefix("node: ")
        for what, each in found.items()
        if what.startswith("node: ") and each["grade"] == "warn"
    }
    assert missing == lacks
