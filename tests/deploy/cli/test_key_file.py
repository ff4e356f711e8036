"""`setoff wallet`: keys in files, and money for them on a development chain."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange, call_data

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.codec import signatures
from setoff.shared.config.key_file import read_key


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    """The contracts alone, where other tests of this room have an operator that runs."""
    return Exchange(anvil)


def test_a_new_key_is_for_its_owner_alone_and_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key"
    assert main(["wallet", "new", str(path)]) == 0
    said, key = capsys.readouterr().out, read_key(str(path), "key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    address = "0x" + signatures.address_of(key).hex()
    assert said.startswith(f"{address}: ") and key.hex() not in said
    assert main(["wallet", "new", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err and read_key(str(path), "key") == key
    assert main(["wallet", "address", str(path)]) == 0
    assert capsys.readouterr().out.strip() == address


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallet", "new", str(tmp_path / "none" / "key")]) == 2
    assert f"{tmp_path / 'none' / 'key'} cannot be made" in capsys.readouterr().err


def test_a_development_chain_has_money_for_it_and_no_other_has(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = tmp_path / "deployment.json", tmp_path / "key"
    assert main(["wallet", "new", str(key)]) == 0
    where = ["--rpc", exchange.anvil.url, "--deployment", str(file)]
    exchange.deployment.save(file)
    assert main(["wallet", "fund", str(key), "--tokens", "12.5", *where]) == 0
    owner = signatures.address_of(read_key(str(key), "key"))
    held = exchange.anvil.l1.call(exchange.deployment.token, call_data("balanceOf(address)", owner))
    assert int.from_bytes(held, "big") == 12_500_000 and exchange.anvil.l1.balance(owner) == 10**18
    assert main(["wallet", "fund", "0x" + owner.hex(), *where]) == 0
    assert exchange.anvil.l1.balance(owner) == 2 * 10**18
    replace(exchange.deployment, chain_id=1).save(file)
    assert main(["wallet", "fund", str(key), *where]) == 2
    assert "there is a faucet on a development chain" in capsys.readouterr().err


def test_a_deposit_that_no_exchange_credits_says_that_it_is_locked(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = tmp_path / "deployment.json", tmp_path / "key"
    exchange.deployment.save(file)
    where = ["--key", str(key), "--rpc", exchange.anvil.url, "--deployment", str(file)]
    assert main(["wallet", "new", str(key)]) == 0
    assert (
        main(["wallet", "fund", str(key), "--tokens", "30", "--rpc", exchange.anvil.url, "--deployment", str(file)])
        == 0
    )
    nobody = ["--exchange", "http://127.0.0.1:9", "--patience", "0.1"]
    assert main(["deposit", "10", *where, *nobody]) == 4
    told = capsys.readouterr()
    assert "the wallet has 30.000000 tUSD; the vault is to take 10.000000 tUSD of it" in told.out
    assert "pending: the deposit is locked for account 1, but not credited after" in told.err
    assert main(["deposit", "20", *where, "--no-wait"]) == 0
    assert "20.000000 tUSD locked for account 1; a next batch credits it" in capsys.readouterr().out
