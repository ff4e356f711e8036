"""Settings: file, environment, defaults; and every error names the setting."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from setoff.operator.settings import OperatorSettings
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.key_file import read_key
from setoff.shared.config.settings import Settings, parse_listen
from setoff.shared.errors import ConfigError
from setoff.shared.oracle.settings import OracleSettings
from setoff.watcher.settings import WatcherSettings

ADDRESS = "0x" + "ab" * 20
KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def write(folder: Path, text: str) -> Path:
    path = folder / "setoff.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", [Settings, OperatorSettings, WatcherSettings, OracleSettings])
def test_everything_has_a_default(kind: type[Settings]) -> None:
    kind.load(env={})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        rpc_url = "http://file:1"
        confirmations = 3
        redis_dir = "~/redis"
        [operator]
        listen = "0.0.0.0:80"
        batch_interval = 5
        [watcher]
        workers = 4
        """,
    )
    env = {
        "SETOFF_RPC_URL": "http://env:2",
        "SETOFF_OPERATOR_MAX_WAITING": "9",
        "SETOFF_OPERATOR_ALLOW_VOLATILE_STORE": "yes",
        "SETOFF_WATCHER_LISTEN": "127.0.0.1:1",
        "REDIS_URL": "redis://env:3",
    }
    operator = OperatorSettings.load(path, env)
    assert operator.rpc_url == "http://env:2" and operator.confirmations == 3
    assert operator.redis_url == "redis://env:3" and operator.redis_dir == Path.home() / "redis"
    assert operator.address == ("0.0.0.0", 80) and operator.batch_interval == 5.0
    assert operator.max_waiting == 9 and operator.allow_volatile_store
    watcher = WatcherSettings.load(path, env)
    assert watcher.workers == 4 and watcher.address == ("127.0.0.1", 1)
    assert (
        OperatorSettings.load(env={"SETOFF_REDIS_URL": "redis://a", "REDIS_URL": "redis://b"}).redis_url == "redis://a"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rcp_url = 'http://x'", "rcp_url"),
        ("[operator]\nlisten_port = 5", "operator.listen_port"),
        ("rpc_url = 5", "rpc_url"),
        ("rpc_url = 'localhost'", "rpc_url"),
        ("rpc_url = 'ws://localhost'", "rpc_url"),
        ("rpc_url = 'http://one,ws://two'", "rpc_url"),
        ("rpc_url = 'http://one,'", "rpc_url"),
        ("rpc_url = ['http://one', 'http://one']", "rpc_url"),
        ("rpc_url = ['http://one', 5]", "rpc_url"),
        ("redis_url = 'http://x'", "redis_url"),
        ("redis_port = 70000", "redis_port"),
        ("confirmations = -1", "confirmations"),
        ("confirmations = 'many'", "confirmations"),
        ("confirmations = true", "confirmations"),
        ("l1_poll = 0", "l1_poll"),
        ("l1_poll = nan", "l1_poll"),
        ("log_level = 'loud'", "log_level"),
        ("operator = 5", "operator"),
        ("[operator]\nlisten = 'here'", "listen"),
        ("[operator]\nlisten = ':80'", "listen"),
        ("[operator]\nlisten = 'a:99999'", "listen"),
        ("[operator]\nbatch_interval = -1", "batch_interval"),
        ("[operator]\nbatch_interval = inf", "batch_interval"),
        ("[operator]\nheartbeat = -1", "heartbeat"),
        ("[operator]\nblob_fee_cap = 0", "blob_fee_cap"),
        ("beacon_url = 'localhost'", "beacon_url"),
        ("[operator]\ndata = 'paper'", "data"),
        ("[operator]\nmax_waiting = 0", "max_waiting"),
        ("[operator]\nmax_body = 10", "max_body"),
        ("[operator]\nallow_volatile_store = 1", "allow_volatile_store"),
        ("not toml", "setoff.toml"),
    ],
)
def test_errors_name_the_setting(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        OperatorSettings.load(write(tmp_path, text), {})
    assert caught.value.reason == "bad_config"


def test_peers_are_a_list_of_urls(tmp_path: Path) -> None:
    watcher = WatcherSettings.load(write(tmp_path, "[watcher]\npeers = 'http://a:1, https://b '"), {})
    assert watcher.peer_urls == ("http://a:1", "https://b") and WatcherSettings().peer_urls == ()
    with pytest.raises(ConfigError, match="peers"):
        WatcherSettings.load(write(tmp_path, "[watcher]\npeers = 'http://a:1, b'"), {})


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "rpc_url = 'http://file:1'\n[client]\nexchange = 'http://file:2'\nkey = 'file.key'")
    env = {"SETOFF_EXCHANGE": "http://env:2", "SETOFF_RPC_URL": "http://env:1", "SETOFF_OPERATOR_KEY": "another's"}
    client = ClientSettings.load(path, env, {"rpc_url": "http://given:1"})
    assert (client.rpc_url, client.exchange, client.key) == ("http://given:1", "http://env:2", "file.key")
    reading = ClientSettings.read(path, env, {"rpc_url": "http://given:1"})
    assert reading.origins["key"] == f"{path} [client]" and reading.origins["exchange"] == "SETOFF_EXCHANGE"
    assert OperatorSettings.load(path, env).key == "another's"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "l1_poll = 0\nconfirmations = 'x'\n[watcher]\nworkers = -1\nfee_cap = 9\nurgent_fee_cap = 8")
    with pytest.raises(ConfigError) as caught:
        WatcherSettings.load(path, {})
    told = caught.value.detail.split("; ")
    assert len(told) == 4 and all(
        any(name in each for each in told) for name in ("l1_poll", "confirmations", "workers")
    )
    assert told[-1].startswith("fee_cap, urgent_fee_cap: needed")


