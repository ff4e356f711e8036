"""`setoff operator config`, and those of watcher and feeder: what is set where, a sample, all that is wrong."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from setoff.deploy.cli.arguments.common import OPTIONS
from setoff.deploy.cli.main import main
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.sample import format_sample
from setoff.shared.config.setting import list_settings
from setoff.shared.config.settings import Settings
from setoff.shared.gateway.settings import GatewaySettings
from setoff.shared.oracle.settings import OracleSettings
from setoff.watcher.settings import WatcherSettings

ROOT = Path(__file__).resolve().parents[3]
KINDS = [OperatorSettings, WatcherSettings, OracleSettings, GatewaySettings]
READERS = {
    "sequencer": ("operator/sequencer/*.py", "operator/api/service.py", "operator/api/fronts.py"),
    "api": ("operator/api/admission.py", "operator/api/server.py", "operator/api/front.py"),
    "publisher": ("operator/publisher/*.py",),
    "supervisor": ("watcher/service.py", "watcher/preflight.py"),
    "server": ("watcher/server.py",),
    "follower": ("watcher/follower_process.py", "watcher/execution/scout.py"),
    "worker": ("watcher/execution/worker.py",),
    "archivist": ("watcher/archivist_process.py",),
    "challenger": ("watcher/challenger_process.py", "watcher/dispute/challenger.py", "watcher/context.py"),
}
"""Where each process reads its settings."""
THROUGH = {"listen": "address", "key": "(?:private_key|key)", "claim_after": "claims_after",
           "snapshot_peers": "snapshot_urls",
           "deference": "(?:deference|check_terms)"}  # fmt: skip
"""Properties by which a setting is read."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_changes_nothing_and_holds_every_setting(kind: type[Settings], tmp_path: Path) -> None:
    sample = format_sample(kind)
    path = tmp_path / "sample.toml"
    path.write_text(sample)
    assert kind.load(path, {}) == kind()
    live = re.sub(r"^# (\w+ = .*)$", r"\1", sample, flags=re.MULTILINE)
    path.write_text(live)
    assert kind.load(path, {}) == kind()
    data = tomllib.loads(live)
    assert {*data, *data[kind.section]} - {kind.section} == set(list_settings(kind))
    assert max(map(len, sample.splitlines())) <= 80


@pytest.mark.parametrize("kind", [*KINDS, ClientSettings])
def test_every_setting_says_what_it_means_and_what_it_may_be(kind: type[Settings]) -> None:
    for item in list_settings(kind).values():
        assert item.about.meaning.endswith("."), item.name
        assert item.about.unit or item.type not in ("int", "float") or item.name == "redis_port", item.name
        assert item.about.limit or item.type in ("bool", "Path") or item.about.is_secret, item.name
        assert not item.find_problem(item.default), item.name


@pytest.mark.parametrize("kind", KINDS)
def test_the_processes_named_read_their_settings(kind: type[Settings]) -> None:
    for item in list_settings(kind).values():
        named = THROUGH.get(item.name, item.name)
        for process in item.about.read_by:
            texts = [path.read_text() for pattern in READERS[process] for path in ROOT.glob(pattern)]
            read = rf"\b_?settings\.{named}\b|\bself\.{named}\b|\"{item.name}\""
            read += r"|open_account\(settings\)" if item.name == "key" else ""
            assert any(re.search(read, text) for text in texts), f"{item.name} is not read by the {process}"


def test_every_option_stands_for_a_setting() -> None:
    known = {name for kind in (*KINDS, ClientSettings) for name in list_settings(kind)}
    assert set(OPTIONS) <= known


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "operator.toml"
    path.write_text("rcp_url = 'x'\nl1_poll = 0\nlog_level = 'loud'\n[operator]\nmax_body = 5\nkye = 'a'\n")
    assert main(["operator", "config", "--check", str(path), "--json"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert len(problems) == 5
    for name, problem in zip(("rcp_url", "l1_poll", "log_level", "max_body", "operator.kye"), problems, strict=True):
        assert problem.startswith(f"{name}: ")


def test_a_good_file_needs_a_deployment_and_a_key_that_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SETOFF_DEPLOYMENT", raising=False)
    path = tmp_path / "watcher.toml"
    path.write_text(f"deployment = '{tmp_path}/none.json'\n[watcher]\nkey = '{tmp_path}/none.key'\n")
    assert main(["watcher", "config", "--check", str(path)]) == 2
    said = capsys.readouterr().out
    assert "there is no file" in said and "watcher.key: is neither" in said and "2 problems" in said


def test_a_gateway_needs_no_deployment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(f"deployment = '{tmp_path}/none.json'\n[gateway]\naccount = '7'\nkey = '{'11' * 32}'\n")
    assert main(["gateway", "config", "--check", str(path)]) == 0
    assert "all is well" in capsys.readouterr().out


def test_each_value_is_shown_with_its_origin_but_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "operator.toml"
    path.write_text("confirmations = 3\nl1_poll = 2\n[operator]\nheartbeat = 5\n")
    monkeypatch.setenv("SETOFF_CONFIG", str(path))
    monkeypatch.setenv("SETOFF_L1_POLL", "4")
    monkeypatch.setenv("SETOFF_OPERATOR_KEY", "11" * 32)
    assert main(["operator", "config", "--set", "heartbeat=7", "data=blobs", "--rpc", "http://a:1"]) == 0
    shown = capsys.readouterr().out
    values = {name: (value, origin.strip()) for name, value, origin in re.findall(r"^(\w+) +(\S+) +(.*)$", shown, re.M)}
    assert values["heartbeat"] == ("7.0", "the command line") and values["data"][0] == "blobs"
    assert values["rpc_url"] == ("http://a:1", "the command line")
    assert values["l1_poll"] == ("4.0", "SETOFF_L1_POLL") and values["confirmations"] == ("3", str(path))
    assert values["max_body"] == ("65536", "default") and "11" * 32 not in shown
