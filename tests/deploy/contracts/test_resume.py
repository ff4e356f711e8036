"""A deployment that is broken off, wherever, goes on with the same command and pays for nothing twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.support.nodes.faulty_node import Answer, FaultyNode, Hangup, Next, Question

from setoff.contracts.verification import check_deployment
from setoff.deploy.cli.main import main
from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.params import DEVNET, ETHER

CONTRACTS: Final = 20
OPERATOR: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


class Ends:
    """Does something at a transaction, before the chain has it or after, and answers nothing then."""

    def __init__(self, at: int, *, is_taken: bool) -> None:
        """`at`: the transaction's place among all that come through."""
        self.at = at
        self.is_taken = is_taken
        self.seen = 0
        self.victim: subprocess.Popen[bytes] | None = None

    def __call__(self, question: Question, go_on: Next) -> Answer:
        if question.method != "eth_sendRawTransaction" or self.at < 0:
            return go_on(question)
        self.seen += 1
        if self.seen <= self.at:
            return go_on(question)
        if self.is_taken:
            go_on(question)
        self.at = -1
        if self.victim is not None:
            os.kill(self.victim.pid, signal.SIGKILL)
        raise Hangup


def words(url: str, out: Path, *more: str) -> list[str]:
    return [
        "deploy", "--rpc", url, "--key", dev_keys()[0].hex(), "--operator", OPERATOR, "--preset", "devnet",
        "--out", str(out), *more,
    ]  # fmt: skip


def check_paid_once(chain: Anvil, out: Path, count: int = CONTRACTS) -> None:
    """The account has sent as many transactions as there are contracts, and those of the file are whole."""
    l1 = chain.connect(0)
    assert l1.transaction_count(l1.address) == l1.transaction_count(l1.address, "pending") == count
    check_deployment(l1, Deployment.load(out), DEVNET)


def kill_at(folder: Path, boundaries: range | list[int], *options: str) -> None:
    """Run the command again and again, killed at its next transaction each time, then to its end."""
    out = folder / "deployment.json"
    with Anvil(options=options) as chain:
        for number in boundaries:
            ends = Ends(0, is_taken=number % 2 == 1)
            with FaultyNode(chain.url, ends) as node:
                command = [sys.executable, "-m", "setoff.deploy.cli", *words(node.url, out)]
                with subprocess.Popen(command, stdout=subprocess.DEVNULL) as ends.victim:
                    assert ends.victim.wait(120) == -signal.SIGKILL
        assert not out.exists()
        assert main(words(chain.url, out)) == 0
        check_paid_once(chain, out)


