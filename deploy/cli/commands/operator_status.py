"""`setoff operator status`: how the operator's processes are, once or as pages for whoever watches over them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import requests
from redis.exceptions import RedisError

from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_service
from setoff.operator.monitor.metrics import to_prometheus
from setoff.operator.monitor.status import describe_status, find_problems
from setoff.operator.pulse import read_status
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.pulse import ProcessStatus
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.settings import parse_listen
from setoff.shared.config.store_health import find_store_problems
from setoff.shared.wire import pages
from setoff.shared.wire.pages import Page

TIMEOUT = 5.0
"""Seconds for the store, and for the API's health, to answer."""


class Look(NamedTuple):
    """One look at the operator."""

    statuses: list[ProcessStatus]
    problems: list[str]
    health: str
    """What its API says of itself; "" if it was not asked."""

    @property
    def text(self) -> str:
        """For people."""
        lines = describe_status(self.statuses)
        if self.health:
            lines.append(f"health of the API: {self.health}")
        return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in self.problems)] or ["nothing is known of it"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        processes = [
            {"process": each.process, "alive": each.is_alive, "age": each.age, **each.facts} for each in self.statuses
        ]
        return {"processes": processes, "health": self.health, "problems": self.problems}


def run(arguments: argparse.Namespace) -> int:
    """Show it; exit code 1 if there is a problem."""
    settings = load_service(arguments, OperatorSettings)
    settings.load_deployment()
    if arguments.listen:
        with pages.make_server(parse_listen(arguments.listen), make_pages(lambda: look(settings))) as server:
            print(f"status: http://{server.server_address[0]!s}:{server.server_address[1]}", flush=True)
            server.serve_forever()
        return 0
    found = look(settings)
    words = to_prometheus(found.statuses).rstrip() if arguments.prometheus else found.text
    show(arguments, found.to_dict(), words)
    return 1 if found.problems else 0


def look(settings: OperatorSettings) -> Look:
    """What its processes say, and whether its API agrees. Raises ConfigError if the store that is named is gone."""
    server = RedisServer.find(settings)
    if server is None:
        where = settings.redis_dir.resolve()
        gone = f"nothing runs: there is no store in {where} (REDIS_URL names another)"
        return Look([], [*find_store_problems(settings), gone], "")
    try:
        with server.client(socket_timeout=TIMEOUT) as redis:
            troubles = find_store_problems(settings, redis)
            statuses = read_status(redis, settings.load_deployment())
    except RedisError as error:
        return Look([], [f"the store at {server.name} does not answer: {error}"], "")
    problems = [*troubles, *find_problems(statuses)]
    sequencer = next((each for each in statuses if each.process == "sequencer" and each.is_alive), None)
    health = ask_health(str(sequencer.facts.get("url", ""))) if sequencer is not None else ""
    if health and (health == "ready") == bool(sequencer and sequencer.facts.get("obstacle")):
        problems.append(f"the API says that it is {health}, and the sequencer says otherwise: one of them is behind")
    return Look(statuses, problems, health)


def ask_health(url: str) -> str:
    """What `GET /v1/health` says, in a line."""
    try:
        answer = requests.get(f"{url}/v1/health", timeout=TIMEOUT)
        body = answer.json()
    except (requests.RequestException, ValueError) as error:
        return f"unreachable: {type(error).__name__}"
    if answer.status_code == 200:
        return "ready"
    return f"not ready: {body.get('detail') or body.get('reason')}"


def make_pages(look: Callable[[], Look]) -> dict[str, Page]:
    """`/metrics` (Prometheus), `/status` (JSON), `/ready` (503 unless records are taken) and `/`, by path."""

    def make_ready() -> tuple[int, str]:
        health = look().health
        return (200 if health == "ready" else 503), (health or "nothing runs") + "\n"

    return {
        "/metrics": Page(pages.PROMETHEUS, lambda: to_prometheus(look().statuses)),
        "/status": Page(pages.JSON, lambda: json.dumps(look().to_dict())),
        "/ready": Page(pages.TEXT, make_ready),
        "/": Page(pages.TEXT, lambda: look().text + "\n"),
    }
