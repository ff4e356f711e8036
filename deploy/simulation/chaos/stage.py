"""Everything that is needed for an exchange, each part where something can be done to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any, Final

import requests
from redis import Redis
from redis.exceptions import RedisError

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import FIRST_TRADER, OPERATOR, WATCHERS, Devnet
from setoff.deploy.devnet.process import Process
from setoff.deploy.simulation.chaos.disk import Disk
from setoff.deploy.simulation.chaos.parts import find_parts
from setoff.deploy.simulation.chaos.skew import Clock
from setoff.deploy.simulation.scenario.node import Node
from setoff.operator.monitor import status as operator_status
from setoff.operator.pulse import get_key
from setoff.shared.codec import signatures
from setoff.shared.config.pulse import ProcessStatus, read_status
from setoff.shared.params import Params
from setoff.watcher.monitor import status as watcher_status
from setoff.watcher.store import Store

PRICE: Final = 77_990
WATCHER: Final = "watcher"
START_SECONDS: Final = 90.0
PAUSE: Final = 0.1
BATCH_SECONDS: Final = 3.0
ASK: Final = 2.0
"""Seconds that an answer about how somebody is may take."""


class Stage:
    """A chain, an operator, a watcher with two workers, a feeder of prices; a context manager that stops them all."""

    def __init__(self, folder: Path, params: Params) -> None:
        self.folder = folder
        oracle = dev_keys()[FIRST_TRADER + 1]
        self.devnet = Devnet(folder, params, signers=[signatures.address_of(oracle)] * 2, markets=1)
        self.nodes = {who: Node(self.devnet.chain.url) for who in ("operator", WATCHER)}
        self.disks = {name: Disk(folder / name) for name in ("operator-store", "history", "watcher-store")}
        self.clocks = {who: Clock(folder / f"clock-{who}") for who in ("operator", WATCHER)}
        self.url = f"http://127.0.0.1:{_find_port()}"
        price = folder / "price"
        price.write_text(f"{PRICE}\n")
        shared = {
            "SETOFF_DEPLOYMENT": str(self.devnet.deployment_file),
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.5",
        }
        self.environments: dict[str, dict[str, str]] = {
            "operator": {
                **shared,
                **self.clocks["operator"].environment,
                "SETOFF_RPC_URL": self.nodes["operator"].url,
                "SETOFF_OPERATOR_KEY": self._write_key("operator", OPERATOR),
                "SETOFF_OPERATOR_LISTEN": self.url.removeprefix("http://"),
                "SETOFF_OPERATOR_BATCH_INTERVAL": str(BATCH_SECONDS),
                "SETOFF_OPERATOR_HEARTBEAT": "0",
                "SETOFF_OPERATOR_CRANK_INTERVAL": "86400",  # the end has to be quiet
                "SETOFF_OPERATOR_HISTORY_DIR": str(self.disks["history"].folder),
                "SETOFF_REDIS_DIR": str(self.disks["operator-store"].folder),
            },
            WATCHER: {
                **shared,
                **self.clocks[WATCHER].environment,
                "SETOFF_RPC_URL": self.nodes[WATCHER].url,
                "SETOFF_WATCHER_KEY": self._write_key(WATCHER, WATCHERS),
                "SETOFF_WATCHER_WORKERS": "2",
                "SETOFF_WATCHER_LISTEN": "127.0.0.1:0",
                "SETOFF_WATCHER_EVIDENCE_DIR": str(folder / "evidence"),
                "SETOFF_REDIS_DIR": str(self.disks["watcher-store"].folder),
            },
            "oracle": {
                **shared,
                "SETOFF_RPC_URL": self.devnet.chain.url,
                "SETOFF_ORACLE_LISTEN": "127.0.0.1:0",
                "SETOFF_ORACLE_EXCHANGE": self.url,
                "SETOFF_ORACLE_KEY": self._write_key("oracle", FIRST_TRADER + 1),
                "SETOFF_ORACLE_FEEDS": f"BTC-PERP=file:{price}",
                "SETOFF_ORACLE_MIN_SOURCES": "1",
            },
        }
        self.services = {
            name: Process(name, [name, "run"], environment, folder / f"{name}.log")
            for name, environment in self.environments.items()
        }
        self.liars: list[Process] = []

    def start(self) -> None:
        """Start all. Raises StateError if one of them does not come up."""
        self.services["operator"].start()
        self.services["operator"].wait_for("publisher:", START_SECONDS)
        self.services[WATCHER].start()
        self.services["oracle"].start()
        self.services[WATCHER].wait_for("server:", START_SECONDS)

    def start_liar(self, lie: str, epoch: int) -> str:
        """A watcher that disputes what is true of that epoch; its address, an 0x-string."""
        account = WATCHERS + 1 + len(self.liars)
        name = f"liar-{1 + len(self.liars)}"
        environment = {
            "SETOFF_DEPLOYMENT": str(self.devnet.deployment_file),
            "SETOFF_RPC_URL": self.devnet.chain.url,
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.5",
            "SETOFF_WATCHER_KEY": self._write_key(name, account),
            "SETOFF_WATCHER_LISTEN": "127.0.0.1:0",
            "SETOFF_WATCHER_EVIDENCE_DIR": str(self.folder / name),
            "SETOFF_REDIS_DIR": str(self.folder / f"{name}-store"),
        }
        words = ["scenario", "liar", "watcher", f"--lie={lie}", f"--epoch={epoch}"]
        liar = Process(name, words, environment, self.folder / f"{name}.log")
        liar.start()
        self.liars.append(liar)
        return "0x" + signatures.address_of(dev_keys()[account]).hex()

    def parts(self, who: str) -> dict[int, str]:
        """The processes of a service, by number, each with what it is for."""
        process = self.services[who].pid
        names = {}
        for each in self.statuses(who):
            name = each.process.rstrip("0123456789-").partition(":")[0].partition("@")[0]
            names[int(each.facts.get("pid", 0))] = name
        return {} if process is None else {
            number: name or "?" for number, name in find_parts(process, names if who == WATCHER else {}).items()
        }  # fmt: skip

    def store(self, who: str) -> Redis | None:
        """The Redis of operator or watcher, None while there is none."""
        try:  # `RedisServer.find` waits for a server that is stopped
            url = json.loads((self.disks[f"{who}-store"].folder / "server.json").read_text())["url"]
        except (OSError, ValueError, KeyError):
            return None
        return Redis.from_url(url, socket_timeout=ASK, socket_connect_timeout=ASK)

    def statuses(self, who: str) -> list[ProcessStatus]:
        """What the processes of operator or watcher have said last; empty if nobody knows."""
        deployment = self.devnet.deployment
        key = get_key(deployment) if who == "operator" else f"{deployment.namespace}:{WATCHER}:status"
        redis = self.store(who) if who in self.nodes else None
        if redis is None:
            return []
        with redis, contextlib.suppress(RedisError):
            return read_status(redis, key)
        return []

    def problems(self, who: str) -> list[str]:
        """What its own status complains of."""
        statuses = self.statuses(who)
        if who == "operator":
            return operator_status.find_problems(statuses)
        return watcher_status.find_problems(statuses)

    def health(self) -> str:
        """What the operator's API says of itself: "ready", the reason why not, or that nobody answers."""
        try:
            answer = requests.get(f"{self.url}/v1/health", timeout=ASK)
            told: dict[str, Any] = answer.json()
            return str(told.get("detail") or told.get("reason") or told.get("status"))
        except (requests.RequestException, ValueError):
            return "no answer"

    def is_posted(self, records: int) -> bool:
        """Whether the operator holds nothing that is not among so many records on L1, and no batch is open."""
        try:
            told: dict[str, Any] = requests.get(f"{self.url}/v1/status", timeout=ASK).json()
            return (told["records"], told["open_inputs"]) == (records, 0)
        except (requests.RequestException, ValueError, KeyError):
            return False

    def count_executed(self) -> int:
        """Epochs that the watcher has executed."""
        redis = self.store(WATCHER)
        if redis is None:
            return 0
        deployment = self.devnet.deployment
        with redis, contextlib.suppress(RedisError):
            return Store(redis, f"{deployment.namespace}:{WATCHER}", deployment.epoch_batches).epoch_count()
        return 0

    def keep_up(self) -> list[str]:
        """Start what has ended, as the machine's service manager would; their names."""
        ended = [name for name, service in self.services.items() if not service.is_running]
        for name in ended:
            self.services[name].kill()
            self.services[name].start()
        return ended

    def run(self, who: str, words: list[str], patience: float) -> tuple[int, str]:
        """A command with a service's settings: its exit code, and the end of what it said."""
        command = Process("command", words, self.environments[who], self.folder / "commands.log")
        command.start()
        until = time.monotonic() + patience
        while command.is_running and time.monotonic() < until:
            time.sleep(PAUSE)
        code = command.code
        command.kill()
        return -1 if code is None else code, command.tail()

    def stop(self) -> None:
        """Stop everything."""
        for process in (*self.services.values(), *self.liars):
            process.signal(signal.SIGCONT)
            process.ask_to_end()
        for process in (*self.services.values(), *self.liars):
            process.stop()
        for node in self.nodes.values():
            node.stop()
        self.devnet.stop()
        for disk in self.disks.values():
            disk.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _write_key(self, name: str, account: int) -> str:
        path = self.folder / f"{name}.key"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(dev_keys()[account].hex())
        return str(path)


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
