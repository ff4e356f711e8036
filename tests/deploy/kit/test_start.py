"""Units are started as systemd starts them, but for its sandbox: their command, environment, credentials, folder and
notification, on a host that is a folder; and stopped as it stops them."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from tests.support.chains.exchange import Exchange
from tests.support.ports import find_free_ports
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil, dev_keys

KIT = Path(__file__).resolve().parents[3] / "deploy" / "kit"
PASSWORD = "correct horse"
READY_SECONDS = 120.0


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    return Exchange(anvil)


class Host:
    """Its root is `root`: what a unit names lies below it."""

    def __init__(self, root: Path, exchange: Exchange) -> None:
        self.root = root
        self.settings = root / "etc" / "setoff"
        self.settings.mkdir(parents=True)
        exchange.deployment.save(self.settings / "deployment.json")

    def configure(self, role: str, text: str, key: bytes, **secret: str) -> None:
        """Its settings, its key as a keystore with a password, and what only root may read."""
        (self.settings / f"{role}.toml").write_text(f"deployment = '{self.settings}/deployment.json'\n{text}")
        (self.settings / "plain").write_text(key.hex())
        (self.settings / f"{role}.password").write_text(PASSWORD + "\n")
        words = [str(self.settings / f"{role}.key"), "--of", str(self.settings / "plain")]
        assert main(["wallet", "keystore", *words, "--key-password", str(self.settings / f"{role}.password")]) == 0
        (self.settings / "plain").unlink()
        lines = [f"{name}={value}\n" for name, value in secret.items()]
        (self.settings / f"{role}.env").write_text("# not for everybody\n" + "".join(lines))

    @contextmanager
    def started(self, unit: str, **words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        """The unit's process once it is ready, and its log; `words`: what others stand for in its command. It is
        stopped with SIGTERM at the end, and has to end well."""
        lines = [line.removeprefix("#") for line in (KIT / f"{unit}.service").read_text().splitlines()]
        found = [line.partition("=")[::2] for line in lines if "=" in line and not line.startswith(" ")]
        get = dict(found).get
        credentials = self.root / "run" / "credentials" / unit
        shutil.rmtree(credentials, ignore_errors=True)
        credentials.mkdir(parents=True)
        environment = {"PATH": os.environ["PATH"]}
        for name, value in found:
            if name == "LoadCredential":
                credential, _, file = value.partition(":")
                shutil.copy(self._place(file), credentials / credential)
                (credentials / credential).chmod(0o400)
            elif name == "Environment":
                variable, _, text = value.partition("=")
                environment[variable] = self._place(text.replace("%d", str(credentials)))
            elif name == "EnvironmentFile" and Path(self._place(value.removeprefix("-"))).exists():
                for line in Path(self._place(value.removeprefix("-"))).read_text().splitlines():
                    if not line.startswith("#"):
                        environment.update([line.partition("=")[::2]])
        environment["SETOFF_CACHE"] = os.environ["SETOFF_CACHE"]
        state = self.root / "var" / "lib" / str(get("StateDirectory"))
        state.mkdir(parents=True, mode=int(str(get("StateDirectoryMode")), 8), exist_ok=True)
        program, *rest = shlex.split(str(get("ExecStart")))
        assert program == "/opt/setoff/bin/setoff"
        command = [sys.executable, "-m", "setoff.deploy.cli", *(words.get(word, word) for word in rest)]
        log = self.root / f"{unit}.log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, log.open("wb") as output:
            if get("Type") == "notify":
                environment["NOTIFY_SOCKET"] = str(self.root / f"{unit}.sock")
                ear.bind(environment["NOTIFY_SOCKET"])
                ear.settimeout(READY_SECONDS)
            process = subprocess.Popen(command, cwd=state, env=environment, stdout=output, stderr=output)
            try:
                if get("Type") == "notify":
                    assert b"READY=1" in ear.recv(1024), log.read_text()
                yield process, log
                process.send_signal(signal.SIGTERM)
                assert process.wait(float(str(get("TimeoutStopSec")))) in (0, -signal.SIGTERM), log.read_text()
            finally:
                process.kill()
                process.wait()
        assert PASSWORD not in log.read_text()

    def _place(self, text: str) -> str:
        return text.replace("/etc/setoff/", f"{self.settings}/") if text.startswith("/etc/") else text


@pytest.mark.slow
def test_the_operators_units_run_with_a_keystore(exchange: Exchange, tmp_path: Path) -> None:
    host, (api, page) = Host(tmp_path, exchange), find_free_ports(2)
    text = f"confirmations = 0\nlog_format = 'json'\n[operator]\nlisten = '127.0.0.1:{api}'\nhistory_url = 'off'\n"
    host.configure("operator", text, dev_keys()[0], SETOFF_RPC_URL=exchange.anvil.url)
    with host.started("setoff-operator"):
        assert requests.get(f"http://127.0.0.1:{api}/v1/health", timeout=10).status_code == 200
        with host.started("setoff-operator-status", **{"127.0.0.1:8701": f"127.0.0.1:{page}"}) as (_, log):

            def shows() -> bool:
                try:
                    shown = requests.get(f"http://127.0.0.1:{page}/metrics", timeout=10).text
                except requests.RequestException:
                    return False
                return "setoff_operator_ready 1\n" in shown and 'up{process="publisher"} 1\n' in shown

            wait_until(shows, what=log.read_text)


@pytest.mark.long  # as the one above, with a watcher
def test_the_watchers_units_run_with_a_keystore(exchange: Exchange, tmp_path: Path) -> None:
    host, (listen, page) = Host(tmp_path, exchange), find_free_ports(2)
    text = f"confirmations = 0\n[watcher]\nlisten = '127.0.0.1:{listen}'\n"
    host.configure("watcher", text, dev_keys()[5], SETOFF_RPC_URL=exchange.anvil.url)
    with (
        host.started("setoff-watcher"),
        host.started("setoff-watcher-disputes", **{"127.0.0.1:8711": f"127.0.0.1:{page}"}) as (_, log),
    ):

        def shows() -> bool:
            try:
                shown = requests.get(f"http://127.0.0.1:{page}/metrics", timeout=10).text
            except requests.RequestException:
                return False
            return 'setoff_watcher_processes{process="challenger"} 1\n' in shown

        wait_until(shows, what=log.read_text)
