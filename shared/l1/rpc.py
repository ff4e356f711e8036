"""The L1 node over JSON-RPC: everything that needs no account.

Hashes and data are bytes, addresses 20 bytes (hexadecimal strings are taken too), money wei, times unix seconds. Every
request is tried again for `patience` seconds while the node does not answer; then, and whenever the node refuses, a
`ChainError` says so. What a contract refuses is a `Reverted` with the contract's own reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from eth_abi.abi import decode

from setoff.shared.errors import ChainError, ConfigError

LOG_BLOCKS: Final = 2000
"""Blocks asked for in one request for logs; halved when the node finds it too many."""

GAS_CAP: Final = 1 << 24
"""No transaction may ask for more gas (EIP-7825)."""

FIRST_DELAY, LAST_DELAY = 0.1, 3.0  # seconds between tries
ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")  # Error(string)
PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")  # Panic(uint256)

POOR: Final = (
    "insufficient fund",
    "insufficient balance",
    "insufficient sender balance",
    "exceeds account balance",
    "lack of fund",
    "lackoffund",
    "outoffund",
)
"""What nodes say of an account that cannot pay."""

Address = bytes | str


class Refused(ChainError):
    """The node answered with an error; `message` is its own, `data` what a contract returned."""

    def __init__(self, reason: str, message: str, data: bytes = b"") -> None:
        super().__init__(reason, message)
        self.message = message
        self.data = data


class Reverted(Refused):
    """A contract refused the call; `reason` is the string it gave."""


@dataclass(frozen=True, slots=True)
class Block:
    """What is needed of a block header."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    base_fee: int
    """Wei a unit of gas (EIP-1559)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the node stores it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction: bytes
    index: int
    """Place among the block's events."""
    timestamp: int | None
    """Of its block, if the node tells (not all do)."""


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """How a transaction went."""

    transaction: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    """Wei a unit of gas."""
    contract: bytes | None
    """Address of the contract it created."""
    logs: tuple[Log, ...]


class _Sessions(threading.local):
    """Connections that stay open, of each thread its own: a session is not made for several."""

    def __init__(self) -> None:
        self.session = requests.Session()


