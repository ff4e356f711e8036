"""The ways out of an exchange whose operator has gone: which are open and when, and what L1 has confirmed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.town import PARAMS, TRADERS, Town

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import signatures
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.sdk import KeySigner, Replay, Unavailable, Vault, WaysOut, check_withdrawal


def open_ways(town: Town, account: int) -> WaysOut:
    key = trader_key(account)
    return WaysOut(L1(town.anvil.url, key, chain_id=town.deployment.chain_id), town.deployment, KeySigner(key))


@contextmanager
def passing_time(anvil: Anvil) -> Iterator[None]:
    """A block each fifth of a second, half a minute after the last one."""
    stop = threading.Event()

    def pass_on() -> None:
        while not stop.wait(0.2):
            anvil.advance(30)

    clock = threading.Thread(target=pass_on)
    clock.start()
    try:
        yield
    finally:
        stop.set()
        clock.join()


def test_from_l1_alone(anvil: Anvil, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town(anvil, tmp_path)
    town.trade()
    ways = open_ways(town, 4)
    inclusion, vault = town.inclusion(4), Vault(town.stranger, town.deployment)
    with pytest.raises(InputError, match="no epoch"):
        inclusion.confirmed()
    assert ways.describe_confirmed() == "L1 has confirmed no epoch yet"
    operator, forced, wind_down = ways.look()
    assert (operator.is_open, forced.is_open, wind_down.is_open) == (False, True, False)
    # A million of its three is in the backstop.
    assert forced.amount == TRADERS[4] - 1_000_000 and forced.text.startswith("forced: open, 2 tUSD now; no batch may")
    assert "wind-down: closed until" in wind_down.text
    town.anvil.advance(PARAMS.wind_down)
    _, forced, wind_down = ways.look()
    assert wind_down.is_open and "the operator is silent, and anybody may post it now" in forced.text
    assert town.setoff(4, "force ways --exchange http://127.0.0.1:1") == 0
    said = capsys.readouterr().out
    assert "operator: closed: not_ready" in said and forced.text in said and wind_down.text in said
    assert town.setoff(4, "exit --look --exchange http://127.0.0.1:1") == 0
    said = capsys.readouterr().out
    assert "2.000000 tUSD leave by this way: forced. Not sooner: a batch has to take it from the queue" in said
    assert "nothing was done" in said and town.waiting == 0
    told: list[str] = []
    index = ways.force(forced.amount, told.append, poll=0.2)
    assert any("posted in its place" in text for text in told) and told[-1].startswith(
        "withdrawal 0 of 2 tUSD was accepted"
    )

    replay = Replay(town.reader)
    replay.advance()
    proof = replay.prove_withdrawal(index)
    with pytest.raises(InputError, match="not confirmed the end of epoch"):
        check_withdrawal(proof, vault)
    town.confirm()
    check_withdrawal(proof, vault)
    for wrong in (replace(proof, amount=proof.amount + 1), replace(proof, registers_hash=bytes(32))):
        with pytest.raises(DataError, match="bad_witness"):
            check_withdrawal(wrong, vault)
    confirmed = inclusion.confirmed()
    assert (confirmed.epoch, confirmed.leaf.collateral) == (proof.epoch, 0)
    assert ways.describe_confirmed() == f"0 tUSD of collateral and 0 positions, at the end of epoch {proof.epoch}"
    assert ways.pay(index, told.append) is not None and ways.pay(index) is None and vault.is_paid(index)
    assert town.setoff(4, "exit --exchange http://127.0.0.1:1") == 1
    said = capsys.readouterr().out
    assert "nothing may leave now" in said and "`setoff exit --end`" in said

    # What L1 has confirmed is proven to anybody by a file.
    file, where = tmp_path / "proof.json", f"--rpc {anvil.url} --deployment {town.path}"
    assert main(f"proof 0x{signatures.address_of(trader_key(1)).hex()} --out {file} {where}".split()) == 0
    said = capsys.readouterr().out
    assert said.startswith("account 1 of 0x") and "market 1    long 500 lots" in said
    assert main(f"proof --check {file} {where}".split()) == 0
    assert "the proof holds: L1 has confirmed this" in capsys.readouterr().out
    shown = json.loads(file.read_text())
    for name, wrong in (("leaf", shown["leaf"][:-1] + "1"), ("account", "2"), ("registers_hash", "0x" + "11" * 32)):
        file.write_text(json.dumps(shown | {name: wrong}))
        assert main(f"proof --check {file} {where}".split()) == 3, name
    file.write_text(json.dumps(shown | {"epoch": "99"}))
    assert main(f"proof --check {file} {where}".split()) == 1
    assert main(f"proof 99 {where}".split()) == 1

    # Who has positions ends the exchange first, and then takes out all that they came to.
    long = open_ways(town, 1)
    with passing_time(anvil):
        long.wind_down(told.append, poll=0.2)
        assert long.look()[2].text.startswith("wind-down: the exchange ends")
        long.settle(told.append, poll=0.2)
    leaf = town.inclusion(1).leaf(1)
    assert not any(position.size for position in leaf.positions) and leaf.collateral > TRADERS[1] - 777_777
    assert town.setoff(1, "exit --no-wait --exchange http://127.0.0.1:1") == 0
    said = capsys.readouterr().out
    assert "posted in its place" in said
    index = int(said.split("setoff force pay ")[-1].split("`")[0])
    town.confirm()
    long.pay(index, told.append)
    assert town.balance(1) == leaf.collateral and "markets to settle: 1, 2; a crank for each" in "".join(told)


class Lost:
    """An operator that answers what it is asked, and not to a withdrawal."""

    def __init__(self, record: bytes) -> None:
        self.record = record

    def __enter__(self) -> "Lost":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def status(self) -> dict[str, None]:
        return {"obstacle": None}

    def account(self) -> dict[str, dict[str, object]]:
        return {"exit": {"now": "2000000", "more_at": 0}}

    def request_withdrawal(self, amount: int) -> int:
        lost = Unavailable("pending", "nothing has answered")
        lost.record = self.record
        raise lost


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_withdrawal_whose_answer_was_lost_is_forced_and_granted_once(
    anvil: Anvil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_taken: bool
) -> None:
    """The operator has taken it, and posts it, or it has not."""
    town = Town(anvil, tmp_path)
    town.trade()
    ways, amount = open_ways(town, 4), 500_000
    record = town.traffic.withdraw(4, amount)
    monkeypatch.setattr(ways, "_exchange", "named")
    monkeypatch.setattr(ways, "_client", lambda: Lost(record))
    if is_taken:
        assert town.exchange.post(2, 0, [record]).succeeded
    anvil.advance(PARAMS.wind_down)
    told: list[str] = []
    index = ways.withdraw(amount, told.append, poll=0.2)
    replay = Replay(town.reader)
    replay.advance()
    assert replay.machine.regs.withdrawals == 1 and index == 0
    assert replay.machine.state.withdrawal(0).amount == amount
    assert "the operator does not take it after all (pending: nothing has answered): forced through L1" in told
    assert ("was granted through the operator" in told[-1]) == is_taken
