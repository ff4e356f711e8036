"""What it takes until a program may trade: the import of the client, and of all that reads L1, in a fresh interpreter

By processor time, beside an interpreter that imports nothing. The client is to be there in LIMIT_MS.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from setoff.deploy.tools.bench import Held

RUNS: Final = 7
HELD: Final = {"of_its_limit": Held(compiled=1.0, plain=1.0)}
LIMIT_MS: Final = 300.0


def measure(code: str) -> float:
    """Milliseconds of processor time of an interpreter that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run() -> Mapping[str, float]:
    """Medians; `of_its_limit` is what the client takes beyond a bare interpreter, as a part of LIMIT_MS."""
    trade, chain = (
        "from setoff.shared.sdk import KeySigner, SetoffClient",
        "from setoff.shared.sdk import ForcedInclusion",
    )
    bare, client, exits = (
        statistics.median(measure(code) for _ in range(RUNS)) for code in ("pass", trade, f"{trade}\n{chain}")
    )
    return {
        "interpreter_ms": bare,
        "client_ms": client - bare,
        "client_and_all_of_l1_ms": exits - bare,
        "of_its_limit": (client - bare) / LIMIT_MS,
    }
