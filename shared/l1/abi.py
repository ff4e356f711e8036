"""Contract calls and events by ABI. Values are plain: integers, bytes (addresses 20 bytes), strings, tuples, lists.

The ABIs of our own contracts are the compiler's output, kept in `interfaces/` so that nobody who talks to them needs
the compiler; `deploy/run check` compares the two, and `deploy/run check --fix` writes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.answers import Log

INTERFACES: Final = Path(__file__).with_name("interfaces")
"""The folder of the ABIs: one JSON file a contract, named like it."""

NAMES: Final = ("token", "vault", "queue", "inbox", "judge", "court", "receipts")
"""The contracts that are called from outside, as a deployment names them."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name, selector and types."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, arguments: Sequence[Any]) -> bytes:
        """Calldata."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, returned: bytes) -> tuple[Any, ...]:
        """What it returned."""
        return _plain(self.outputs, decode(self.outputs, returned))


@dataclass(frozen=True, slots=True)
class EventType:
    """An event's name and fields in order: (name, type, whether it is a topic)."""

    name: str
    topic: bytes
    fields: tuple[tuple[str, str, bool], ...]

    def decode(self, log: Log) -> dict[str, Any]:
        """The fields by name. Raises ValueError if the log is not such an event."""
        topics = [(name, kind) for name, kind, is_topic in self.fields if is_topic]
        data = [(name, kind) for name, kind, is_topic in self.fields if not is_topic]
        if len(log.topics) != len(topics) + 1 or log.topics[0] != self.topic:
            raise ValueError(f"no {self.name} event")
        values = dict(zip([name for name, _ in data], decode([kind for _, kind in data], log.data), strict=True))
        for (name, kind), topic in zip(topics, log.topics[1:], strict=True):
            values[name] = decode([kind], topic)[0]
        kinds = [kind for _, kind, _ in self.fields]
        names = [name for name, _, _ in self.fields]
        return dict(zip(names, _plain(kinds, [values[name] for name in names]), strict=True))


class Interface:
    """One contract's ABI."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self.functions: dict[str, Function] = {}
        self.events: dict[str, EventType] = {}
        for entry in abi:
            if entry["type"] not in ("function", "event"):
                continue
            name, inputs = entry["name"], tuple(collapse_if_tuple(item) for item in entry["inputs"])
            signature = keccak(f"{name}({','.join(inputs)})".encode())
            if entry["type"] == "function":
                outputs = tuple(collapse_if_tuple(item) for item in entry["outputs"])
                self.functions[name] = Function(name, signature[:4], inputs, outputs)
            else:
                names = [item["name"] for item in entry["inputs"]]
                indexed = [bool(item["indexed"]) for item in entry["inputs"]]
                self.events[name] = EventType(name, signature, tuple(zip(names, inputs, indexed, strict=True)))
        self._by_topic = {event.topic: event for event in self.events.values()}

    def encode(self, function: str, *arguments: Any) -> bytes:
        """Calldata of a call. Raises KeyError if the contract has no such function."""
        return self.functions[function].encode(arguments)

    def find_event(self, log: Log) -> EventType | None:
        """What kind of event a log entry of the contract is; None for one that it does not have."""
        return self._by_topic.get(log.topics[0]) if log.topics else None


def load_interface(name: str) -> Interface:
    """The ABI in `interfaces/<name>.json`."""
    return Interface(json.loads((INTERFACES / f"{name}.json").read_text()))


def _plain(kinds: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Addresses as bytes instead of text."""
    return tuple(
        bytes.fromhex(value[2:]) if kind == "address" else value for kind, value in zip(kinds, values, strict=True)
    )
