"""A consensus client's part for an execution client: a block at a time, by the Engine API."""

import hashlib
import os
import threading
import time
from typing import Any

import requests

from setoff.shared.l1.answers import Block
from setoff.shared.l1.rpc import to_hex

SAFE, FINAL = 8, 16
"""Blocks after which one is called safe, and final: on a real network slots of two epochs, here enough to see both."""
BUILDING = 0.2
"""Seconds that the client has to put transactions into the block."""
FEE_RECIPIENT = "0x" + "11" * 20


class EngineDriver:
    """Makes blocks on a client with an Engine API of Prague, one every `seconds`, until it is stopped."""

    def __init__(self, engine: str, head: Block, seconds: float) -> None:
        """`engine`: URL of the API; `head`: the newest block, on which it goes on."""
        self._engine = engine
        self._hashes = [to_hex(head.hash)]
        self._timestamp = head.timestamp
        self._seconds = seconds
        self._ahead = 0  # of the wall's clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self.failures: list[str] = []
        """Rounds in which there was no block, and why."""

    def start(self) -> None:
        """Blocks come from now on."""
        self._thread.start()

    def stop(self) -> None:
        """No more blocks; returns when the last one is made."""
        self._stopped.set()
        if self._thread.ident:
            self._thread.join()

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now. Raises RuntimeError if the client does not."""
        for _ in range(blocks):
            self._make_block()

    def advance(self, seconds: int) -> None:
        """Make a block `seconds` after the last one; the clock goes on from there."""
        with self._lock:
            self._ahead = self._timestamp + seconds - int(time.time())
        self._make_block()

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            begin = time.monotonic()
            try:
                self._make_block()
            except (RuntimeError, requests.RequestException, KeyError) as failure:
                self.failures.append(str(failure)[:300])
            self._stopped.wait(max(0.05, begin + self._seconds - time.monotonic()))

    def _make_block(self) -> None:
        with self._lock:
            timestamp = max(self._timestamp + 1, int(time.time()) + self._ahead)
            beacon_root = "0x" + os.urandom(32).hex()
            attributes = {
                "timestamp": hex(timestamp),
                "prevRandao": "0x" + os.urandom(32).hex(),
                "suggestedFeeRecipient": FEE_RECIPIENT,
                "withdrawals": [],
                "parentBeaconBlockRoot": beacon_root,
            }
            payload_id = self._choose(attributes)["payloadId"]
            time.sleep(BUILDING)
            built = self._ask("engine_getPayloadV4", payload_id)
            payload = built["executionPayload"]
            hashes = [hash_commitment(each) for each in built["blobsBundle"]["commitments"]]
            status = self._ask("engine_newPayloadV4", payload, hashes, beacon_root, built["executionRequests"])
            if status["status"] != "VALID":
                raise RuntimeError(f"its own block is {status}")
            self._hashes = [*self._hashes[-FINAL:], payload["blockHash"]]
            self._timestamp = timestamp
            self._choose(None)

    def _choose(self, attributes: dict[str, Any] | None) -> Any:
        """Tell the client which block is the head, and what the next one is to have, if it shall build one."""
        *_, head = self._hashes
        safe, final = (self._hashes[max(len(self._hashes) - 1 - depth, 0)] for depth in (SAFE, FINAL))
        state = {"headBlockHash": head, "safeBlockHash": safe, "finalizedBlockHash": final}
        return self._ask("engine_forkchoiceUpdatedV3", state, attributes)

    def _ask(self, method: str, *params: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = requests.post(self._engine, json=call, timeout=60).json()
        if answer.get("error"):
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


def hash_commitment(commitment: str) -> str:
    """The versioned hash of a blob's commitment (EIP-4844), both in hexadecimal."""
    return "0x01" + hashlib.sha256(bytes.fromhex(commitment[2:])).hexdigest()[2:]
