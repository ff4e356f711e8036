"""The guides of operator and watcher, typed as they stand, one after the other, on a chain of their own."""

import re
from functools import partial
from pathlib import Path

import pytest
from tests.support.ports import find_free_ports
from tests.support.processes.terminal import Terminal, open_terminal
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import Anvil

ROOT = Path(__file__).resolve().parents[2]
STARTED = {"operator run": "sequencer: http", "watcher run": "the watcher runs"}
"""Commands that stay, and what they say once they run."""


def read_commands(page: str) -> list[str]:
    return re.findall(r"^\$ (.*)$", (ROOT / page).read_text(), re.MULTILINE)


@pytest.mark.long
def test_an_exchange_and_its_watcher_come_from_the_guides(anvil: Anvil, tmp_path: Path) -> None:
    port, watcher_port = find_free_ports(2)
    with open_terminal(tmp_path, tmp_path) as terminal:
        # Another folder, other ports and another chain than are written: nothing else is changed.
        terminal.environment |= {
            "SETOFF_OPERATOR_LISTEN": f"127.0.0.1:{port}",
            "SETOFF_WATCHER_LISTEN": f"127.0.0.1:{watcher_port}",
            "SETOFF_CONFIRMATIONS": "0",
        }
        for page in ("operator/GUIDE.md", "watcher/GUIDE.md"):
            typed = read_commands(page)
            assert len(typed) > 6
            for line in typed:
                here = line.replace("http://127.0.0.1:8545", anvil.url).replace("8700", str(port))
                type_line(terminal, anvil, here.replace("8710", str(watcher_port)))
        assert (tmp_path / "store").is_dir() and (tmp_path / "watch").is_dir()


def says(log: Path, sign: str) -> bool:
    return sign in log.read_text()


def type_line(terminal: Terminal, anvil: Anvil, line: str) -> None:
    words = line.replace("deploy/run", str(ROOT / "deploy" / "run"))
    words = words.replace(" deploy/contracts", f" {ROOT}/deploy/contracts")
    if line.startswith("export "):
        terminal.environment |= dict(word.split("=", 1) for word in line.split()[1:])
        return
    if "market enact" in line:
        anvil.advance(700)  # the listing delay is over
    for command, sign in STARTED.items():
        if command in line:
            log = terminal.leave_running(words)
            wait_until(partial(says, log, sign), 90, what=log.read_text)
            return
    said = terminal.type(words, seconds=240)
    if "wallet new" in line:
        anvil.l1.request("anvil_setBalance", re.findall("0x[0-9a-fA-F]{40}", said)[-1], hex(100 * 10**18))
        anvil.mine()  # only a block has what was set
