"""Keeps the process of the history: started with the sequencer, again when it ends, and ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from setoff.operator.history.store import open_engine
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.logs import list_secrets
from setoff.shared.errors import ConfigError

OFF: Final = "off"
"""The setting `history_url` for none."""
END_SECONDS: Final = 5.0
PAUSE: Final = 2.0
"""Seconds before it is started again."""

log = logging.getLogger(__name__)


def choose_url(settings: OperatorSettings, deployment: Deployment) -> str:
    """Where the history is kept: by default in a file of its own for each deployment; "" for none."""
    if settings.history_url == OFF:
        return ""
    return settings.history_url or f"sqlite:///{Path(settings.history_dir).resolve() / deployment.file_name}.sqlite"


def check_url(settings: OperatorSettings, deployment: Deployment) -> None:
    """Raises ConfigError if the history can be kept nowhere there."""
    if url := choose_url(settings, deployment):
        engine = open_engine(url, is_writer=True)
        try:
            engine.connect().close()
        except SQLAlchemyError as error:
            raise ConfigError("bad_config", f"history_url: it cannot be used: {type(error).__name__}") from None
        finally:
            engine.dispose()


class HistoryKeeper:
    """One process."""

    def __init__(self, settings: OperatorSettings, deployment: Deployment, redis_url: str) -> None:
        self._told = {
            "history_url": choose_url(settings, deployment),
            "redis_url": redis_url,
            "rpc_url": settings.rpc_url,
            "l1_poll": settings.l1_poll,
            "deployment": dataclasses.asdict(deployment),
            "log_level": settings.log_level,
            "log_format": settings.log_format,
            "secrets": list_secrets(settings),
        }
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Begin, and go on until `stop`; nobody waits for it."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Until it has ended."""
        task, process = self._task, self._process
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if process is not None and process.returncode is None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _keep(self) -> None:
        while True:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "setoff.operator.history.process", stdin=asyncio.subprocess.PIPE
            )
            assert process.stdin is not None
            with contextlib.suppress(ConnectionError):
                process.stdin.write(json.dumps(self._told).encode() + b"\n")
                await process.stdin.drain()
            code = await process.wait()
            log.error("the process of the history ended with code %d; it is started again", code)
            await asyncio.sleep(PAUSE)
