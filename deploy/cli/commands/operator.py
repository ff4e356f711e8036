"""`setoff operator`: an exchange as processes: the store, the sequencer (orders to receipts), the publisher (to L1)."""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import threading

from setoff.deploy.cli import settings
from setoff.deploy.cli.supervisor import Supervisor
from setoff.operator.api.address import check_free
from setoff.operator.monitor.alerting import alerting
from setoff.operator.settings import OperatorSettings
from setoff.shared.config import readiness
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.setting import list_settings
from setoff.shared.errors import ConfigError, StateError


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load_service(arguments, OperatorSettings)
    if arguments.part == "sequencer":
        from setoff.operator.api.service import run_sequencer

        run_sequencer(loaded)
    elif arguments.part == "publisher":
        from setoff.operator.publisher.publisher import run_publisher

        run_publisher(loaded)
    elif arguments.part == "store":
        run_store(loaded)
    else:
        run_all(arguments, loaded)
    return 0


def run_all(arguments: argparse.Namespace, loaded: OperatorSettings) -> None:
    """Run all parts as processes until a signal comes. Raises ConfigError or StateError if one of them cannot start.

    The publisher, who pays a bond and posts, is started when everything else serves.
    """
    # What a part would complain of is told once, before they start.
    loaded.load_deployment()
    loaded = loaded.unlock()
    loaded.check_key()
    check_free(*loaded.address)
    file = settings.get_file(arguments)
    options = [f"--config={file}"] if file else []
    given = settings.get_given(arguments)
    environment = dict(os.environ)
    # What is secret is never where others see it, among the words of a command.
    for name, item in list_settings(OperatorSettings).items():
        if item.about.is_secret and (name == "key" or name in given):
            given.pop(name, None)
            environment[OperatorSettings.get_variable(name)] = getattr(loaded, name)
    options += [f"--set={name}={value}" for name, value in given.items()]
    with Supervisor() as supervisor:
        if not loaded.redis_url:
            if not supervisor.add("store", ["operator", "store", *options], environment):
                return
            store = RedisServer.find(loaded)
            if store is None:
                raise StateError("not_ready", f"redis_dir: the store of {loaded.redis_dir} is gone again")
            environment[OperatorSettings.get_variable("redis_url")] = store.url
            loaded = dataclasses.replace(loaded, redis_url=store.url)
        with alerting(loaded):
            for name in ("sequencer", "publisher"):
                if not supervisor.add(name, ["operator", name, *options], environment):
                    return
            supervisor.run()


def run_store(loaded: OperatorSettings) -> None:
    """Own the Redis server of `redis_dir` until a signal comes. Raises StateError if it has ended before: whoever
    supervises this process starts it again."""
    if loaded.redis_url:
        raise ConfigError("bad_config", "redis_url: names another server, so none is to be run here")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with RedisServer.open(loaded) as server:
        print(f"store: {server.name}, in {loaded.redis_dir.resolve()}", flush=True)
        readiness.tell(readiness.READY)
        while not stop.wait(0.2):
            if not server.is_running:
                raise StateError("not_ready", f"the Redis server of {loaded.redis_dir} has ended")
