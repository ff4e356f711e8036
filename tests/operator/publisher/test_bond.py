"""The operator puts up its receipt bond when it starts, unless somebody has to look first."""

import logging
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.operator.publisher.bond import put_up_bond
from setoff.operator.publisher.publisher import run_publisher
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec.receipts import Receipt
from setoff.shared.errors import ConfigError
from setoff.shared.l1.receipts import ReceiptsContract, announce_exit, deposit_bond, prosecute_conflict
from setoff.shared.wire.receipts import sign


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    """The contracts alone, where other tests of this room have an operator that runs."""
    return Exchange(anvil)


@pytest.fixture
def contract(exchange: Exchange) -> ReceiptsContract:
    return ReceiptsContract(exchange.operator, exchange.deployment.receipts)


def test_puts_up_what_is_missing_once(exchange: Exchange, contract: ReceiptsContract) -> None:
    exchange.operator.transact(contract.address, deposit_bond(), 5)
    for _ in range(2):
        assert put_up_bond(exchange.operator, exchange.deployment)
        bond = contract.bond()
        assert bond.stands and bond.held == bond.needed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": dev_keys()[5].hex()}, "operator.key: the inbox has another operator, 0x"),
        ({"redis_url": "redis://127.0.0.1:9"}, "redis_url: no Redis server answers"),
    ],
    ids=["another's key", "no store"],
)
def test_a_publisher_that_cannot_work_pays_nothing(
    exchange: Exchange, contract: ReceiptsContract, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    exchange.deployment.save(tmp_path / "deployment.json")
    good = {"key": dev_keys()[0].hex(), "redis_dir": tmp_path / "redis", "rpc_url": exchange.anvil.url}
    with pytest.raises(ConfigError, match=said):
        run_publisher(OperatorSettings(deployment=tmp_path / "deployment.json", **(good | changes)))
    assert contract.bond().held == 0 and not (tmp_path / "redis").exists()


def test_leaves_an_announced_exit_alone(
    exchange: Exchange, contract: ReceiptsContract, caplog: pytest.LogCaptureFixture
) -> None:
    put_up_bond(exchange.operator, exchange.deployment)
    exchange.operator.transact(contract.address, announce_exit())
    with caplog.at_level(logging.ERROR):
        assert not put_up_bond(exchange.operator, exchange.deployment)
    assert contract.bond().exit_at and "setoff receipts bond put-up" in caplog.text


def test_does_not_put_up_another_after_a_slashing(
    exchange: Exchange, contract: ReceiptsContract, caplog: pytest.LogCaptureFixture
) -> None:
    put_up_bond(exchange.operator, exchange.deployment)
    pair = [sign(exchange.deployment.domain, Receipt(3, bytes([n]) * 32, bytes(32), 9), dev_keys()[0]) for n in (1, 2)]
    exchange.funder.transact(contract.address, prosecute_conflict(*pair[0], *pair[1]))
    assert contract.bond().held == 0
    with caplog.at_level(logging.ERROR):
        assert not put_up_bond(exchange.operator, exchange.deployment)
    assert contract.bond().held == 0 and "slashed" in caplog.text


def test_goes_on_without_if_it_cannot_pay(exchange: Exchange, contract: ReceiptsContract) -> None:
    exchange.operator.request("anvil_setBalance", "0x" + exchange.operator.address.hex(), hex(10**15))
    assert not put_up_bond(exchange.operator, exchange.deployment)
    assert contract.bond().held == 0
