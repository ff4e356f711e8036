"""Other rules are another exchange: it is announced by command, and a watcher of this one says so and goes on."""

import pytest
from tests.support.chains.exchange import Exchange

from setoff.contracts import verification
from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.codec import eip712
from setoff.shared.errors import ConfigError
from setoff.watcher.monitor.alerts import WARNING
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.settings import WatcherSettings

FOLLOWER = "0x" + "ab" * 20


def market(settings: WatcherSettings, *words: str) -> int:
    """`setoff market …`."""
    chain = ["--deployment", str(settings.deployment), "--rpc", settings.rpc_url]
    key = [] if words[0] == "proposals" else ["--key", dev_keys()[0].hex()]
    return main(["market", *words, *chain, *key])


def list_alerts(settings: WatcherSettings) -> list[str]:
    return [alert.text for alert in DisputeMonitor(settings).look().alerts if alert.level == WARNING]


def test_a_successor_is_announced_shown_and_taken_back(
    settings: WatcherSettings, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any("follow" in text for text in list_alerts(settings))
    assert market(settings, "announce", FOLLOWER, "--days", "2") == 0
    assert f"vault {FOLLOWER}, is announced to follow on this one in 17" in capsys.readouterr().out
    assert market(settings, "proposals") == 0 and FOLLOWER in capsys.readouterr().out
    (told,) = [text for text in list_alerts(settings) if FOLLOWER in text]
    assert "this one is needed here until all withdrawals are paid" in told
    assert market(settings, "announce", "0x" + 40 * "0") == 0
    assert "no exchange follows" in capsys.readouterr().out
    assert not any("follow" in text for text in list_alerts(settings))


def test_a_successor_that_is_no_address_is_refused(
    settings: WatcherSettings, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        market(settings, "announce", "0x12")
    assert "'0x12' is not an address" in capsys.readouterr().err


def test_a_program_for_other_rules_does_not_start(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eip712, "VERSION", "2")
    with pytest.raises(ConfigError, match="its rules are version 1, this program is for version 2"):
        verification.check_deployment(exchange.operator, exchange.deployment)
