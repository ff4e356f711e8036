"""Whether the operator is there, as a third party sees it: in the monitor, from L1 alone."""

import json
from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange, call_data

from setoff.deploy.cli.main import main
from setoff.shared.l1.inbox import RESERVE
from setoff.shared.params import DEMO, Params
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.watcher.liveness.presence import STATES
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.monitor.text import to_text
from setoff.watcher.settings import WatcherSettings

SILENCE = DEMO.silence


@pytest.fixture
def params() -> Params:
    return replace(DEMO, epoch_batches=3)


@pytest.fixture
def monitor(settings: WatcherSettings) -> DisputeMonitor:
    return DisputeMonitor(settings)


def alerts(overview: Overview) -> list[str]:
    """Levels of those about the operator: no process of this watcher runs, which others say."""
    return [alert.level for alert in overview.alerts if not alert.text.startswith("the watcher: ")]


def state(overview: Overview) -> str:
    assert overview.operator is not None
    assert [f'setoff_operator{{state="{each}"}} {int(each == overview.operator.state)}' in to_prometheus(overview)
            for each in STATES] == [True] * len(STATES)  # fmt: skip
    return overview.operator.state


def test_from_the_first_silence_to_the_end(exchange: Exchange, monitor: DisputeMonitor) -> None:
    anvil = exchange.anvil
    for number in range(3):
        exchange.post(number, 0)
    overview = monitor.look()
    assert state(overview) == "there" and alerts(overview) == []
    exchange.deposit(1, 1_000)
    anvil.advance(SILENCE * 3 // 4 + 60)
    overview = monitor.look()
    assert (
        state(overview) == "late" and alerts(overview) == ["warning"] and "1 messages wait" in overview.alerts[0].text
    )
    assert overview.operator is not None
    posted_at, opens_at, ends_at = overview.operator.posted_at, overview.operator.opens_at, overview.operator.ends_at
    assert (opens_at, ends_at) == (posted_at + SILENCE, posted_at + DEMO.wind_down)
    assert f"in {opens_at - overview.now} s anybody may post" in overview.alerts[0].text

    anvil.advance(opens_at - overview.now - 1)
    assert state(monitor.look()) == "late"
    anvil.advance(1)
    overview = monitor.look()
    assert state(overview) == "open" and alerts(overview) == ["critical"] and "ended in" in overview.alerts[0].text
    stranger = anvil.connect(4)
    assert post_waiting(stranger, exchange.deployment).succeeded
    overview = monitor.look()
    assert state(overview) == "open", "a stranger's batch is none of the operator's"
    assert overview.operator is not None and overview.operator.posted_at == posted_at and overview.operator.waiting == 0

    anvil.advance(ends_at - overview.now)
    overview = monitor.look()
    assert state(overview) == "open" and "can be ended for good" in overview.alerts[0].text
    stranger.transact(exchange.deployment.queue, call_data("wind_down()"))
    begun = stranger.head().timestamp
    anvil.advance(500)
    overview = monitor.look()
    assert state(overview) == "winding down" and alerts(overview) == ["critical"]
    assert overview.operator is not None and overview.operator.winding_since == begun
    assert f"winds down for {overview.now - begun} s" in overview.alerts[0].text
    # Should the operator come back, that changes nothing any more.
    exchange.post(4, 1)
    overview = monitor.look()
    assert state(overview) == "winding down" and overview.operator is not None and overview.operator.silent_for < 10


def test_an_operator_that_returns_is_there_again(exchange: Exchange, monitor: DisputeMonitor) -> None:
    exchange.anvil.advance(SILENCE + 5)
    assert state(monitor.look()) == "open"
    exchange.operator.transact(exchange.deployment.inbox, RESERVE)
    overview = monitor.look()
    assert state(overview) == "late" and overview.operator is not None and 0 < overview.operator.opens_in <= 3600
    exchange.post(0, 0)
    assert state(monitor.look()) == "there"


def test_an_operator_that_completes_no_epoch_is_too_slow(exchange: Exchange, monitor: DisputeMonitor) -> None:
    exchange.post(0, 0)
    exchange.anvil.advance(SILENCE // 2)
    exchange.post(1, 0)
    assert state(monitor.look()) == "there"
    exchange.anvil.advance(SILENCE // 2)
    overview = monitor.look()
    assert (
        state(overview) == "slow"
        and "completes no epoch" in overview.alerts[0].text
        and alerts(overview) == ["critical"]
    )
    exchange.post(2, 0)
    assert state(monitor.look()) == "there"


def test_a_reorg_takes_the_end_back(exchange: Exchange, monitor: DisputeMonitor) -> None:
    exchange.anvil.advance(DEMO.wind_down)
    exchange.funder.transact(exchange.deployment.queue, call_data("wind_down()"))
    assert state(monitor.look()) == "winding down"
    exchange.anvil.l1.request("anvil_rollback", 1)
    overview = monitor.look()
    assert state(overview) == "open" and overview.operator is not None and overview.operator.winding_since == 0


def test_on_the_command_line(exchange: Exchange, settings: WatcherSettings, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["watcher", "disputes", f"--set=deployment={settings.deployment}", f"--set=rpc_url={settings.rpc_url}"]
    words.append(f"--set=redis_dir={settings.deployment.parent / 'none'}")
    assert main(words) == 0 and "operator there" in capsys.readouterr().out
    exchange.anvil.advance(SILENCE)
    assert main([*words, "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["operator"]["state"] == "open" and shown["operator"]["opens_in"] == 0
    assert main([*words, "--prometheus"]) == 1
    shown = capsys.readouterr().out
    assert "setoff_inbox_opens_seconds -" in shown or "setoff_inbox_opens_seconds 0" in shown
    lines = to_text(DisputeMonitor(settings).look()).splitlines()
    assert any(line.startswith("CRITICAL: the operator has posted nothing") for line in lines)
