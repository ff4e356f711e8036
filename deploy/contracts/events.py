"""Events of all our contracts, decoded by their ABIs; and calls by signature. For tools that read everything back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse
from eth_utils.abi import collapse_if_tuple

from setoff.contracts.compiler import compile_contract
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.settings import Deployment
from setoff.shared.l1.rpc import L1, Log

CONTRACTS: Final = ("token", "vault", "queue", "inbox", "court")
"""The contracts that people and services call."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the contract's and its own name, and its arguments by name (addresses as 0x-strings)."""

    contract: str
    name: str
    arguments: Mapping[str, Any]
    block_number: int
    transaction: bytes
    index: int

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def place(self) -> tuple[bytes, int]:
        """What tells this event from every other."""
        return self.transaction, self.index


def addresses(deployment: Deployment) -> dict[str, str]:
    """Address (lower case) to name of our contracts."""
    return {getattr(deployment, name).lower(): name for name in CONTRACTS}


def read_events(l1: L1, deployment: Deployment, first: int | None = None, last: int | None = None) -> list[Event]:
    """All events of our contracts in these blocks (from the deployment to the head by default), in order."""
    names = addresses(deployment)
    first = deployment.block if first is None else first
    last = l1.head().number if last is None else last
    return [_decode_event(names["0x" + log.address.hex()], log) for log in l1.logs(list(names), first, last)]


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Calldata of a call: `encode_call("mint(address,uint256)", address, 5)`."""
    return keccak(signature.encode())[:4] + encode(_types(signature[signature.index("(") :]), arguments)


def read_call(l1: L1, to: str, signature: str, *arguments: Any) -> Any:
    """What a view returns; `signature` goes with its result: "balanceOf(address) uint256"."""
    call, _, result = signature.partition(" ")
    return decode([result], l1.call(to, encode_call(call, *arguments)))[0]


@cache
def function_names(contract: str) -> dict[bytes, str]:
    """Selector to name of a contract's functions."""
    functions = [entry for entry in compile_contract(contract).abi if entry["type"] == "function"]
    return {keccak(_signature(entry).encode())[:4]: entry["name"] for entry in functions}


@cache
def _events(contract: str) -> dict[bytes, dict[str, Any]]:
    events = [entry for entry in compile_contract(contract).abi if entry["type"] == "event"]
    return {keccak(_signature(entry).encode()): entry for entry in events}


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(collapse_if_tuple(item) for item in entry['inputs'])})"


def _decode_event(contract: str, log: Log) -> Event:
    entry = _events(contract)[log.topics[0]]
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    plain = [item for item in entry["inputs"] if not item["indexed"]]
    arguments: dict[str, Any] = {}
    for item, topic in zip(indexed, log.topics[1:], strict=True):
        arguments[item["name"]] = decode([item["type"]], topic)[0]
    arguments |= zip(
        [item["name"] for item in plain], decode([collapse_if_tuple(item) for item in plain], log.data), strict=True
    )
    return Event(contract, entry["name"], arguments, log.block_number, log.transaction, log.index)


def _types(text: str) -> Sequence[str]:
    """The types in "(a,b)"."""
    if text == "()":
        return []
    parsed = parse(text)
    return [component.to_type_str() for component in parsed.components] if isinstance(parsed, TupleType) else []
