"""What a newcomer waits for, from `pip install` in an empty environment to an order that rests, on a devnet that runs

The page of a first order, typed as it stands there, by the client that was installed; packages come from where pip has
them, its cache included unless PIP_NO_CACHE_DIR=1 is set. The devnet's own start is told apart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.processes.first_order import FirstOrder
from tests.support.processes.terminal import open_terminal
from tests.support.wheels import PIP, copy_sources

from setoff.deploy.tools.bench import Held

LIMIT_SECONDS: Final = 180.0
HELD: Final = {"of_its_limit": Held(compiled=1.0, plain=1.0)}
ORDER: Final = "trade buy"
"""The line after which the order rests."""


def install(folder: Path) -> Path:
    """The client, from the sources, into an environment that is empty; its command."""
    place = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    source = copy_sources(folder)
    subprocess.run([str(place / "bin" / "python"), *PIP, "install", "--quiet", str(source)], check=True)
    return place / "bin" / "setoff"


def run() -> Mapping[str, float]:
    """Seconds of each part; `of_its_limit` is what all but the devnet's start take, as a part of LIMIT_SECONDS."""
    with tempfile.TemporaryDirectory(prefix="setoff-first-order-") as name, open_terminal(Path(name)) as terminal:
        newcomer = FirstOrder(terminal, Path(name) / "devnet")
        newcomer.start_devnet()
        (devnet,) = newcomer.took.values()
        begun = time.monotonic()
        command = install(Path(name))
        installed = time.monotonic() - begun
        newcomer.type(str(command), until=ORDER)
    typed = {line.replace("deploy/run ", ""): seconds for line, seconds in newcomer.took.items()}
    commands = dict(list(typed.items())[1:])
    total = installed + sum(commands.values())
    return {
        "devnet_start_s": devnet,
        "pip_install_s": installed,
        **{f"{line}_s": seconds for line, seconds in commands.items()},
        "from_pip_install_to_a_resting_order_s": total,
        "of_its_limit": total / LIMIT_SECONDS,
    }
