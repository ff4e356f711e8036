"""What the gateway's page tells to type and to write for a bot works as it stands there."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.gateways.gateway_town import TAKER, GatewayTown, address
from tests.support.waiting import wait_until

PAGE = (Path(__file__).resolve().parents[3] / "shared" / "gateway" / "BOTS.md").read_text()
(CONSOLE,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
HYPERLIQUID, CCXT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@contextmanager
def typed(folder: Path, town: GatewayTown) -> Iterator[str]:
    """The page's commands, typed by an owner in a folder; the address of the gateway that the last one is."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SETOFF_EXCHANGE": town.exchange,
        "SETOFF_KEY": TAKER.hex(),
        "SETOFF_GATEWAY_EXCHANGE": town.exchange,
        "SETOFF_GATEWAY_LISTEN": "127.0.0.1:0",
    }
    *first, last = [line.removeprefix("$ ") for line in CONSOLE.splitlines()]
    for line in first:
        subprocess.run(["bash", "-ec", line], cwd=folder, env=environment, check=True, timeout=60)
    log = folder / "gateway.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            ["bash", "-ec", last], cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: "gateway: http" in log.read_text(), 60, what=log.read_text)
        yield log.read_text().split()[1]
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait()


def test_the_pages_commands_and_programs_do_what_they_say(
    town: GatewayTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with typed(tmp_path, town) as url:
        told: list[dict[str, Any]] = []
        for program in (HYPERLIQUID, CCXT):
            names: dict[str, Any] = {}
            exec(program.replace("http://127.0.0.1:8730", url).replace("0xOWNER", address(TAKER)), names)
            told.append(names)
    assert told[0]["placed"]["status"] == "ok" and told[0]["resting"][0]["limitPx"] == "77000"
    assert told[0]["cancelled"]["response"]["data"]["statuses"] == ["success"]
    assert [each["id"] for each in told[1]["open_orders"]] == [told[1]["order"]["id"]]
    assert not town.run(TAKER, lambda client: client.orders())
