"""The doctor: says that all is well where it is, and what is wrong where it is not."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec import records
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Refused
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.watcher.context import Context
from setoff.watcher.dispute.challenger import make_player
from setoff.watcher.monitor.doctor import Doctor, Finding
from setoff.watcher.monitor.judge_selftest import FORCED, JUDGE, PRETENDED, RULE, JudgeSelftest, Samples, Trial
from setoff.watcher.monitor.speed import measure
from setoff.watcher.settings import WatcherSettings


@pytest.fixture(autouse=True)
def _looks_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast the host is needs no whole second to be said."""
    monkeypatch.setattr("setoff.watcher.monitor.doctor.measure", partial(measure, seconds=0.1))


def make_batches(chain_id: int, vault: bytes) -> Sequence[Batch]:
    return play_epoch(SampleTraffic(chain_id, vault))


def post_something(exchange: Exchange) -> None:
    for account in range(1, 3):
        exchange.deposit(account, 10**9)
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.post(0, 2, [traffic.transfer(1, 2, 5), traffic.withdraw(2, 7)])


def samples_of(exchange: Exchange) -> Samples:
    deployment = exchange.deployment
    return Samples(make_batches(deployment.chain_id, deployment.vault_bytes), deployment.domain)


def try_all(exchange: Exchange) -> list[Trial]:
    reader = ChainReader(exchange.operator, exchange.deployment)
    return list(JudgeSelftest(reader).try_all(samples_of(exchange)))


def test_every_kind_of_step_is_judged_alike(exchange: Exchange) -> None:
    post_something(exchange)
    trials = try_all(exchange)
    assert [trial for trial in trials if not trial.passed] == []
    tried = {trial.kind for trial in trials}
    assert set(phases.NAMES) <= tried
    assert {trial.manner for trial in trials} >= {JUDGE, PRETENDED}
    posted = {trial.kind for trial in trials if "(batch 0)" in trial.kind}
    assert any("transfer" in kind for kind in posted) and any("deposit" in kind for kind in posted)


def test_without_overrides_the_rules_are_asked_alone(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    call = JudgeSelftest._call

    def refuse(self: JudgeSelftest, to: str, data: bytes, overrides: object = None) -> bytes:
        if overrides:
            raise Refused("transaction_reverted", "too many arguments")
        return call(self, to, data)

    monkeypatch.setattr(JudgeSelftest, "_call", refuse)
    trials = try_all(exchange)
    assert [trial for trial in trials if not trial.passed] == []
    assert any(trial.manner == RULE for trial in trials) and not any(trial.manner == PRETENDED for trial in trials)


def test_a_phase_without_a_sample_is_made_up(exchange: Exchange) -> None:
    samples = samples_of(exchange)
    del samples.widest["fill"], samples.widest["drop"]
    trials = {
        trial.kind: trial
        for trial in JudgeSelftest(ChainReader(exchange.operator, exchange.deployment)).try_all(samples)
    }
    assert trials["drop"].manner == FORCED and trials["drop"].passed


def test_a_stale_rulebook_is_found(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Machine.step

    def stale(self: Machine, batch: Batch, input_index: int, micro: int) -> None:
        step(self, batch, input_index, micro)
        if self.regs.kind == records.TRANSFER and self.regs.phase == phases.IDLE:
            self.regs.amount += 1

    monkeypatch.setattr(Machine, "step", stale)
    assert any(not trial.passed for trial in try_all(exchange))


def findings_of(settings: WatcherSettings, **options: int) -> dict[str, Finding]:
    found = Doctor(settings, make_batches, **options).examine()
    return {finding.what: finding for finding in found}


def test_a_watcher_that_could_win_and_one_that_could_not(
    settings: WatcherSettings, desk: Desk, exchange: Exchange
) -> None:
    post_something(exchange)
    desk.execute_all()
    rich = dataclasses.replace(settings, key=dev_keys()[3].hex())
    found = findings_of(rich, steps=100)
    fatal = {what for what, finding in found.items() if finding.is_fatal}
    assert fatal == {"processes"}  # the only thing that is missing: nobody runs
    assert found["terms"].seen.startswith("those of the preset devnet")
    assert found["oracle"].grade == "warn" and "a trial" in found["oracle"].seen
    assert found["steps of every kind"].grade == "ok"
    # The truth about development terms: no epoch at the cap is done in time; and a poor watcher is no watcher.
    poor = dataclasses.replace(settings, key="11" * 32)
    found = findings_of(poor)
    assert found["worst epoch"].grade == "warn" and "for trials" in found["worst epoch"].seen
    assert found["capital"].is_fatal
    assert findings_of(rich, kappa=15)["worst epoch"].is_fatal, "who asks for a time gets a verdict"


def test_a_node_that_lacks_much_is_enough_and_what_it_lacks_is_said(
    settings: WatcherSettings, desk: Desk, exchange: Exchange
) -> None:
    post_something(exchange)
    desk.execute_all()
    with FaultyNode(exchange.anvil.url, *faults.LACKS.values()) as node:
        found = findings_of(dataclasses.replace(settings, rpc_url=node.url, key=dev_keys()[3].hex()), steps=100)
    assert {what for what, finding in found.items() if finding.is_fatal} == {"processes"}
    of_node = {what.removeprefix("node: "): finding for what, finding in found.items() if what.startswith("node: ")}
    assert {what for what, finding in of_node.items() if finding.grade == "warn"} == set(faults.LACKS)
    assert all(of_node[what].seen.startswith("no: ") for what in faults.LACKS)


def stakes_of(settings: WatcherSettings) -> Finding | None:
    doctor = Doctor(settings, make_batches)
    return next(doctor._claims_can_be_staked(), None)


def test_a_liveness_keepers_stake_is_counted(settings: WatcherSettings, exchange: Exchange, desk: Desk) -> None:
    assert stakes_of(dataclasses.replace(settings, key=dev_keys()[3].hex())) is None, (
        "who keeps nothing alive needs none"
    )
    key = "33" * 32
    keeping = dataclasses.replace(settings, key=key, liveness_keeper=True)
    address = L1(settings.rpc_url, bytes.fromhex(key)).address
    found = stakes_of(keeping)
    assert found is not None and found.is_fatal and "a stake of 1.000 ETH" in found.seen
    exchange.funder.transact(address, value=15 * 10**17)
    found = stakes_of(keeping)
    assert found is not None and found.grade == "ok"
    # Once it has claimed, the stake that stands counts as well.
    exchange.post(0, 0)
    desk.execute_all()
    player = make_player(dataclasses.replace(keeping, claim_after=0), Context.open(keeping, key=keeping.private_key()))
    assert [type(action).__name__ for action, _ in player.step().sent] == ["Claim"]
    found = stakes_of(keeping)
    assert found is not None and found.grade == "ok" and "1.000 ETH staked" in found.seen


def test_other_contracts_are_found(settings: WatcherSettings, exchange: Exchange) -> None:
    wrong = dataclasses.replace(exchange.deployment, judge=exchange.deployment.queue)
    wrong.save(settings.deployment)
    assert findings_of(dataclasses.replace(settings, key=dev_keys()[3].hex()), steps=100)["contracts"].is_fatal