def test_errors_name_the_variable() -> None:
    with pytest.raises(ConfigError, match="SETOFF_CONFIRMATIONS"):
        Settings.load(env={"SETOFF_CONFIRMATIONS": "few"})


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml"):
        Settings.load(tmp_path / "nothing.toml", {})


def test_keys_come_in_hex_or_in_a_file_and_are_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"0x{KEY}\n")
    assert read_key(KEY, "key") == read_key("0x" + KEY, "key") == read_key(str(path), "key") == bytes.fromhex(KEY)
    assert KEY not in repr(OperatorSettings(key=KEY))
    path.write_text(KEY[:-2])
    for text in ("", KEY[:-2], str(path), str(tmp_path)):
        with pytest.raises(ConfigError, match=r"operator\.key") as caught:
            OperatorSettings(key=text).private_key()
        assert KEY[:-2] not in str(caught.value)


def test_listens_on_ipv6() -> None:
    assert parse_listen("[::1]:8700") == ("::1", 8700)


def test_a_deployment_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "deployment.json"
    deployment = Deployment(31337, *[ADDRESS] * 7, block=7, epoch_batches=2)
    deployment.save(path)
    assert Deployment.load(path) == deployment
    assert len(deployment.domain) == 32 and deployment.vault_bytes == bytes.fromhex("ab" * 20)
    assert deployment.namespace != Deployment(1, *[ADDRESS] * 7).namespace


@pytest.mark.parametrize(
    "change", [{"vault": "0x12"}, {"vault": None}, {"vault": "0x_" + "1" * 39}, {"chain_id": "1"}, {"chain_id": -1}]
)
def test_a_broken_deployment_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(dataclasses.asdict(Deployment(1, *[ADDRESS] * 7)) | change))
    with pytest.raises(ConfigError, match=next(iter(change))):
        Deployment.load(path)
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="deployment"):
            Deployment.load(path)
    with pytest.raises(ConfigError, match="deployment"):
        Deployment.load(tmp_path / "nothing.json")


def test_a_deployment_file_that_was_named_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ClientSettings().find_deployment() is None
    with pytest.raises(ConfigError, match="elsewhere"):
        ClientSettings(deployment=tmp_path / "elsewhere.json").find_deployment()
