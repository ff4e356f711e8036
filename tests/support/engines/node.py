"""anvil: a real node beside this process, spoken to over a socket that stays open. For every Python, and slower.

A node that a test has done with goes back to its first block and serves the next one.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_utils import to_checksum_address
from tests.support.engines.engine import GAS_LIMIT, HARDFORK, Failed, Outcome, RawLog, Transaction

from setoff.deploy.devnet.anvil import find_anvil
from setoff.deploy.devnet.process import end_with_parent

START_SECONDS: Final = 20
ANSWER_SECONDS: Final = 120
GENESIS_TIME: Final = 1
_REVERTED: Final = 3
"""The error code that goes with what a call has reverted with."""
_OPTIONS: Final = (
    *("--quiet", "--port", "0", "--accounts", "0", "--threads", "1", "--prune-history", "--hardfork", HARDFORK),
    *("--auto-impersonate", "--disable-default-create2-deployer", "--timestamp", str(GENESIS_TIME)),
    # The base fee stays at zero while no block is more than half full.
    *("--base-fee", "0", "--gas-price", "0", "--no-priority-fee", "--gas-limit", str(2 * GAS_LIMIT)),
)


class NodeError(Exception):
    """An answer that is an error: its code, its words, and the data with it."""

    def __init__(self, code: int, message: str, data: Any) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Node:
    """A running anvil."""

    def __init__(self) -> None:
        """Starts at once."""
        self._folder = tempfile.TemporaryDirectory(prefix="setoff-evm-")
        path = Path(self._folder.name) / "socket"
        self._process = subprocess.Popen(
            [find_anvil(), *_OPTIONS, "--ipc", str(path), "--cache-path", self._folder.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
        )
        self._stop = weakref.finalize(self, _stop, self._process, self._folder)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_SECONDS)
        self._connect(str(path))
        self._numbers = itertools.count(1)
        self.time = GENESIS_TIME
        self.request("anvil_setBlockTimestampInterval", 0)
        self._genesis = self.request("evm_snapshot")

    def _connect(self, path: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError):
                return self._socket.connect(path)
            assert self._process.poll() is None, "anvil ended at once"
            assert time.monotonic() < deadline, "anvil did not start"
            time.sleep(0.005)

    def request(self, method: str, *parameters: Any) -> Any:
        """The result of a call. Raises NodeError."""
        call = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        self._socket.sendall(json.dumps(call).encode())
        answer = self._receive()
        assert answer["id"] == call["id"]
        if "error" in answer:
            error = answer["error"]
            raise NodeError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        """The next answer: the object that what is received is complete with."""
        received = b""
        while True:
            part = self._socket.recv(1 << 20)
            assert part, "anvil has gone"
            received += part
            if received.endswith(b"}") or received.endswith(b"}\n"):
                with suppress(ValueError):
                    answer: dict[str, Any] = json.loads(received)
                    return answer

    def mine_at(self, timestamp: int) -> None:
        """Make the last block one of this time, which the blocks after it have, too."""
        if timestamp < self.time:
            self.request("evm_setTime", 1000 * timestamp)  # milliseconds
        self.request("evm_setNextBlockTimestamp", timestamp)
        self.request("evm_mine")
        self.time = timestamp

    def clear(self) -> None:
        """Go back to the first block."""
        assert self.request("evm_revert", self._genesis)
        self._genesis = self.request("evm_snapshot")
        self.time = GENESIS_TIME


def _stop(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    folder.cleanup()


_idle: list[Node] = []


class NodeEngine:
    """See `Engine`. Every transaction is a block of its own."""

    def __init__(self, chain_id: int) -> None:
        self._node = _idle.pop() if _idle else Node()
        self._node.clear()
        self._node.request("anvil_setChainId", chain_id)
        self._time = GENESIS_TIME
        weakref.finalize(self, _idle.append, self._node)

    def send(self, transaction: Transaction) -> Outcome:
        output = self.ask(transaction)  # tells what a receipt does not: the reason, what is returned
        receipt = self._node.request("eth_sendTransactionSync", _encode(transaction))
        assert int(receipt["status"], 16) == 1, receipt
        logs = tuple(_read_log(log) for log in receipt["logs"])
        gas_used = int(receipt["gasUsed"], 16)
        if transaction.gas_price:
            paid = self.balance(transaction.sender)
            self.set_balance(transaction.sender, paid + gas_used * transaction.gas_price)
        if transaction.to is None:
            return Outcome(b"", gas_used, logs, to_checksum_address(receipt["contractAddress"]))
        return Outcome(output, gas_used, logs)

    def ask(self, transaction: Transaction) -> bytes:
        if self._time != self._node.time:
            self._node.mine_at(self._time)
        try:
            return bytes.fromhex(self._node.request("eth_call", _encode(transaction), "latest")[2:])
        except NodeError as error:
            output = bytes.fromhex(error.data[2:]) if error.code == _REVERTED else None
            raise Failed(output, error.message) from None

    def set_time(self, timestamp: int) -> None:
        self._time = timestamp

    def nonce(self, account: str) -> int:
        return int(self._node.request("eth_getTransactionCount", account, "latest"), 16)

    def balance(self, account: str) -> int:
        return int(self._node.request("eth_getBalance", account, "latest"), 16)

    def set_balance(self, account: str, amount: int) -> None:
        self._node.request("anvil_setBalance", account, hex(amount))

    def code(self, account: str) -> bytes:
        return bytes.fromhex(self._node.request("eth_getCode", account, "latest")[2:])

    def set_code(self, account: str, code: bytes) -> None:
        self._node.request("anvil_setCode", account, "0x" + code.hex())

    def snapshot(self) -> Any:
        return (self._node.request("evm_snapshot"), self._node.time)

    def restore(self, snapshot: Any) -> None:
        number, self._node.time = snapshot
        assert self._node.request("evm_revert", number)

    def cool(self) -> None:
        """Every transaction on a node begins cold."""


def _encode(transaction: Transaction) -> dict[str, Any]:
    t = transaction
    encoded: dict[str, Any] = {
        "from": t.sender,
        "data": "0x" + t.data.hex(),
        "value": hex(t.value),
        "gas": hex(t.gas),
    }
    if t.to is not None:
        encoded["to"] = t.to
    if t.blobs:
        fees = {"maxFeePerGas": hex(t.gas_price), "maxPriorityFeePerGas": hex(t.gas_price), "maxFeePerBlobGas": "0x1"}
        encoded |= fees | {"blobVersionedHashes": ["0x" + blob.hex() for blob in t.blobs]}
    else:
        encoded["gasPrice"] = hex(t.gas_price)
    return encoded


def _read_log(log: dict[str, Any]) -> RawLog:
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    return RawLog(to_checksum_address(log["address"]), topics, bytes.fromhex(log["data"][2:]))
