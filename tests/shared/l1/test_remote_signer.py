"""A remote signer signs what it is asked, or nothing is sent: a real process that speaks web3signer's protocol."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes.remote_signer import signing
from tests.support.ports import find_free_ports
from tests.support.processes.operator_run import operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.account import RemoteAccount, open_account
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox
from setoff.shared.sdk.signer import KeySigner, WalletSigner
from setoff.watcher.context import open_store
from setoff.watcher.preflight import check_preflight
from setoff.watcher.pulse import read_status
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

PAYER = dev_keys()[6]
RECEIVER = bytes([0x77] * 20)
CREATION = bytes.fromhex("600a600c600039600a6000f3602a60005260206000f3")
"""A contract that returns 42."""


def connect(anvil: Anvil, url: str) -> L1:
    return L1(anvil.url, RemoteAccount.open(url, patience=0.0), chain_id=CHAIN_ID, patience=5.0)


def test_what_it_signs_is_taken_by_a_chain(anvil: Anvil) -> None:
    with signing(PAYER) as url:
        l1 = connect(anvil, url)
        before = l1.balance(RECEIVER)
        l1.transact(RECEIVER, b"", 12345)
        created = l1.transact(None, CREATION)
    assert l1.address == signatures.address_of(PAYER) and l1.balance(RECEIVER) - before == 12345
    assert created.contract is not None and int.from_bytes(l1.call(created.contract, b""), "big") == 42


@pytest.mark.parametrize("lie", ["receiver", "fee", "stranger", "nonsense", "refusal"])
def test_what_it_signs_wrongly_is_not_sent(anvil: Anvil, lie: str) -> None:
    with signing(PAYER, lie=lie) as url:
        l1 = connect(anvil, url)
        before = l1.balance(l1.address), l1.transaction_count(l1.address, "pending")
        with pytest.raises(ChainError, match="the remote signer 127") as caught:
            l1.transact(RECEIVER, b"", 5)
    assert caught.value.reason == "rpc_refused" and l1.sender.pending == 0
    assert (l1.balance(l1.address), l1.transaction_count(l1.address, "pending")) == before
    with signing(PAYER) as url:  # no nonce was used up
        connect(anvil, url).transact(RECEIVER, b"", 5)


def test_its_account_is_the_one_that_is_named() -> None:
    one, other = (signatures.address_of(key) for key in dev_keys()[6:8])
    with signing(*dev_keys()[6:8]) as url:
        assert RemoteAccount.open(url, other).address == other
        with pytest.raises(ConfigError, match=f"says which account.*{one.hex()}, 0x{other.hex()}"):
            RemoteAccount.open(url)
        with pytest.raises(ConfigError, match=f"does not hold 0x{RECEIVER.hex()}; it holds 0x{one.hex()}"):
            RemoteAccount.open(url, RECEIVER)
        settings = ClientSettings(key=url, key_account="0x" + one.hex())
        assert open_account(settings).address == one
        with pytest.raises(ConfigError, match="key: is a remote signer, and this needs the key itself"):
            settings.private_key()


def test_it_may_be_away_for_a_while(anvil: Anvil) -> None:
    (port,) = find_free_ports(1)
    with signing(PAYER, port=port) as url:
        l1 = connect(anvil, url)
        l1.send(RECEIVER, b"", 1)
    with pytest.raises(ChainError, match="does not answer") as caught:
        l1.send(RECEIVER, b"", 2)
    assert caught.value.reason == "rpc_unreachable"
    with pytest.raises(ChainError, match=r"remote signer 127\.0\.0\.1:\d+ does not answer"):
        RemoteAccount.open(url, patience=0.0)
    before = l1.balance(RECEIVER)
    with signing(PAYER, port=port):
        l1.transact(RECEIVER, b"", 2)
    assert l1.balance(RECEIVER) - before == 2


def test_a_bid_that_nobody_signs_higher_stays_as_it_was(anvil: Anvil) -> None:
    with signing(PAYER) as url:
        l1 = connect(anvil, url)
        anvil.l1.request("evm_setAutomine", False)
        try:
            sent = l1.send(RECEIVER, b"", 1)
            (kept,) = l1.sender._kept.values()
            bid, kept.bid_at = (kept.tip, kept.fee), float("-inf")
            raw = kept.raw
        finally:
            anvil.l1.request("evm_setAutomine", True)
    l1.tend()
    assert (kept.tip, kept.fee) == bid and kept.raw == raw
    anvil.l1.request("evm_mine")
    assert l1.wait(sent).succeeded


def test_a_record_that_it_signs_is_as_the_key_signs_it() -> None:
    body = records.encode(records.CancelBody(1, 0, 7))
    vault = bytes([0x11] * 20)
    with signing(PAYER) as url:
        remote = RemoteAccount.open(url)
        signature = WalletSigner(remote.address, remote.sign_typed_data).sign(CHAIN_ID, vault, body)
    assert signature == KeySigner(PAYER).sign(CHAIN_ID, vault, body)
    assert eip712.recover_signer(eip712.domain_separator(CHAIN_ID, vault), body + signature) == remote.address
    with signing(PAYER, lie="stranger") as url, pytest.raises(ChainError, match="a signature that is not 0x"):
        WalletSigner(remote.address, RemoteAccount.open(url).sign_typed_data).sign(CHAIN_ID, vault, body)


@pytest.mark.parametrize(
    ("more", "said"), [({}, "cannot sign receipts"), ({"data": "blobs"}, "signs no transactions with blobs")]
)
def test_an_operator_is_told_at_once_what_it_cannot_have_signed(more: dict[str, str], said: str) -> None:
    given = {"SETOFF_OPERATOR_KEY": "http://127.0.0.1:1"} | {f"SETOFF_OPERATOR_{k.upper()}": v for k, v in more.items()}
    with pytest.raises(ConfigError, match=said):
        OperatorSettings.load(env=given)
    OperatorSettings.load(env=given | {"SETOFF_OPERATOR_RECEIPTS": "false", "SETOFF_OPERATOR_DATA": "calldata"})


def test_a_watcher_whose_signer_has_another_account_does_not_start(anvil: Anvil, tmp_path: Path) -> None:
    exchange = Exchange(anvil)
    exchange.deployment.save(tmp_path / "deployment.json")
    with signing(PAYER) as url:
        settings = WatcherSettings(
            deployment=tmp_path / "deployment.json", rpc_url=anvil.url, key=url, key_account="0x" + RECEIVER.hex()
        )
        with pytest.raises(ConfigError, match="does not hold"):
            check_preflight(settings, anvil.l1)
    check_preflight(settings, anvil.l1)  # where it is away, what there is to watch does not wait for it


def test_a_watcher_plays_with_it_and_waits_for_it(settings: WatcherSettings) -> None:
    (port,) = find_free_ports(1)
    mine = signatures.address_of(PAYER)
    remote = replace(settings, key=f"http://127.0.0.1:{port}", key_account="0x" + mine.hex(), name="remote")
    with Watcher(remote) as watcher:
        store = open_store(watcher.settings, watcher.settings.load_deployment())

        def account() -> str:
            found = [each.facts for each in read_status(store) if each.process == "challenger" and each.is_alive]
            return str(found[0].get("account", "")) if found else ""

        wait_until(lambda: any(each.process == "follower" for each in read_status(store)))
        assert account() == ""  # it waits for who signs, and nothing else does
        with signing(PAYER, port=port):
            wait_until(lambda: account() == "0x" + mine.hex())
        assert {child.restarts for child in watcher.children} == {0}


@pytest.mark.long  # half a minute; its transactions one by one are below
def test_contracts_are_deployed_and_an_operator_posts_with_it(
    anvil: Anvil, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = Exchange(anvil)
    (port,) = find_free_ports(1)
    inbox = Inbox(anvil.l1, exchange.deployment)
    more = {
        "SETOFF_OPERATOR_KEY": f"http://127.0.0.1:{port}",
        "SETOFF_OPERATOR_KEY_ACCOUNT": "0x" + signatures.address_of(dev_keys()[0]).hex(),
        "SETOFF_OPERATOR_RECEIPTS": "false",
        "SETOFF_OPERATOR_HEARTBEAT": "0.5",
    }

    def count() -> int:
        return inbox.state().count

    with signing(PAYER, dev_keys()[0], port=port), operator(exchange, tmp_path, **more) as process:
        wait_until(lambda: count() >= 1, what=lambda: (tmp_path / "log").read_text())
    with operator(exchange, tmp_path, **more) as process:
        log = tmp_path / "log"
        wait_until(lambda: "remote signer" in log.read_text(), what=lambda: log.read_text())
        assert process.poll() is None
        before = count()
        with signing(dev_keys()[0], port=port):
            wait_until(lambda: count() > before, what=lambda: log.read_text())
    capsys.readouterr()
    with signing(PAYER) as url:
        assert main(["deploy", "--preset", "devnet", "--operator", "0x" + RECEIVER.hex(), "--key", url,
                     "--rpc", anvil.url, "--out", str(tmp_path / "new.json")]) == 0  # fmt: skip
    assert "written to" in capsys.readouterr().out
