"""What the README and the guide of a devnet tell to type, typed as it stands there by a newcomer."""

import asyncio
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.support.ports import find_free_ports
from tests.support.processes.first_order import FirstOrder
from tests.support.processes.terminal import open_terminal
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import COMMANDS
from setoff.shared.sdk import SubmitResult

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
WRITTEN = re.findall(r"^\$ (deploy/run [^#\n]*?) *(?:#.*)?$", README, re.MULTILINE)
"""Its commands, in order."""
LATER = ("deploy/run demo", "deploy/run test")
"""Those that tests of their own stand for."""
STAYING = ("operator run", "watcher run", "oracle run")
"""Words of the commands that go on until they are stopped."""


def test_there_is_something_to_type() -> None:
    assert set(LATER) <= set(WRITTEN) and len(WRITTEN) > 8


@pytest.mark.parametrize("line", [line for line in WRITTEN if line.startswith("deploy/run setoff ")])
def test_every_command_of_the_readme_is_one(line: str) -> None:
    assert line.split()[2] in COMMANDS


@pytest.mark.slow
def test_a_newcomer_gets_from_the_readme_to_a_trade(tmp_path: Path) -> None:
    with open_terminal(tmp_path) as terminal:
        # Other ports than those that are written, so that tests do not meet: nothing else is changed.
        guide = terminal.leave_running(f"{WRITTEN[2]} --port 0 --dir {tmp_path}/devnet")
        wait_until(lambda: "watch the watcher" in guide.read_text(), 60)
        (port,) = find_free_ports(1)
        terminal.environment |= {
            "SETOFF_OPERATOR_LISTEN": f"127.0.0.1:{port}",
            "SETOFF_EXCHANGE": f"http://127.0.0.1:{port}",
            "SETOFF_WATCHER_LISTEN": "127.0.0.1:0",
            "SETOFF_ORACLE_LISTEN": "127.0.0.1:0",
            "SETOFF_ORACLE_EXCHANGE": f"http://127.0.0.1:{port}",
        }
        typed = [line.strip() for line in guide.read_text().splitlines() if line.startswith("  ")]
        before_the_lie = typed[: next(place for place, line in enumerate(typed) if line.endswith("operator sequencer"))]
        for line in before_the_lie:
            if line.startswith("export "):
                terminal.environment |= dict(word.split("=", 1) for word in line.split()[1:])
            elif not any(words in line for words in STAYING):
                terminal.type(line)
            else:
                log = terminal.leave_running(line)
                if "operator run" in line:
                    wait_until(lambda log=log: "sequencer: http" in log.read_text(), 90, what=log.read_text)  # type: ignore[misc]
                elif "oracle run" in line:
                    wait_until(lambda log=log: "ticks, to operator" in log.read_text(), 90, what=log.read_text)  # type: ignore[misc]
        operator, watcher = (
            next(line.split("deploy/run")[0] for line in typed if line.endswith(f"{role} run"))
            for role in ("operator", "watcher")
        )
        for line in WRITTEN[3:]:
            if not any(words in line for words in STAYING):
                terminal.type((operator if " operator " in line else watcher) + line)
        result = asyncio.run(run_example(terminal.environment["SETOFF_KEY"], terminal.environment["SETOFF_EXCHANGE"]))
        assert result.outcome == "accepted" and result.resting == 10


async def run_example(key: str, url: str) -> SubmitResult:
    """The README's Python, with this key and address."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    body = example.replace("0x…", key).replace("http://127.0.0.1:8700", url)
    names: dict[str, Any] = {}
    exec(f"async def example():\n{textwrap.indent(body, '    ')}    return result\n", names)
    result = await names["example"]()
    assert isinstance(result, SubmitResult)
    return result


@pytest.mark.slow
def test_a_newcomer_gets_from_the_page_to_an_order_that_rests(tmp_path: Path) -> None:
    """What each line took is printed (`-s`); from `pip install` on it is `deploy/run bench first_order`."""
    with open_terminal(tmp_path) as terminal:
        newcomer = FirstOrder(terminal, tmp_path / "devnet")
        newcomer.start_devnet()
        newcomer.type()
    assert "devnet --exchange" in next(iter(newcomer.took)) and len(newcomer.said) > 8
    account = next(said for line, said in newcomer.said.items() if "setoff account" in line)
    assert "BTC-PERP (1)" in account and "0.001 (10)" in account and "77000" in account
    print(f"\n{newcomer.describe()}")
