"""Names of markets that are written into the deployment file while the operator runs: a market that is listed meanwhile
is called so at once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

from setoff.operator.api.views.scales import Scales
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError

LOOK_SECONDS: Final = 0.5
"""Between two looks at the file."""
log = logging.getLogger(__name__)


async def follow_names(path: Path, deployment: Deployment, scales: Scales) -> None:
    """For ever: what the file names anew is taken over, and nothing else of it."""
    seen = _stamp(path)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if (stamp := _stamp(path)) == seen or not stamp:
            continue
        seen = stamp
        try:
            read = await asyncio.to_thread(Deployment.load, path)
        except ConfigError as error:
            log.warning("names of markets are not read anew: %s", error.detail)
            continue
        if replace(read, names=deployment.names) != deployment:
            log.warning("%s is of another deployment now: its names are not taken over", path)
        else:
            scales.take_names(read.names)


def _stamp(path: Path) -> tuple[int, int]:
    """What is another one when the file is; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
