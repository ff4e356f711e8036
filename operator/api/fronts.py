"""The API in processes of its own, so that the machine has a core to itself: started, started again when one ends, and
ended with the sequencer."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import socket as sockets
import sys
from typing import Final

from setoff.operator.api.front import LIMITS
from setoff.operator.api.server import SHUTDOWN_SECONDS
from setoff.operator.bridge.hub import Hub, Line
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import StateError

UP_SECONDS: Final = 60.0
"""Seconds for a process to serve after its start."""
PAUSES: Final = (0.05, 0.5, 2.0)
"""Seconds before a process that has ended is started again: the first time, the second, and from then on."""

log = logging.getLogger(__name__)


class Fronts:
    """The processes of one listening socket, which they share."""

    def __init__(
        self, hub: Hub, settings: OperatorSettings, deployment: Deployment, redis_url: str, listening: sockets.socket
    ) -> None:
        limits = {name: getattr(settings, name) for name in LIMITS}
        is_alone = settings.api_processes == 1
        self._set_up = (
            json.dumps(limits, default=str),
            json.dumps(dataclasses.asdict(deployment)),
            redis_url,
            is_alone,
        )
        self._hub = hub
        self._count = settings.api_processes
        self._listening = listening
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._is_stopping = False

    async def start(self) -> None:
        """Until all of them serve. Raises StateError if one does not."""
        up = [asyncio.Event() for _ in range(self._count)]
        self._keepers = [asyncio.create_task(self._keep(place, event)) for place, event in enumerate(up)]
        try:
            async with asyncio.timeout(UP_SECONDS):
                for event in up:
                    await event.wait()
        except TimeoutError:
            raise StateError("not_ready", "a process of the API could not start, see above") from None

    async def stop(self) -> None:
        """Until all have ended; the hub has told them to."""
        self._is_stopping = True
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS + 2):
                await asyncio.gather(*self._keepers)
        except TimeoutError:
            for process in self._processes.values():
                process.kill()
            await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, place: int, up: asyncio.Event) -> None:
        starts = 0
        while not self._is_stopping:
            process, line = await self._start()
            self._processes[place] = process
            waiting = asyncio.create_task(line.is_up.wait())
            ended = asyncio.create_task(process.wait())
            await asyncio.wait([waiting, ended], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                up.set()
            waiting.cancel()
            code = await ended
            line.channel.close()
            if not self._is_stopping:
                log.error("a process of the API ended with code %d; it is started again", code)
                await asyncio.sleep(PAUSES[min(starts, len(PAUSES) - 1)])
                starts += 1

    async def _start(self) -> tuple[asyncio.subprocess.Process, Line]:
        ours, theirs = sockets.socketpair()
        with theirs:
            descriptors = (self._listening.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "setoff.operator.api.front", *map(str, descriptors), pass_fds=descriptors
            )
        ours.setblocking(False)
        return process, await self._hub.attach(ours, self._set_up)
