"""Tells webhooks what is wrong with the operator, beside its processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import RedisError

from setoff.operator.monitor.status import find_problems
from setoff.operator.pulse import read_status
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.store_health import find_store_problems
from setoff.shared.config.webhooks import name_alert
from setoff.shared.errors import ConfigError

EVERY: Final = 2.0
"""Seconds between two looks."""
TIMEOUT: Final = 5.0
"""Seconds that the store has to answer."""


@contextmanager
def alerting(settings: OperatorSettings) -> Iterator[None]:
    """As long as the block runs, if the settings name a webhook."""
    webhooks = settings.open_webhooks()
    if webhooks is None:
        yield
        return
    deployment, stop = settings.load_deployment(), threading.Event()

    def look() -> None:
        while not stop.wait(EVERY):
            problems = find_all_problems(settings, deployment)
            webhooks.see({name_alert(problem): problem for problem in problems})

    with webhooks:
        thread = threading.Thread(target=look, name="alerting", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(TIMEOUT)


def find_all_problems(settings: OperatorSettings, deployment: Deployment) -> list[str]:
    """What somebody has to look at, the store included."""
    try:
        server = RedisServer.find(settings)
        if server is None:
            return [*find_store_problems(settings), "its store does not run"]
        with server.client(socket_timeout=TIMEOUT) as redis:
            return [*find_store_problems(settings, redis), *find_problems(read_status(redis, deployment))]
    except (RedisError, ConfigError, OSError):
        return ["its store does not answer"]
