"""The processes that play on a devnet: an operator, honest or lying, and watchers, as OS processes of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from redis import Redis

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import OPERATOR, WATCHERS, Devnet
from setoff.deploy.devnet.process import Process
from setoff.deploy.simulation.lies import CLAIM_LIES, RECEIPT_LIES
from setoff.shared.codec import signatures
from setoff.shared.console.serving import PATH

OPERATOR_DATABASE: Final = 0
OPERATOR_PROCESSES: Final = ("sequencer", "publisher")
START_SECONDS: Final = 60.0


class Processes:
    """Starts processes with settings of their own, logs them into `folder`, and stops them all together."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.devnet = devnet
        self.folder = folder
        self.running: dict[str, Process] = {}
        self._resting: dict[str, Process] = {}

    @property
    def operator_address(self) -> bytes:
        """The account that posts and claims, 20 bytes."""
        return signatures.address_of(dev_keys()[OPERATOR])

    def watcher_address(self, number: int) -> bytes:
        """The account of watcher `number` (1, 2, …), 20 bytes."""
        return signatures.address_of(dev_keys()[WATCHERS + number - 1])

    def names(self) -> dict[str, str]:
        """Who an address (0x-string) is."""
        watchers = {"0x" + self.watcher_address(number).hex(): f"watcher {number}" for number in range(1, 9)}
        return {"0x" + self.operator_address.hex(): "the operator", **watchers}

    def start_operator(
        self,
        *,
        lie: str = "",
        lie_from: int = 0,
        batch_interval: float = 2.0,
        confirmations: int = 0,
        data: str = "calldata",
        browsers_node: str | None = None,
        blobs_url: str = "",
    ) -> None:
        """Start sequencer and publisher, one of them lying: `lie` is one of CLAIM_LIES, told about the first epoch from
        batch `lie_from` on that it fits, or one of RECEIPT_LIES; "" for none.

        `confirmations`: blocks on top of a message on L1 before it is consumed; 0 if the chain never reorganises.
        `data`: where records are posted, the name of a module. `browsers_node`: the L1 node that its console's
        browsers are told of, "" for none: their wallets bring one; None for the chain's. `blobs_url`: of the
        watcher that they have blobs from, "" for none.
        """
        environment = {
            "REDIS_URL": self.devnet.redis_url(OPERATOR_DATABASE),
            "SETOFF_OPERATOR_KEY": self._key_file("operator", OPERATOR),
            "SETOFF_OPERATOR_LISTEN": "127.0.0.1:0",
            "SETOFF_OPERATOR_CONSOLE_RPC_URL": self.devnet.chain.url if browsers_node is None else browsers_node,
            "SETOFF_OPERATOR_CONSOLE_BLOBS_URL": blobs_url,
            "SETOFF_CONFIRMATIONS": str(confirmations),
            "SETOFF_OPERATOR_BATCH_INTERVAL": str(batch_interval),
            "SETOFF_OPERATOR_DATA": data,
        }
        for part, lies in (("sequencer", RECEIPT_LIES), ("publisher", CLAIM_LIES)):
            falsely = ["scenario", "liar", part, f"--lie={lie}", f"--from-batch={lie_from}"]
            self._start(part, falsely if lie in lies else ["operator", part], environment)

    def kill_operator(self, *, forgets: bool) -> None:
        """End its processes at once (SIGKILL); if it `forgets`, all that it has stored is gone as well."""
        for name in OPERATOR_PROCESSES:
            self._resting[name] = self.running.pop(name)
            self._resting[name].kill()
        if forgets:
            with Redis.from_url(self.devnet.redis_url(OPERATOR_DATABASE)) as redis:
                redis.flushdb()

    def revive_operator(self) -> None:
        """Start them again, with what they have stored."""
        for name in OPERATOR_PROCESSES:
            self.running[name] = self._resting.pop(name)
            self.running[name].start()

    def start_watcher(
        self, number: int, *, lie: str = "", lie_epoch: int = -1, is_liveness_keeper: bool = False
    ) -> Process:
        """Start watcher `number` (1, 2, …) with an account and a Redis database of its own.

        `lie`: one of FAULTS to dispute the epoch `lie_epoch` with (-1: every one), "" for an honest watcher.
        """
        name = f"watcher-{number}"
        environment = {
            "REDIS_URL": self.devnet.redis_url(OPERATOR_DATABASE + number),
            "SETOFF_WATCHER_KEY": self._key_file(name, WATCHERS + number - 1),
            "SETOFF_WATCHER_NAME": name,
            "SETOFF_WATCHER_EVIDENCE_DIR": str(self.folder / name),
            "SETOFF_WATCHER_LISTEN": "127.0.0.1:0",
            "SETOFF_WATCHER_LIVENESS_KEEPER": str(is_liveness_keeper).lower(),
        }
        falsely = ["scenario", "liar", "watcher", f"--lie={lie}", f"--epoch={lie_epoch}"]
        return self._start(name, falsely if lie else ["watcher", "run"], environment)

    def operator_url(self) -> str:
        """Where the API listens, as soon as it does. Raises StateError."""
        return self.running["sequencer"].wait_for("sequencer:", START_SECONDS)

    def console_urls(self) -> list[str]:
        """Where the web console is, if one was built: the operator's, then each watcher's. Raises StateError."""
        watchers = [process for name, process in self.running.items() if name.startswith("watcher-")]
        urls = [self.operator_url(), *(each.wait_for("server:", START_SECONDS) for each in watchers)]
        return [f"{url}{PATH}/" for url in urls]

    def check(self) -> None:
        """Raises StateError if one of the processes has ended."""
        for process in self.running.values():
            process.check()

    def stop(self) -> None:
        """Stop them all, side by side."""
        for process in self.running.values():
            process.ask_to_end()
        for process in self.running.values():
            process.stop()

    def _start(self, name: str, words: list[str], environment: dict[str, str]) -> Process:
        shared = {
            "SETOFF_DEPLOYMENT": str(self.devnet.deployment_file),
            "SETOFF_RPC_URL": self.devnet.chain.url,
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.5",
        }
        process = Process(name, words, {**shared, **environment}, self.folder / f"{name}.log")
        process.start()
        self.running[name] = process
        return process

    def _key_file(self, name: str, account: int) -> str:
        path = self.folder / f"{name}.key"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(dev_keys()[account].hex())
        return str(path)
