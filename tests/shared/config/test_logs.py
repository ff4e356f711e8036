"""What a service logs: an object a line if that is wanted, nothing that is secret, and no noise of libraries."""

import json
import logging
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import requests
from tests.support.chains.exchange import Exchange
from tests.support.processes.operator_run import operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.logs import set_up
from setoff.shared.config.settings import Settings
from setoff.shared.config.shown import show_url, show_urls
from setoff.shared.errors import ConfigError
from setoff.watcher.settings import WatcherSettings

KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
NODE = "https://user:passw0rd@node.example:8443/v3/0123456789abcdef?token=s3cr3tt0ken"
SECRETS = (KEY, "passw0rd", "0123456789abcdef", "s3cr3tt0ken", "hunter22")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (NODE, "https://node.example:8443/…"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://host/", "http://host/"),
        ("http://host?key=abc", "http://host/…"),
        ("http://host#frag", "http://host/…"),
        ("http://us@er:pw@host/x", "http://host/…"),
        ("http://[::1]:8545/abc", "http://[::1]:8545/…"),
    ],
)
def test_of_an_address_its_host_is_shown(url: str, shown: str) -> None:
    assert show_url(url) == shown == show_urls(url)


def test_addresses_are_found_in_any_text() -> None:
    text = f"a {NODE}, and 'redis://:hunter22@store:6379/0?password=hunter22' too"
    assert show_urls(text) == "a https://node.example:8443/…, and 'redis://store:6379/0' too"


def test_no_secret_is_logged_whoever_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    settings = OperatorSettings(
        key="0x" + KEY, rpc_url=f"{NODE},http://127.0.0.1:1", redis_url="redis://:hunter22@s/0", log_format="json"
    )
    set_up(settings)
    log = logging.getLogger("setoff.test")
    for secret in SECRETS:
        log.info("it is %s", secret, extra={"field": f"<{secret}>", "number": 7})
    try:
        requests.get("http://127.0.0.1:9/v3/0123456789abcdef?token=s3cr3tt0ken", timeout=5)
    except requests.RequestException as error:
        log.exception("a library says: %s", error)
    said = capsys.readouterr().err
    assert not [secret for secret in SECRETS if secret in said], said
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) == len(SECRETS) + 1
    assert lines[0] == lines[0] | {
        "level": "info",
        "logger": "setoff.test",
        "process": "operator",
        "message": "it is …",
    }
    assert lines[0]["fields"] == {"field": "<…>", "number": 7}
    assert lines[0]["time"].endswith("Z") and datetime.fromisoformat(lines[0]["time"]).microsecond % 1000 == 0
    assert "Traceback" in lines[-1]["exception"] and "a library says" in lines[-1]["message"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_other_libraries_tell_what_is_wrong_alone(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(WatcherSettings(log_level="debug", log_format=form), "worker 1")
    for name in ("urllib3.connectionpool", "aiohttp.access", "rq.worker", "httpx", "web3", "asyncio", "setoffish"):
        logging.getLogger(name).debug("noise")
        logging.getLogger(name).info("noise")
        logging.getLogger(name).warning("trouble")
    logging.getLogger("setoff.watcher").debug("ours")
    said = capsys.readouterr().err
    assert "noise" not in said and said.count("trouble") == 7 and "ours" in said and said.count("worker 1") == 8


def test_no_command_shows_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "operator.toml"
    path.write_text(
        f"rpc_url = ['{NODE}', 'http://plain:1']\nbeacon_url = '{NODE}'\nredis_url = 'redis://:hunter22@s:1/0'\n"
        f"[operator]\nkey = '{KEY}'\nhistory_url = 'postgresql://u:hunter22@h/x'\n"
    )
    for words in ([], ["--json"]):
        assert main(["operator", "config", "--config", str(path), *words]) == 0
        shown = capsys.readouterr().out
        assert not [secret for secret in SECRETS if secret in shown], shown
        assert "https://node.example:8443/" in shown and "http://plain:1" in shown and "redis://s:1/0" in shown
    with pytest.raises(ConfigError) as caught:
        path.write_text(f"[operator]\nkey = 0x{KEY}\n")
        OperatorSettings.load(path, {})
    assert str(int(KEY, 16)) not in str(caught.value) and "key" in str(caught.value)


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="log_format: must be one of text, json"):
        Settings.load(env={"SETOFF_LOG_FORMAT": "xml"})


@pytest.mark.slow
def test_all_processes_of_an_operator_log_objects(anvil: Anvil, tmp_path: Path) -> None:
    exchange, log = Exchange(anvil), tmp_path / "log"
    more = {"SETOFF_LOG_FORMAT": "json", "SETOFF_OPERATOR_HEARTBEAT": "0.5", "SETOFF_LOG_LEVEL": "debug"}

    def read() -> list[dict[str, object]]:
        """But for the lines that say where it serves."""
        lines = [line for line in log.read_text().splitlines() if not line.startswith(("store:", "sequencer:", "publ"))]
        return [json.loads(line) for line in lines if line.endswith("}")]

    with operator(exchange, tmp_path, **more) as process:
        wait_until(lambda: any("posting batch" in str(line["message"]) for line in read()), what=log.read_text)
        process.terminate()
        process.wait(30)
    told = read()
    assert {"publisher", "operator"} <= {line["process"] for line in told}
    (posting, *_) = (line for line in told if "posting batch" in str(line["message"]))
    assert posting["fields"] == {"batch": 0, "inputs": 0} and posting["process"] == "publisher"
    assert not [line for line in told if str(line["logger"]).startswith("urllib3")]


def test_a_commands_own_words_stay_text() -> None:
    words = [sys.executable, "-m", "setoff.deploy.cli", "operator", "status", "--set", "log_format=json"]
    told = subprocess.run([*words, "deployment=none"], capture_output=True, text=True)
    assert told.stderr.startswith("setoff: bad_config: deployment")
