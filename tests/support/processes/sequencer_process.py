"""`setoff operator sequencer` in a process of its own, on a chain."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.config.deployment_file import Deployment


class Process:
    """`setoff operator sequencer` in a process of its own."""

    def __init__(self, chain: Anvil, deployment: Deployment, folder: Path, **environment: str) -> None:
        path = folder / "deployment.json"
        deployment.save(path)
        self._environment = os.environ | {
            "SETOFF_DEPLOYMENT": str(path),
            "SETOFF_RPC_URL": chain.url,
            "SETOFF_REDIS_DIR": str(folder / "redis"),
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.05",
            "SETOFF_OPERATOR_LISTEN": "127.0.0.1:0",
            "SETOFF_OPERATOR_KEY": dev_keys()[0].hex(),
            "SETOFF_OPERATOR_BATCH_INTERVAL": "0.1",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "setoff.deploy.cli", "operator", "sequencer"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line.startswith("sequencer: http://"), line + self.process.stderr.read()
        return line.removeprefix("sequencer: ").strip()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; the exit code and what was said on stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said
