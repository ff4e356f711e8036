"""Everything that our contracts have logged, decoded: for tools that read it all back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.answers import Log
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INTERFACE

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


def _decode_event(contract: str, log: Log) -> Event:
    kind = INTERFACE[contract].find_event(log)
    assert kind is not None, "the contract's own events"
    values = kind.decode(log)
    shown = {name: "0x" + values[name].hex() if type == "address" else values[name] for name, type, _ in kind.fields}
    return Event(contract, kind.name, shown, log.block_number, log.transaction, log.index)