def test_a_killed_deployment_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kill_at(tmp_path, [0, 1])
    said = capsys.readouterr().out
    assert "1 of 20 contracts are there already, and are not paid for again" in said
    assert "every contract is as compiled" in said


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("options", [(), ("--block-time", "1")], ids=["at once", "waiting"])
def test_a_deployment_that_is_killed_at_every_transaction_goes_on(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Twice at each: before the chain has it, and after."""
    kill_at(tmp_path, range(2 * CONTRACTS - 1), *options)


@pytest.mark.parametrize(("place", "is_taken"), [(0, False), (7, True), (8, False), (CONTRACTS - 1, True)])
def test_a_node_that_goes_away_in_the_middle(tmp_path: Path, place: int, *, is_taken: bool) -> None:
    """Every transaction from there on is lost on its way, or its answer is."""
    journal = tmp_path / "journal"
    with Anvil() as chain:
        ends = Ends(place, is_taken=is_taken)

        def gone(question: Question, go_on: Next) -> Answer:
            if ends.at < 0:
                raise Hangup
            return go_on(question)

        operator = chain.connect(1).address
        with FaultyNode(chain.url, gone, ends) as node:
            l1 = L1(node.url, dev_keys()[0], patience=0.3)
            with pytest.raises(ChainError, match="rpc_unreachable"):
                deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal, patience=0.5)
        l1 = chain.connect(0)
        deployment = deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal)
        deployment.save(tmp_path / "file")
        check_paid_once(chain, tmp_path / "file")


def test_money_that_runs_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deployment.json"
    with Anvil() as chain:
        account = "0x" + chain.connect(0).address.hex()

        def spend(question: Question, go_on: Next) -> Answer:
            if question.method == "eth_sendRawTransaction" and node.asked[question.method] == 6:
                chain.l1.request("anvil_setBalance", account, hex(ETHER // 1000))
            return go_on(question)

        with FaultyNode(chain.url, spend) as node:
            assert main(words(node.url, out)) != 0
        said = capsys.readouterr()
        assert "insufficient_funds" in said.err and "5 of 20 contracts are there" in said.err
        assert main(words(chain.url, out)) == 2, "it would run out again: nothing is sent"
        said = capsys.readouterr()
        assert "nothing was sent" in said.err and "ETH more there" in said.err
        chain.l1.request("anvil_setBalance", account, hex(ETHER))
        assert main(words(chain.url, out)) == 0
        check_paid_once(chain, out)
        assert main(words(chain.url, out)) == 0, "once more, and nothing is to do"
        assert "0 ETH were paid" in capsys.readouterr().out
        check_paid_once(chain, out)


def test_an_account_that_sends_something_else_between_keeps_what_it_can(tmp_path: Path) -> None:
    """Rules name nobody and stay; what names an address that no contract can come to any more is created again."""
    journal, told = tmp_path / "journal", list[str]()
    with Anvil() as chain:
        operator, l1 = chain.connect(1).address, chain.connect(0)
        with FaultyNode(chain.url) as node:
            broken = L1(node.url, dev_keys()[0], patience=0.3)

            def stop(question: Question, go_on: Next) -> Answer:
                if question.method == "eth_sendRawTransaction" and node.asked[question.method] > 16:
                    raise Hangup  # queue and vault are there, the inbox that they name is not
                return go_on(question)

            node.faults = (stop,)
            with pytest.raises(ChainError):
                deploy(broken, DEVNET, operator=operator, lister=l1.address, journal=journal, patience=0.5)
        assert l1.transaction_count(l1.address) == 16
        l1.transact(operator, value=1)
        deployment = deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal, tell=told.append)
        deployment.save(tmp_path / "file")
        check_paid_once(chain, tmp_path / "file", CONTRACTS + 3)  # what came between, and two once more
    assert "queue, vault: created again" in told[0] and "14 of 20 contracts are there already" in told[1]


def test_a_journal_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deployment.json"
    with Anvil() as chain, Anvil(options=("--timestamp", "1700000000")) as other:
        assert main(words(chain.url, out)) == 0
        for url, more, named in (
            (other.url, (), "first block"),
            (chain.url, ("--operator", "0x" + 40 * "7"), "operator 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 there"),
            (chain.url, ("--preset", "testnet"), "challenge period 60 there, 3600 here"),
            (chain.url, ("--least-deposit", "5"), "least deposit 10000000 there, 5 here"),
        ):
            assert main(words(url, out, *more)) == 2
            said = capsys.readouterr().err
            assert "is of another deployment" in said and named in said and "name another --out" in said
        check_paid_once(chain, out)
        (tmp_path / "deployment.json.journal").write_text("{")
        assert main(words(chain.url, out)) == 2
        assert "is no journal of a deployment" in capsys.readouterr().err
        (tmp_path / "deployment.json.journal").unlink()
        assert main(words(chain.url, out)) == 2
        assert "is there already: name another --out" in capsys.readouterr().err


def test_something_else_at_an_address_of_the_plan_is_found(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with Anvil() as chain:
        operator, l1 = chain.connect(1).address, chain.connect(0)
        deployment = deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal)
        code = l1.code(deployment.vault)
        chain.l1.request("anvil_setCode", deployment.vault, "0x" + code[:-1].hex() + "01")
        with pytest.raises(ConfigError, match=f"the vault at {deployment.vault} was created with other arguments"):
            deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal)
        chain.l1.request("anvil_setCode", deployment.vault, "0x00")
        with pytest.raises(ConfigError, match="is not the vault's"):
            deploy(l1, DEVNET, operator=operator, lister=l1.address, journal=journal)


def test_the_journal_is_there_before_anything_is_sent(tmp_path: Path) -> None:
    journal, known = tmp_path / "new" / "journal", list[int]()

    def look(question: Question, go_on: Next) -> Answer:
        if question.method == "eth_sendRawTransaction":
            known.append(len(json.loads(journal.read_text())["nonces"]))
        return go_on(question)

    with Anvil() as chain, FaultyNode(chain.url, look) as node:
        l1 = L1(node.url, dev_keys()[0])
        deploy(l1, DEVNET, operator=chain.connect(1).address, lister=l1.address, journal=journal)
    assert known == [CONTRACTS] * CONTRACTS
