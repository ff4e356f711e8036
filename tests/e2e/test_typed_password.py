"""A keystore's password that is typed once at a terminal does for all processes of a service, and shows in none."""

import os
import pty
import signal
import sys
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import dev_keys

PASSWORD = "correct horse battery"


@pytest.mark.slow
def test_an_operator_asks_once_and_hands_the_key_to_its_parts(exchange: Exchange, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text(dev_keys()[0].hex())
    (tmp_path / "password").write_text(PASSWORD)
    store, given = str(tmp_path / "store.json"), ["--key-password", str(tmp_path / "password")]
    assert main(["wallet", "keystore", store, "--of", str(tmp_path / "plain"), *given]) == 0
    exchange.deployment.save(tmp_path / "deployment.json")
    words = [sys.executable, "-m", "setoff.deploy.cli", "operator", "run", "--key", store, "--rpc", exchange.anvil.url]
    words += ["--deployment", str(tmp_path / "deployment.json"), "--set", f"redis_dir={tmp_path / 'redis'}"]
    words += ["listen=127.0.0.1:0", "confirmations=0"]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, words)
    said = b""
    while b"publisher: 0x" not in said:
        piece = os.read(terminal, 1024)
        said += piece
        if piece.rstrip().endswith(b"store.json:"):
            os.write(terminal, PASSWORD.encode() + b"\n")
    mine = [Path(f"/proc/{number}/cmdline") for number in list_children(child)]
    commands = [path.read_bytes() for path in mine]
    assert len(commands) >= 3 and not any(dev_keys()[0].hex().encode() in command for command in commands)
    os.kill(child, signal.SIGTERM)
    try:
        while piece := os.read(terminal, 1024):
            said += piece
    except OSError:  # Linux: whoever had the terminal has ended
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, said.decode()
    assert said.count(b"password of") == 1 and PASSWORD.encode() not in said


def list_children(parent: int) -> list[int]:
    """Of a process, all the way down."""
    found = [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [parent, *found, *(deeper for each in found for deeper in list_children(each)[1:])]
