"""Other nodes than anvil: npm packages, installed where they are asked for, and run by a Node of their own."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from setoff.deploy.devnet.anvil import CHAIN_ID, dev_keys
from setoff.deploy.devnet.chain import Chain
from setoff.shared.errors import ConfigError

RUN = Path(__file__).resolve().parents[3] / "deploy" / "run"
SOURCE = Path(__file__).resolve().parent / "npm"
START_SECONDS = 120
"""For some thousand files of JavaScript, on a machine that has other work."""


@lru_cache(maxsize=1)
def find_other_nodes() -> Path:
    """The folder with a Node (`node`) and the packages (`node_modules/`). Raises ConfigError if they cannot be had."""
    found = subprocess.run([str(RUN), "other-nodes-path"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise ConfigError("bad_config", f"the other nodes cannot be installed: {found.stderr.strip()[-500:]}")
    return Path(found.stdout.strip())


class OtherNode(Chain):
    """A chain by a script of these packages, with the accounts that anvil has."""

    def __init__(
        self,
        script: str,
        words: Sequence[str],
        ready: str,
        folder: tempfile.TemporaryDirectory[str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts at once; the rest as a `Chain` takes it."""
        other = find_other_nodes()
        super().__init__(
            [str(other / "node"), str(other / "node_modules" / script), *words],
            folder,
            ready,
            keys=dev_keys(),
            chain_id=CHAIN_ID,
            seconds=START_SECONDS,
            environment=environment,
            cwd=other,
        )
