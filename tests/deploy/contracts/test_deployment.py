"""The contracts on a real chain: addresses, wiring, terms, and what is refused at the start of a service."""

import dataclasses
from collections.abc import Iterator, Sequence

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import Fault, FaultyNode

from setoff.contracts.verification import check_deployment
from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.contracts.listing import check_quorum, encode_signer
from setoff.deploy.contracts.plan import contract_address
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.devnet.devnet import enact
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.params import DEVNET, PRESETS, TESTNET, Params
from setoff.shared.sdk.vault import Vault


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as chain:
        yield chain


@pytest.fixture(scope="module")
def l1(anvil: Anvil) -> L1:
    return anvil.connect(0)


@pytest.fixture(scope="module")
def deployment(anvil: Anvil, l1: L1) -> Deployment:
    return deploy(l1, DEVNET, operator=anvil.connect(1).address, lister=l1.address)


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, "0x5FbDB2315678afecb367f032d93F642f64180aa3"),
        (1, "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"),
    ],
)
def test_predicts_the_addresses_of_the_first_development_account(nonce: int, address: str) -> None:
    assert contract_address(bytes.fromhex("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), nonce) == address


def test_addresses_differ_for_long_nonces() -> None:
    nonces = (0, 1, 127, 128, 255, 256, 65535, 65536, 2**32)
    assert len({contract_address(bytes(20), nonce) for nonce in nonces}) == len(nonces)


def test_deploys_and_checks(l1: L1, deployment: Deployment) -> None:
    assert deployment.chain_id == l1.chain_id
    assert deployment.epoch_batches == DEVNET.epoch_batches
    assert deployment.least_deposit == Vault(l1, deployment).least_deposit() == 10 * 10**6
    assert 0 < deployment.block <= l1.head().number
    check_deployment(l1, deployment)
    check_deployment(l1, deployment, DEVNET)


def test_deploys_beside_another_one_and_on_a_token_that_is_there(anvil: Anvil, l1: L1, deployment: Deployment) -> None:
    for preset in PRESETS.values():
        other = deploy(
            l1, preset, operator=anvil.connect(1).address, lister=anvil.connect(2).address, token=deployment.token
        )
        assert (other.token, other.least_deposit) == (deployment.token, 10 * 10**6)
        assert other.court != deployment.court
        check_deployment(l1, other, preset)
        if preset.is_trial:
            check_quorum(l1, other, 1)
        else:
            check_quorum(l1, other, 3)
            with pytest.raises(ConfigError, match="quorum_too_small"):
                check_quorum(l1, other, 2)


def test_finds_a_queue_in_which_one_signer_is_enough(anvil: Anvil, l1: L1, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Params, "least_quorum", property(lambda params: 1))
    with pytest.raises(ConfigError, match="only a trial"):
        deploy(l1, TESTNET, operator=anvil.connect(1).address, lister=l1.address)


def test_finds_every_difference(anvil: Anvil, l1: L1, deployment: Deployment) -> None:
    other = deploy(l1, DEVNET, operator=anvil.connect(1).address, lister=l1.address)
    for name in ("token", "queue", "vault", "inbox", "judge", "court"):
        for wrong in (getattr(other, name), deployment.token if name != "token" else "0x" + 40 * "1"):
            with pytest.raises(ConfigError, match="wrong_deployment"):
                check_deployment(l1, dataclasses.replace(deployment, **{name: wrong}), DEVNET)
    with pytest.raises(ConfigError, match="wrong_deployment"):
        check_deployment(l1, dataclasses.replace(deployment, epoch_batches=2))
    with pytest.raises(ConfigError, match="at least 10000000"):
        check_deployment(l1, dataclasses.replace(deployment, least_deposit=1))
    with pytest.raises(ConfigError, match="wrong_deployment"):
        check_deployment(l1, dataclasses.replace(deployment, chain_id=1))
    others = ({"silence": DEVNET.silence + 1}, {"wind_down": DEVNET.wind_down + 1})
    for params in (TESTNET, *(dataclasses.replace(DEVNET, **other) for other in others)):
        with pytest.raises(ConfigError, match="wrong_deployment"):
            check_deployment(l1, deployment, params)


def test_a_token_without_decimals_needs_a_least_deposit_that_is_named(l1: L1, deployment: Deployment) -> None:
    # Any contract without that function will do.
    silent = deployment.queue
    with pytest.raises(ConfigError, match="decimals"):
        deploy(l1, DEVNET, operator=l1.address, lister=l1.address, token=silent)
    assert deploy(l1, DEVNET, operator=l1.address, lister=l1.address, token=silent, least_deposit=7).least_deposit == 7


def test_the_client_says_what_a_deposit_has_to_bring(l1: L1, deployment: Deployment) -> None:
    with pytest.raises(InputError, match="deposit_too_small"):
        Vault(l1, deployment).deposit(10 * 10**6 - 1)


def test_refuses_an_operator_with_code_and_unsafe_parameters(l1: L1, deployment: Deployment) -> None:
    contract = bytes.fromhex(deployment.token[2:])
    with pytest.raises(ConfigError, match="code"):
        deploy(l1, DEVNET, operator=contract, lister=l1.address)
    unsafe = dataclasses.replace(DEVNET, challenge_period=DEVNET.needed_period - 1)
    with pytest.raises(ConfigError, match="bad_terms"):
        deploy(l1, unsafe, operator=l1.address, lister=l1.address)


@pytest.mark.parametrize("lacks", [(), (faults.NoPending(), faults.EstimatesAnything())], ids=["", "no pending block"])
def test_deploys_where_not_all_fits_into_a_block(lacks: Sequence[Fault]) -> None:
    """Blocks of 36 million gas take three or four of the contracts: the node foresees no more of them, or nothing."""
    told: list[str] = []
    with Anvil(gas_limit=36_000_000, options=("--block-time", "1")) as chain, FaultyNode(chain.url, *lacks) as node:
        l1 = L1(node.url, dev_keys()[0])
        deployment = deploy(l1, DEVNET, operator=chain.connect(1).address, lister=l1.address, tell=told.append)
        check_deployment(l1, deployment, DEVNET)
        blocks = l1.head().number - deployment.block
        enact(l1, deployment, [encode_signer(number, l1.address, 1, 60) for number in range(2)])
    assert blocks >= 1
    assert [line.split(" ", 3)[:3] for line in told] == [
        [str(n), "of", f"{len(told)}:"] for n in range(1, len(told) + 1)
    ]
    assert told[-1].endswith(f"receipts at {deployment.receipts}")
