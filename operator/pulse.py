"""How an operator is: its processes say so in the store every second (`shared/config/pulse.py`)."""

from __future__ import annotations

import time
from typing import Any, Final

from redis import Redis

from setoff.shared.config import pulse
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.pulse import ProcessStatus

TOLD_AT: Final = "told_at"
"""When the facts were looked at, unix seconds: a process whose work stands still goes on giving signs of life."""


class Pulse(pulse.Pulse):
    """The sign of life of a process of the operator."""

    def __init__(self, redis: Redis, deployment: Deployment, process: str) -> None:
        super().__init__(redis, get_key(deployment), process)

    def tell(self, **facts: Any) -> None:
        super().tell(**facts, **{TOLD_AT: time.time()})


def read_status(redis: Redis, deployment: Deployment) -> list[ProcessStatus]:
    """All processes of the operator, by name. Raises RedisError."""
    return pulse.read_status(redis, get_key(deployment))


def get_key(deployment: Deployment) -> str:
    """Where they are."""
    return f"{deployment.namespace}:operator:status"