class Node:
    """A connection to one node. May be shared by threads."""

    def __init__(self, url: str, *, chain_id: int | None = None, patience: float = 10.0, timeout: float = 10.0) -> None:
        """`chain_id`: the chain that it has to serve; `patience` (s) as above, `timeout` (s) is of one request.

        Raises ConfigError if the address of the node is no URL.
        """
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ConfigError("bad_config", "the L1 node's address is not an http(s) URL")
        self.patience = patience
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._url = url
        self._timeout = timeout
        self._sessions = _Sessions()
        self._wanted_chain = chain_id
        self._has_pending: bool | None = None

    @cached_property
    def chain_id(self) -> int:
        """The chain's number. Raises ConfigError if it is not the one asked for."""
        chain_id = int(self.request("eth_chainId"), 16)
        if self._wanted_chain not in (None, chain_id):
            raise ConfigError("wrong_chain", f"{self._host} serves chain {chain_id}, not {self._wanted_chain}")
        return chain_id

    def check_chain(self) -> None:
        """Ask the node which chain it serves. Raises ConfigError if it is another one, ChainError if it is silent."""
        _ = self.chain_id

    # --- reads ---

    def request(self, method: str, *params: Any) -> Any:
        """The `result` of one JSON-RPC call. Raises ChainError("rpc_unreachable"), Reverted or Refused."""
        deadline = time.monotonic() + self.patience
        delay = FIRST_DELAY
        while True:
            try:
                response = self._ask(method, params)
            except requests.HTTPError as failure:
                status = failure.response.status_code if failure.response is not None else 0
                complaint, is_final = f"HTTP status {status}", 400 <= status < 500 and status != 429
            except (requests.RequestException, OSError, ValueError) as failure:
                complaint, is_final = type(failure).__name__, False
            else:
                if response.get("error") is None:
                    return response.get("result")
                refusal = _refusal(response["error"])
                if not _is_overload(refusal.message):
                    raise refusal
                complaint, is_final = refusal.message, False
            if is_final or time.monotonic() + delay > deadline:
                raise ChainError("rpc_unreachable", f"{self._host}: {complaint}")
            time.sleep(delay)
            delay = min(2 * delay, LAST_DELAY)

    def block(self, number: int | str = "latest") -> Block | None:
        """The block with this number or tag ("latest", "finalized", …), None if there is none."""
        found = self.request("eth_getBlockByNumber", _tag(number), False)
        if found is None:
            return None
        return Block(
            int(found["number"] or "0x0", 16),
            _bytes(found["hash"] or "0x"),
            _bytes(found["parentHash"]),
            int(found["timestamp"], 16),
            int(found.get("baseFeePerGas") or "0x0", 16),
        )

    def head(self) -> Block:
        """The latest block."""
        block = self.block()
        if block is None:
            raise ChainError("rpc_unreachable", f"{self._host} has no latest block")
        return block

    def now(self) -> int:
        """The timestamp a transaction sent now can expect: the pending block's, never less than the latest one's."""
        pending = self._pending_block()
        return max(self.head().timestamp, pending.timestamp if pending else 0)

    def balance(self, address: Address) -> int:
        """Wei."""
        return int(self.request("eth_getBalance", to_hex(address), "latest"), 16)

    def code(self, address: Address) -> bytes:
        """The contract's code, empty if there is none."""
        return _bytes(self.request("eth_getCode", to_hex(address), "latest"))

    def transaction_count(self, address: Address, number: int | str = "latest") -> int:
        """The account's next nonce after that block."""
        return int(self.request("eth_getTransactionCount", to_hex(address), _tag(number)), 16)

    def transaction(self, transaction: bytes) -> Mapping[str, Any] | None:
        """A transaction as the node shows it (`input` is its calldata), None if it does not know it."""
        found: Mapping[str, Any] | None = self.request("eth_getTransactionByHash", to_hex(transaction))
        return found

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        """How a transaction went, None if it is in no block."""
        found = self.request("eth_getTransactionReceipt", to_hex(transaction))
        if found is None or found.get("blockHash") is None:
            return None
        return TransactionReceipt(
            transaction,
            int(found["blockNumber"], 16),
            _bytes(found["blockHash"]),
            found["status"] == "0x1",
            int(found["gasUsed"], 16),
            int(found.get("effectiveGasPrice") or "0x0", 16),
            _bytes(found["contractAddress"]) if found.get("contractAddress") else None,
            tuple(_log(log) for log in found["logs"]),
        )

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        value: int = 0,
        sender: Address | None = None,
        block: int | str = "latest",
    ) -> bytes:
        """What the contract at `to` returns. Raises Reverted."""
        request = self._call_object(to, data, value, sender)
        return _bytes(self.request("eth_call", request, _tag(block)))

    def next_block(self) -> str:
        """Tag of the block to try transactions on: the pending one, the latest where the node knows none."""
        if self._has_pending is None:
            self._pending_block()
        return "pending" if self._has_pending else "latest"

    def blob_base_fee(self) -> int:
        """Wei a unit of blob gas (EIP-4844)."""
        return int(self.request("eth_blobBaseFee"), 16)

    def estimate_gas(
        self, sender: Address, to: Address | None, data: bytes, value: int = 0, blob_hashes: Sequence[bytes] = ()
    ) -> int:
        """Gas that a transaction of `sender` would use, with blobs of these hashes. Raises Reverted."""
        request: dict[str, Any] = self._call_object(to, data, value, sender)
        if blob_hashes:
            request["blobVersionedHashes"] = [to_hex(versioned_hash) for versioned_hash in blob_hashes]
        return int(self.request("eth_estimateGas", request, self.next_block()), 16)

    def logs(
        self, addresses: Iterable[Address], first: int, last: int, topics: Iterable[bytes | None] = ()
    ) -> list[Log]:
        """The events of these contracts in the blocks `first` to `last`, in order."""
        wanted = {
            "address": [to_hex(address) for address in addresses],
            "topics": [None if topic is None else to_hex(topic) for topic in topics],
        }
        found: list[Log] = []
        span = LOG_BLOCKS
        while first <= last:
            until = min(first + span - 1, last)
            try:
                page = self.request("eth_getLogs", {**wanted, "fromBlock": hex(first), "toBlock": hex(until)})
            except Refused:
                if first == until:
                    raise
                span = (until - first + 1) // 2
                continue
            found += [_log(log) for log in page]
            first = until + 1
        return found

    # --- internal ---

    def _ask(self, method: str, params: Sequence[Any]) -> Mapping[str, Any]:
        """The answer to one request, its `error` included. Raises RequestException, ValueError."""
        call: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._sessions.session.post(self._url, json=call, timeout=self._timeout)
        answer.raise_for_status()
        content = answer.json()
        if not isinstance(content, Mapping):
            raise ValueError("the node's answer is no object")
        return content

    def _pending_block(self) -> Block | None:
        """The pending block; None on a node that shows none, which is not asked again."""
        if self._has_pending is False:
            return None
        try:
            pending = self.block("pending")
        except Refused:
            pending = None
        self._has_pending = pending is not None
        return pending

    def _call_object(self, to: Address | None, data: bytes, value: int, sender: Address | None) -> dict[str, str]:
        request = {"data": to_hex(data), "value": hex(value), "gas": hex(GAS_CAP)}
        if to is not None:
            request["to"] = to_hex(to)
        if sender is not None:
            request["from"] = to_hex(sender)
        return request


