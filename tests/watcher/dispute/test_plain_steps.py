"""A fast path that is wrong, put in from outside: the watcher notices, says so, takes every step from then on, wins."""

from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange, call_data
from tests.support.machines.wrong_fast_path import SWEPT, draw, post_swept, spoil
from tests.support.processes.lone_watcher import LoneWatcher
from tests.support.processes.watching import Desk

from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.machine import spot_checks
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.spot_checks import CREDIT, SpotChecks
from setoff.shared.params import DEMO, Params
from setoff.watcher.dispute.challenger import OpenEpochs
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.settings import WatcherSettings

LIAR = 6


@pytest.fixture
def params() -> Params:
    return DEMO


@pytest.fixture
def swept(exchange: Exchange) -> Exchange:
    post_swept(exchange)
    return exchange


@pytest.fixture
def truth(swept: Exchange, desk: Desk) -> list[bytes]:
    """The ends of all epochs, before anything is spoilt."""
    desk.catch_up()
    return [verify_epoch(desk.context.reader, epoch)[0].end for epoch in range(3)]


def start_of(exchange: Exchange, epoch: int) -> bytes:
    return exchange.operator.call(exchange.deployment.court, call_data("start_of(uint256)", epoch))


def test_the_worker_that_draws_the_input_notices(
    desk: Desk, truth: list[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(monkeypatch)
    draw(monkeypatch, every=True)
    assert desk.execute(0) == truth[0] and desk.execute(1) == truth[1]
    assert desk.execute(SWEPT) is None
    assert "plain steps" in desk.store.alarm() and "ALARM" in caplog.text
    assert desk.store.epoch_count() == 0, "nothing that L1 has not confirmed is believed"
    assert Desk(desk.settings).execute_all() == 3, "every worker takes every step now"
    assert [result.end for result in desk.store.results()] == truth
    (alert,) = [each for each in DisputeMonitor(desk.settings).look().alerts if "fast path" in each.text]
    assert alert.level == "critical"


def test_a_watcher_with_a_wrong_fast_path_wins_a_dispute(
    swept: Exchange, settings: WatcherSettings, desk: Desk, truth: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers came to a wrong end and checked nothing. A liar claims; what it would say is not its own end."""
    spoil(monkeypatch)
    draw(monkeypatch, every=False)
    lie: OpenEpochs = lambda settings, context: open_false_epochs(  # noqa: E731
        WatcherLie("forged-withdrawal", SWEPT), settings, context
    )
    liar = LoneWatcher(swept, replace(settings, name="liar", claim_after=0), LIAR, open_epochs=lie)
    # The liar knows the rules: it lies about what plain steps come to.
    liar.context.store.raise_alarm("a liar's own business")
    honest = LoneWatcher(swept, settings)
    for watcher in (liar, honest):
        watcher.player._spread = 0.0
    honest.desk.execute_all()
    wrong = desk.store.epoch(SWEPT)
    assert wrong is not None and wrong.end != truth[SWEPT]
    honest.play_until(lambda: liar.round() or honest.player.reader.court.confirmed == 3)
    assert start_of(swept, 3) == truth[SWEPT]
    assert "plain steps" in desk.store.alarm()
    court = honest.player.reader.court
    (claim,) = [claim for claim in court.claims.values() if claim.epoch == SWEPT]
    assert claim.end != truth[SWEPT] and claim.histories[claim.winner].owner == honest.player.player.me
    assert any(history.was_eliminated for history in claim.histories.values())


def test_of_every_epoch_that_is_staked_on_an_input_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, every=False)
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    batch = traffic.seal([traffic.deposit(1, 5)] * 7)
    checks = SpotChecks(pytest.fail, every_epoch=True)
    for epoch in range(1, 10):
        checks.begin_epoch(batch.header.inputs)
        for input_index in range(batch.header.inputs):
            machine = checks.run_input(machine, batch, input_index)
        assert checks.tally.checked == epoch


def test_checks_take_their_share_of_the_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    traffic, now = SampleTraffic(), [0.0]
    machine = Machine.genesis(traffic.domain)
    batch = traffic.seal([traffic.deposit(1, 5)] * 1000)
    spent = iter(range(10**9))
    monkeypatch.setattr(spot_checks.time, "process_time", lambda: next(spent))  # a second for whatever is timed
    alarms: list[str] = []
    checks = SpotChecks(alarms.append, lambda: now[0])
    for input_index in range(1000):
        now[0] += 1.0
        machine = checks.run_input(machine, batch, input_index)
    assert checks.tally.inputs == 1000 and alarms == []
    assert 0 < checks.tally.seconds <= CREDIT + spot_checks.SHARE * 1000 + 2
    assert checks.tally.checked >= 10
