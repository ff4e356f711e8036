"""What `setoff deploy` says before it sends anything: gas, cost, and why it would not work."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.own_contracts import FOLDER

from setoff.contracts.compiler import compile_file
from setoff.deploy.cli.main import main
from setoff.deploy.contracts.deployment import create, deploy, open_progress, wish
from setoff.deploy.contracts.forecast import Forecast, forecast
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.l1.connection import L1
from setoff.shared.params import DEVNET, ETHER, MAINNET, TESTNET, Params

OPERATOR: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def look(l1: L1, params: Params = DEVNET, **more: Any) -> Forecast:
    operator = bytes.fromhex(OPERATOR[2:])
    return forecast(open_progress(l1, wish(l1, params, operator=operator, lister=l1.address, **more)))


def test_what_is_forecast_is_what_it_takes() -> None:
    with Anvil() as chain:
        l1 = chain.connect(0)
        progress = open_progress(l1, wish(l1, DEVNET, operator=chain.connect(1).address, lister=l1.address))
        found = forecast(progress)
        assert found.problems == found.warnings == () and len(found.creations) == 20
        create(progress, lambda line: None)
        for creation, number in zip(found.creations, range(1, 21), strict=True):
            (sent,) = l1.transactions_of(number)
            receipt = l1.receipt(sent.hash)
            assert receipt is not None
            assert receipt.gas_used <= creation.gas <= receipt.gas_used * 103 // 100, creation.name
            assert creation.asked >= receipt.gas_used
        assert forecast(progress).gas == 0 and all(creation.is_there for creation in forecast(progress).creations)


def test_a_dry_run_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deployment.json"
    with Anvil() as chain:
        l1 = chain.connect(0)
        words = ["deploy", "--rpc", chain.url, "--key", dev_keys()[0].hex(), "--operator", OPERATOR, "--out", str(out)]
        assert main([*words, "--dry-run"]) == 0
        said = capsys.readouterr().out
        assert "20 transactions, " in said and "code for 24,576 bytes" in said and said.endswith("nothing was sent\n")
        assert main([*words, "--dry-run", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["cost"] == told["gas"] * told["price"] and len(told["creations"]) == 20
        assert main([*words, "--chain", "1"]) == 2
        assert "wrong_chain" in capsys.readouterr().err
        assert l1.transaction_count(l1.address) == 0 and not list(tmp_path.iterdir())


def test_a_chain_with_small_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Anvil(gas_limit=5_000_000) as chain:
        words = ["deploy", "--rpc", chain.url, "--key", dev_keys()[0].hex(), "--operator", OPERATOR,
                 "--out", str(tmp_path / "file")]  # fmt: skip
        assert main([*words, "--dry-run"]) == 1
        assert "room for 5,000,000 gas, and the rule_groups/" in capsys.readouterr().out
        assert main(words) == 2
        assert "nothing was sent: a block of this chain has room" in capsys.readouterr().err
        assert chain.l1.transaction_count(chain.connect(0).address) == 0
    with Anvil(gas_limit=5_400_000) as chain:  # as much as the largest takes, and no room for the usual margin
        l1 = chain.connect(0)
        assert look(l1).problems == ()
        deploy(l1, DEVNET, operator=chain.connect(1).address, lister=l1.address)


def test_an_account_or_an_operator_with_too_little() -> None:
    with Anvil() as chain:
        l1, account = chain.connect(0), "0x" + chain.connect(0).address.hex()
        full = look(l1)
        chain.l1.request("anvil_setBalance", account, hex(full.cost + 10**15))
        assert look(l1).problems == () and "if it refuses, the same command goes on" in look(l1).warnings[0]
        chain.l1.request("anvil_setBalance", account, hex(full.cost // 2))
        (problem,) = look(l1).problems
        assert problem.startswith(f"{account} has 0.") and problem.endswith("ETH more there")
        chain.l1.request("anvil_setBalance", account, hex(10 * ETHER))
        chain.l1.request("anvil_setBalance", OPERATOR, hex(ETHER))
        (warning,) = look(l1).warnings
        assert "has 1 ETH: beside gas it needs 2.1 ETH" in warning


def test_tokens_that_would_not_do(tmp_path: Path) -> None:
    with Anvil() as chain:
        l1 = chain.connect(0)
        good = deploy(l1, DEVNET, operator=chain.connect(1).address, lister=l1.address).token
        assert look(l1, token=good).problems == look(l1, token=good).warnings == ()
        (problem,) = look(l1, token=OPERATOR, least_deposit=1).problems
        assert "no contract at the token's address" in problem
        source = (FOLDER.parents[2] / "contracts" / "token.vy").read_text()
        for change, told in (
            (("decimals: public(constant(uint8)) = 6", "decimals: public(constant(uint8)) = 24"), "has 24 decimals"),
            (("\ntotalSupply: public", "\nfeeRate: public(constant(uint256)) = 25\ntotalSupply: public"), "is 25"),
        ):
            path = tmp_path / "odd.vy"
            path.write_text(source.replace(*change))
            receipt = l1.transact(None, bytes.fromhex(compile_file(path, "odd").bytecode))
            assert receipt.contract is not None
            (problem,) = look(l1, token="0x" + receipt.contract.hex(), least_deposit=1).problems
            assert told in problem
        path.write_text(source.replace("\ntotalSupply: p", "\nfeeRate: public(constant(uint256)) = 0\ntotalSupply: p"))
        receipt = l1.transact(None, bytes.fromhex(compile_file(path, "odd").bytecode))
        assert receipt.contract is not None
        found = look(l1, token="0x" + receipt.contract.hex())
        assert not found.problems and "can keep a part of each transfer (feeRate() is 0 now)" in found.warnings[0]


def test_periods_too_short_for_the_chain_and_presets_that_are_not_for_ethereum() -> None:
    with Anvil() as chain:
        l1 = chain.connect(0)
        for _ in range(20):
            chain.advance(70)
        assert look(l1).problems == (), "a development chain makes blocks when it is asked to"
        chain.l1.request("anvil_setChainId", 4711)
        l1 = L1(chain.url, dev_keys()[0])
        (problem,) = look(l1, TESTNET).problems
        assert "a block comes every 70 s here, and the parameters give a transaction 60 s" in problem
        assert look(l1, MAINNET).problems == ()
        chain.l1.request("anvil_setChainId", 1)
        l1 = L1(chain.url, dev_keys()[0])
        slow = dataclasses.replace(TESTNET, inclusion=90, challenge_period=TESTNET.challenge_period + 200)
        assert look(l1, MAINNET).problems == ()
        assert ["only --preset mainnet" in problem for problem in look(l1, slow).problems] == [True]


def test_a_chain_of_before_cancun() -> None:
    with Anvil(hardfork="shanghai") as chain:
        assert any("does not run code for Cancun" in problem for problem in look(chain.connect(0)).problems)