def to_hex(data: Address) -> str:
    """As JSON-RPC has bytes; what is in hexadecimal already stays so."""
    return data if isinstance(data, str) else "0x" + data.hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _tag(block: int | str) -> str:
    return block if isinstance(block, str) else hex(block)


def _log(log: Mapping[str, Any]) -> Log:
    timestamp = log.get("blockTimestamp")
    return Log(
        _bytes(log["address"]),
        tuple(_bytes(topic) for topic in log["topics"]),
        _bytes(log["data"]),
        int(log["blockNumber"], 16),
        _bytes(log["blockHash"]),
        _bytes(log["transactionHash"]),
        int(log["logIndex"], 16),
        int(timestamp, 16) if timestamp else None,
    )


def _is_overload(message: str) -> bool:
    text = message.lower()
    return any(words in text for words in ("rate limit", "too many requests", "header not found", "timeout"))


def _refusal(error: Any) -> Refused:
    """The exception for the `error` object of a JSON-RPC answer."""
    if not isinstance(error, Mapping):
        return Refused("rpc_unreachable", str(error))
    message = str(error.get("message", ""))
    data = error.get("data")
    if isinstance(data, Mapping):
        data = data.get("data")
    returned = b""
    if isinstance(data, str) and data.startswith("0x"):
        try:
            returned = _bytes(data)
        except ValueError:
            returned = b""
    if not returned and any(words in message.lower() for words in POOR):
        return Refused("insufficient_funds", message)
    if returned or error.get("code") == 3 or "revert" in message.lower():
        return Reverted(_revert_reason(returned), message, returned)
    return Refused("transaction_reverted", message)


def _revert_reason(returned: bytes) -> str:
    """The reason string in a contract's revert data; "transaction_reverted" if it gave none."""
    try:
        if returned[:4] == ERROR_SELECTOR:
            return str(decode(["string"], returned[4:])[0])
        if returned[:4] == PANIC_SELECTOR:
            return f"panic_{int.from_bytes(returned[4:36], 'big'):#04x}"
    except Exception:
        return "transaction_reverted"
    return "transaction_reverted"
