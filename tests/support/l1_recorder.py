"""A chain of the tests that writes down its transactions as the vectors of L1 have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from eth_abi.abi import decode
from eth_utils.abi import collapse_if_tuple
from tests.support.engines.engine import Transaction
from tests.support.evm import Chain, Contract, Reverted

from setoff.shared.codec.hashing import keccak


class Recorder(Chain):
    """A chain that writes down what is sent to the contracts that it has been told of; everything is cold for each."""

    gas: ClassVar[dict[str, int]] = {}
    """What a call of each name took at most, in all games that were played: calldata included."""

    def __init__(self) -> None:
        super().__init__()
        self.contracts: dict[str, str] = {}
        self.abis: dict[str, dict[str, Any]] = {}
        self.transactions: list[dict[str, Any]] = []

    def name(self, **contracts: Contract) -> None:
        """Write down what is sent to these from now on."""
        for name, contract in contracts.items():
            self.contracts[name] = contract.address.lower()
            self.abis[contract.address.lower()] = contract._functions

    def find_name(self, where: str) -> str:
        """The contract at an address."""
        return next(name for name, found in self.contracts.items() if found == where.lower())

    def _send(self, transaction: Transaction) -> Any:
        to = (transaction.to or "").lower()
        if to not in self.abis:
            return super()._send(transaction)
        entry = describe_call(self.abis[to], transaction.data) | {
            "contract": self.find_name(to),
            "sender": bytes.fromhex(transaction.sender[2:]),
            "value": transaction.value,
            "time": self.now,
            "calldata": transaction.data,
            "reverts": None,
            "logs": [],
        }
        self.transactions.append(entry)
        self.cool()
        try:
            outcome = super()._send(transaction)
        except Reverted as error:
            entry["reverts"] = error.reason
            raise
        name = entry["function"].partition("(")[0]
        self.gas[name] = max(self.gas.get(name, 0), outcome.gas_used)
        entry["logs"] = [self.describe_log(log) for log in outcome.logs if log.address.lower() in self.abis]
        return outcome

    def describe_log(self, log: Any) -> dict[str, Any]:
        """An event of one of the contracts, by the name of each field."""
        spec = self._events[(log.address, log.topics[0])]
        indexed = [field for field in spec["inputs"] if field["indexed"]]
        others = [field for field in spec["inputs"] if not field["indexed"]]
        values = [decode([field["type"]], topic)[0] for field, topic in zip(indexed, log.topics[1:], strict=True)]
        values += decode([collapse_if_tuple(field) for field in others], log.data)
        found = dict(zip([field["name"] for field in (*indexed, *others)], values, strict=True))
        return {
            "contract": self.find_name(log.address),
            "event": describe_types(spec),
            "fields": {field["name"]: name_parts(found[field["name"]], field) for field in spec["inputs"]},
            "indexed": [field["name"] for field in indexed],
            "topics": list(log.topics),
            "data": log.data,
        }


def describe_types(spec: Mapping[str, Any]) -> str:
    """A function or event as its selector or topic is the hash of."""
    return f"{spec['name']}({','.join(collapse_if_tuple(field) for field in spec['inputs'])})"


def describe_call(functions: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """A call by the names of its arguments."""
    for spec in functions.values():
        if keccak(describe_types(spec).encode())[:4] == data[:4]:
            values = decode([collapse_if_tuple(field) for field in spec["inputs"]], data[4:])
            named = {
                field["name"]: name_parts(value, field) for field, value in zip(spec["inputs"], values, strict=True)
            }
            return {"function": describe_types(spec), "arguments": named}
    raise AssertionError(f"no function {data[:4].hex()}")


def name_parts(value: Any, spec: Mapping[str, Any]) -> Any:
    """Tuples by the names of their fields, addresses in bytes."""
    kind = spec["type"]
    if kind.endswith("[]"):
        return [name_parts(part, {**spec, "type": kind.removesuffix("[]")}) for part in value]
    if kind == "address":
        return bytes.fromhex(value[2:])
    if kind == "tuple":
        return {part["name"]: name_parts(each, part) for part, each in zip(spec["components"], value, strict=True)}
    return list(value) if isinstance(value, tuple) else value
