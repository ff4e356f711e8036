"""`setoff operator run` in processes of its own, on a chain with the contracts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.chains.exchange import Exchange

from setoff.deploy.devnet.anvil import dev_keys


@contextmanager
def operator(
    exchange: Exchange, folder: Path, listen: str = "127.0.0.1:0", **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The command, its output in the file `log` of the folder; `more`: of its environment."""
    exchange.deployment.save(folder / "deployment.json")
    environment = os.environ | {
        "SETOFF_DEPLOYMENT": str(folder / "deployment.json"),
        "SETOFF_RPC_URL": exchange.anvil.url,
        "SETOFF_OPERATOR_KEY": dev_keys()[0].hex(),
        "SETOFF_OPERATOR_LISTEN": listen,
        "SETOFF_REDIS_DIR": str(folder / "redis"),
        "SETOFF_CONFIRMATIONS": "0",
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    with (folder / "log").open("wb") as log:
        words = [sys.executable, "-m", "setoff.deploy.cli", "operator", "run"]
        with subprocess.Popen(words, env=environment, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.terminate()


def addresses(log: Path) -> list[str]:
    """Of the sequencer, one each time that it started."""
    words = "sequencer: http"
    return [line.removeprefix("sequencer: ") for line in log.read_text().splitlines() if line.startswith(words)]
